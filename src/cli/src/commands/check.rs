//! `palabre check`: checks the configuration, the scripts and the store without running anything.

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use palabre_engine::ScriptSetup;
use palabre_lint::{Finding, Linter, Severity};
use palabre_script::{EmptyHost, Ticker, Vm, read_file};

use super::scripts::needs::is_granted;
use super::{check_store, online};
use crate::assemble;
use crate::config::Config;
use crate::output::{self, count};
use crate::problem::{EXIT_DAMAGED, Problem};

/// The arguments of `palabre check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also check tokens and permissions of the bots with their platforms.
    #[arg(long)]
    online: bool,
    /// Recount the storage of each script.
    #[arg(long)]
    repair: bool,
}

pub(crate) async fn check(config: &Config, args: &Args) -> Result<ExitCode, Problem> {
    let checked = check_locally(config, args.repair)?;
    let wrong = if args.online { online::ask(config).await } else { 0 };
    Ok(if wrong > 0 { ExitCode::from(1) } else { checked })
}

/// Checks everything except the platforms. With `repair`, the storage of each script is recounted first.
fn check_locally(config: &Config, repair: bool) -> Result<ExitCode, Problem> {
    let (bots, scripts) = (config.file.bots.len(), assemble::scripts(config)?);
    let linter = Linter::new().map_err(|error| Problem::Other(error.to_string()))?;
    output::line(&format!("configuration: ok, {}", count(bots, "bot")));
    let ticker = Ticker::start().map_err(|error| Problem::Other(format!("cannot start a thread: {error}")))?;
    let mut wrong = 0;
    for setup in &scripts {
        let name = &setup.name;
        let built = match &setup.source {
            Ok(source) => {
                Vm::build(source, &setup.limits, &setup.config, Rc::new(EmptyHost(setup.grants.clone())), &ticker)
                    .map_err(|failure| failure.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match built {
            Ok(_) => {
                let findings = findings(&linter, setup, &config.scripts_folder())?;
                let needs = not_granted(setup);
                if findings.is_empty() && needs.is_none() {
                    output::line(&format!("script {name}: ok"));
                }
                wrong += findings.iter().filter(|(counts, _)| *counts).count() + usize::from(needs.is_some());
                findings.into_iter().map(|(_, shown)| shown).chain(needs).for_each(|finding| output::line(&finding));
            }
            Err(problem) => {
                wrong += 1;
                output::line(&format!("script {name}: {problem}"));
            }
        }
    }
    let damages = check_store::check_store(config, repair)?;
    if wrong + damages > 0 {
        output::line(&format!("{} found", count(wrong + damages, "problem")));
    }
    Ok(match (damages, wrong) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(1),
        _ => ExitCode::from(EXIT_DAMAGED),
    })
}

/// Returns the linter's findings in the files and tests of a script.
///
/// The flag is true for findings that count as problems.
fn findings(linter: &Linter, setup: &ScriptSetup, folder: &Path) -> Result<Vec<(bool, String)>, Problem> {
    let Ok(source) = &setup.source else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (shown, text) in source.shown_files() {
        found.extend(linter.check(&shown, text, false).iter().map(weighed));
    }
    let sibling = source.path.parent().filter(|parent| *parent == folder).map(|parent| {
        let test = format!("{}.test.luau", source.name);
        (test.clone(), parent.join(test))
    });
    let inside = std::fs::read_dir(&source.path).into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        let file = entry.file_name().to_string_lossy().into_owned();
        file.ends_with(".test.luau").then(|| (format!("{}/{file}", source.name), entry.path()))
    });
    for (shown, path) in sibling.into_iter().filter(|(_, path)| path.is_file()).chain(inside) {
        found.extend(linter.check(&shown, &read_file(&path)?, true).iter().map(weighed));
    }
    Ok(found)
}

fn weighed(finding: &Finding) -> (bool, String) {
    // An unknown hook never runs, so it is a problem although it is only a warning.
    (finding.severity == Severity::Error || finding.code.ends_with("hook"), finding.to_string())
}

/// Returns an error if the script's manifest needs capabilities that bots.yaml does not grant.
fn not_granted(setup: &ScriptSetup) -> Option<String> {
    let manifest = setup.source.as_ref().ok()?.manifest.as_ref()?;
    let missing: Vec<_> = manifest.needs.iter().filter(|need| !is_granted(&setup.grants, need)).cloned().collect();
    let name = &setup.name;
    let all = missing.join(", ");
    (!missing.is_empty()).then(|| {
        format!(
            "script {name}: needs {all}, not granted in bots.yaml; add scripts: {name}: {{ grants: [{all}] }} there"
        )
    })
}
