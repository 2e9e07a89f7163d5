//! House rules that compilers and linters do not check.

mod baseline;
mod calls;
mod files;
mod modules;
mod paths;
mod rust;
mod text;
mod tree;
mod violation;
mod web;
mod words;

use std::path::PathBuf;

use clap::Args;

use self::baseline::Baseline;
use self::files::Files;
use self::violation::Violation;
use self::words::Rules;
use crate::problem::Problem;

/// The violations that are accepted, each with a reason.
const BASELINE: &str = "xtask/baseline.tsv";
/// Exempt files, denied words and denied calls.
const RULES: &str = "xtask/tidy.yaml";

/// Options of `cargo xtask tidy`.
#[derive(Args)]
pub(crate) struct Options {
    /// Removes from the baseline what no longer occurs, and lowers what has become smaller
    #[arg(long)]
    shrink: bool,
    /// Makes the baseline of today's violations, each with this reason; there must be none yet
    #[arg(long, value_name = "REASON")]
    init: Option<String>,
    /// Prints every violation, also those of the baseline
    #[arg(long)]
    all: bool,
    /// The repository to check
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

/// Runs all checks and compares the violations with the baseline.
pub(crate) fn run(options: &Options) -> Result<(), Problem> {
    let rules = Rules::read(&options.root.join(RULES))?;
    let files = Files::read(&options.root, &rules.exempt)?;
    let violations = check(&files, &rules)?;
    if options.all {
        violations.iter().for_each(|violation| eprintln!("{}", violation.line()));
    }
    let path = options.root.join(BASELINE);
    if let Some(reason) = &options.init {
        if path.exists() {
            return Err(Problem::Found(format!("{} exists already, and can only shrink", path.display())));
        }
        return Baseline::of(&violations, reason).write(&path);
    }
    let baseline = Baseline::read(&path)?;
    let difference = baseline.compare(&violations);
    if options.shrink {
        difference.shrunk.write(&path)?;
    } else if !difference.outdated.is_empty() {
        let outdated = difference.outdated.join("\n");
        return Err(Problem::Found(format!(
            "the baseline names violations that are gone or smaller; run `cargo xtask tidy --shrink`:\n{outdated}"
        )));
    }
    if difference.new.is_empty() {
        let (checked, accepted) = (files.all.len(), violations.len());
        eprintln!("tidy: {checked} files, {accepted} violations, all of them in the baseline");
        return Ok(());
    }
    let new: Vec<String> = difference.new.iter().map(|violation| violation.line()).collect();
    Err(Problem::Found(format!("{} violations that the baseline does not have:\n{}", new.len(), new.join("\n"))))
}

/// Returns the violations of all rules, sorted.
fn check(files: &Files, rules: &Rules) -> Result<Vec<Violation>, Problem> {
    let mut violations = Vec::new();
    text::check(files, &mut violations);
    let sources = rust::parse(files)?;
    rust::check(&sources, &mut violations);
    calls::check(&rules.calls, &sources, &mut violations);
    let scripts = web::parse(files)?;
    web::check(files, &scripts, &mut violations);
    words::check(files, rules, &sources, &scripts, &mut violations);
    modules::check(files, &sources, &mut violations)?;
    violations.sort();
    Ok(violations)
}
