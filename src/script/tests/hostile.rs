//! Hostile scripts: they try to run for ever, to exhaust a resource or to escape the sandbox.
//!
//! Each file of `hostile/` is a case; its first line has the words with which it must end. Sources that are
//! too large to write out are built in `run`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use palabre_script::*;
use palabre_types::Limits;
use support::*;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// Runs a case. Returns what its first line demands, what happened, and the time that it took.
fn run(path: &Path) -> (String, String, Duration) {
    let text = std::fs::read_to_string(path).unwrap();
    let wanted = text.lines().next().unwrap().trim_start_matches("-- ends:").trim().to_owned();
    let name = path.file_stem().unwrap().to_str().unwrap();
    // An extra hook, to check that the next event is handled.
    let text = format!("function on_native() end {text}");
    let text = match name {
        "huge_source" => format!("{text}\nlocal t = {{ {} }}", "'x',".repeat(200_000)),
        "deep_parentheses" => format!("{text}\nlocal x = {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        _ => text,
    };
    // A case for one limit must not come near another one on a slow machine.
    let limits = if wanted.starts_with("memory limit") { Limits { cpu_ms: 60_000, ..limits() } } else { limits() };
    let started = cpu_time();
    let told = match Bench::try_new(&Source::from_text(name, &text), &limits) {
        Err(failure) => failure.to_string(),
        Ok(mut bench) => {
            let loading = cpu_time().saturating_sub(started);
            let started = cpu_time();
            let mut is_tainted = false;
            let told = match bench.says("go") {
                Step::Failed(failure) => {
                    is_tainted = failure.is_tainted;
                    failure.to_string()
                }
                Step::Done(effects) => format!("done: {}", texts(&effects).join(" ")),
                Step::Waiting(..) => "waits".to_owned(),
            };
            let took = cpu_time().saturating_sub(started).max(loading);
            // The engine replaces a VM that is known to be tainted.
            if !is_tainted {
                serves_on(&mut bench, name);
            }
            return (wanted, told, took);
        }
    };
    (wanted, told, cpu_time().saturating_sub(started))
}

/// Returns the CPU time of this thread. Limits are of CPU time, and other tests run at the same time.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

/// Checks that a kill does not end the following events too.
fn serves_on(bench: &mut Bench, name: &str) {
    for _ in 0..2 {
        bench.now += 60_000;
        if let Step::Failed(failure) =
            bench.happens(palabre_types::EventKind::Native { name: "again".into(), data: true.into() })
        {
            panic!("{name}: the next event fails: {failure}");
        }
    }
}

#[test]
fn every_hostile_script_ends_within_its_limit_with_the_limit_named() {
    let only = std::env::var("HOSTILE").ok();
    let cases = cases();
    assert!(only.is_some() || cases.len() >= 40, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for path in &cases {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let (wanted, told, took) = run(path);
        println!("{name:32} {took:>10.1?}  {}", told.lines().next().unwrap_or_default());
        if !told.contains(&wanted) {
            wrong.push(format!("{name}: wanted \"{wanted}\", got: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_hostile_script_does_not_keep_another_from_answering() {
    let hostile = std::thread::spawn(|| {
        let mut bench =
            Bench::new("function on_message() while true do pcall(function() while true do end end) end end");
        bench.failure("go")
    });
    let mut bench = Bench::new("function on_message(event) event:reply('still here') end");
    while !hostile.is_finished() {
        assert_eq!(bench.replies("x"), ["still here"]);
        bench.now += 60_000;
    }
    assert!(matches!(hostile.join().unwrap().limit, Some(Limit::Cpu(_))));
}
