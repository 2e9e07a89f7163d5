//! `palabre test`: runs tests of scripts on a simulated platform with a virtual clock and a seed.

mod coverage;
mod harness;
mod http;
mod junit;
mod outcome;
mod refusals;
mod report;
mod suite;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use palabre_engine::ScriptSetup;
use palabre_script::{Coverage, RunningTest, Source, TestFile, TestStep, Ticker};
use serde_json::Value;

use crate::config::Config;
use crate::problem::Problem;
use crate::{assemble, output};
use harness::Harness;
use outcome::{Failed, Outcome};
use suite::Suite;

/// The timeout of a test, in real time.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The arguments of `palabre test`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Folders of scripts or single test files; the scripts folder of bots.yaml if left out.
    pub(crate) paths: Vec<PathBuf>,
    /// Run only tests with TEXT in their name or the name of their file.
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Seed of the random numbers; the same seed gives the same run.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of tests to run in parallel; the number of cores if left out.
    #[arg(short, long)]
    pub(crate) jobs: Option<usize>,
    /// Also write the results as JUnit XML to FILE.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Show which lines of the scripts were not run.
    #[arg(long)]
    pub(crate) coverage: bool,
}

/// Runs the tests. Returns exit code 1 if one fails.
pub(crate) fn test(config: Option<&Config>, args: &Args) -> Result<ExitCode, Problem> {
    let suites = suite::find(config, &args.paths)?;
    let ticker = Ticker::start().map_err(|error| Problem::Other(format!("cannot start a thread: {error}")))?;
    let mut tests = Vec::new();
    let mut outcomes = Vec::new();
    for (index, suite) in suites.iter().enumerate() {
        match TestFile::load(&suite.name, &suite.text, &ticker) {
            Ok(file) => {
                for (case, of) in file.cases().enumerate() {
                    let wanted = |text: &String| of.name.contains(text.as_str()) || suite.name.contains(text.as_str());
                    if args.filter.as_ref().is_none_or(wanted) {
                        tests.push((index, case, of.clone()));
                    }
                }
            }
            Err(failure) => outcomes.push(Outcome {
                suite: suite.name.clone(),
                test: "(the file)".to_owned(),
                failure: Some(Failed { message: failure.message, chat: Vec::new(), script_error: None }),
                script_error: None,
            }),
        }
    }
    if let (Some(filter), true, true) = (&args.filter, tests.is_empty(), outcomes.is_empty()) {
        output::line(&format!("no test has \"{filter}\" in its name or the name of its file"));
        return Ok(ExitCode::from(1));
    }
    let covered = Mutex::new(Coverage::new());
    let done: Mutex<Vec<(usize, Outcome)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let jobs = args.jobs.unwrap_or_else(assemble::workers).max(1);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(tests.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    let Some((suite, case, of)) = tests.get(number) else { return };
                    let suite = &suites[*suite];
                    let (failure, script_error, coverage) = run(config, suite, *case, &of.options, args, &ticker);
                    let mut all = covered.lock().unwrap_or_else(PoisonError::into_inner);
                    coverage::merge(&mut all, coverage);
                    drop(all);
                    let outcome = Outcome { suite: suite.name.clone(), test: of.name.clone(), failure, script_error };
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((number, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    outcomes.extend(done.into_iter().map(|(_, outcome)| outcome));
    report::print(&outcomes, args.seed);
    if args.coverage {
        coverage::print(&covered.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    if let Some(path) = &args.junit {
        junit::write(path, &outcomes)?;
    }
    let all_well = outcomes.iter().all(|outcome| outcome.failure.is_none());
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Sets up the scripts of a test: built-in ones, dependencies, and the tested one last.
fn scripts(config: Option<&Config>, suite: &Suite, options: &Value, measured: bool) -> Vec<ScriptSetup> {
    let mut names = vec![suite.script.clone()];
    let mut setups = Vec::new();
    while let Some(name) = names.pop() {
        let mut source = Source::read(&suite.folder, name.as_str());
        if let Ok(source) = &mut source {
            source.is_measured = measured && name == suite.script;
            names.extend(source.depends());
        }
        let mut setup = assemble::setup_of(config, &name, source);
        setup.bots = None;
        if name == suite.script {
            if let Value::Object(config) = &options["config"] {
                assemble::reconfigure(&mut setup, config);
            }
            let grants = options["grants"].as_array().into_iter().flatten().filter_map(Value::as_str);
            setup.grants.extend(grants.map(ToOwned::to_owned));
        }
        setups.push(setup);
    }
    setups.extend(assemble::built_in().map(|source| assemble::setup_of(None, &source.name.clone(), Ok(source))));
    setups.reverse();
    setups
}

fn run(
    config: Option<&Config>,
    suite: &Suite,
    case: usize,
    options: &Value,
    args: &Args,
    ticker: &Ticker,
) -> (Option<Failed>, Option<String>, Coverage) {
    let failed = |message: String| Some(Failed { message, chat: Vec::new(), script_error: None });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return (failed(format!("cannot start the async runtime: {error}")), None, Coverage::default()),
    };
    let make = || scripts(config, suite, options, args.coverage);
    runtime.block_on(async {
        let settings = assemble::first_bot(config);
        let mut harness = match Harness::new(&make, settings, args.seed).await {
            Ok(harness) => harness,
            Err(problem) => return (failed(problem), None, Coverage::default()),
        };
        // Each test loads its file again, so that it does not see variables set by other tests.
        let message = match TestFile::load(&suite.name, &suite.text, ticker) {
            Ok(file) => {
                file.read_fields_with(harness.look());
                let played = tokio::time::timeout(TEST_TIMEOUT, play(&file, case, &mut harness)).await;
                let played =
                    played.unwrap_or_else(|_| Some(format!("the test timed out after {} s", TEST_TIMEOUT.as_secs())));
                played.or_else(|| harness.unexpected_refusal())
            }
            Err(failure) => Some(failure.message),
        };
        let script_error = harness.last_error();
        let failure =
            message.map(|message| Failed { message, chat: harness.chat(), script_error: script_error.clone() });
        (failure, script_error, harness.end().await)
    })
}

/// Runs a test to its end, answering its questions. Returns the failure, if any.
async fn play(file: &TestFile, case: usize, harness: &mut Harness<'_>) -> Option<String> {
    let (running, mut step): (Option<RunningTest>, TestStep) = file.begin(case);
    loop {
        match step {
            TestStep::Passed => return None,
            TestStep::Failed(failure) => return Some(failure.message),
            TestStep::Ask(question) => {
                let answer = harness.play(&question).await;
                match &running {
                    Some(running) => step = file.resume(running, answer),
                    None => return None,
                }
            }
        }
    }
}
