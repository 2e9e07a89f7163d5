//! Searches messages for the patterns and words of one script, on the sequencer's thread.
//!
//! Everything else waits meanwhile, so each script has a time limit for a message and for a minute.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use palabre_script::{Limit, Listening};
use palabre_text::{Hit, Prepared, Scanner};
use palabre_types::ScriptName;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::metrics::Metrics;

/// Search time of one script per minute, a thirtieth; beyond it nothing is found until the next.
const SEARCH_TIME_PER_MINUTE: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);

/// The patterns and words of one script.
pub(crate) struct Listener {
    scanner: Arc<Scanner<String>>,
    /// Time limit for one message.
    time: Duration,
    /// Start of the current minute.
    minute: Instant,
    /// Search time used in the current minute.
    spent: Duration,
    /// Whether a problem was logged in the current minute.
    is_reported: bool,
}

impl Listener {
    pub(crate) fn new(listening: &Listening) -> Self {
        let scanner = Arc::clone(&listening.scanner);
        Self { scanner, time: listening.time, minute: Instant::now(), spent: Duration::ZERO, is_reported: false }
    }

    /// Returns the keys of patterns and word lists that match the message, with what was found.
    pub(crate) fn hear(&mut self, script: &ScriptName, text: &Prepared<'_>, metrics: &Metrics) -> Vec<(String, Value)> {
        if self.minute.elapsed() >= MINUTE {
            (self.minute, self.spent, self.is_reported) = (Instant::now(), Duration::ZERO, false);
        }
        let left = self.time.min(SEARCH_TIME_PER_MINUTE.saturating_sub(self.spent));
        if left.is_zero() {
            self.report(script, metrics);
            return Vec::new();
        }
        // Work that all scripts share, or that is done once, does not count against this script's
        // time.
        if let Err(error) = self.scanner.prepare()
            && !std::mem::replace(&mut self.is_reported, true)
        {
            tracing::error!(script = %script, "cannot prepare its word lists: {error}");
        }
        self.scanner.read(text);
        let began = cpu_time();
        let scan = self.scanner.scan_while(text, &|| cpu_time().saturating_sub(began) < left);
        self.spent += cpu_time().saturating_sub(began);
        let is_whole = scan.is_whole;
        let heard = scan.hits.into_iter().map(heard).collect();
        if !is_whole {
            self.report(script, metrics);
        }
        heard
    }

    /// Counts a message that was not searched to its end, and logs it once a minute.
    fn report(&mut self, script: &ScriptName, metrics: &Metrics) {
        metrics.count(script, "limit_hear_ms");
        if !std::mem::replace(&mut self.is_reported, true) {
            tracing::warn!(
                script = %script,
                "{}; matches are missed then, and when messages take more than {SEARCH_TIME_PER_MINUTE:?} of a minute",
                Limit::Hear(self.time)
            );
        }
    }
}

/// Returns the CPU time of this thread, which excludes the time that other threads take.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn heard(hit: Hit<&String>) -> (String, Value) {
    match hit {
        Hit::Pattern { key, captures, names } => (key.clone(), of_captures(&captures, &names)),
        Hit::Words { key, found } => {
            let found =
                found.iter().map(|found| json!({ "word": found.word, "start": found.start + 1, "stop": found.end }));
            (key.clone(), found.collect())
        }
    }
}

/// Returns the whole match, the groups in order, and the named groups.
fn of_captures(captures: &[Option<String>], names: &[(String, usize)]) -> Value {
    let named = |(name, index): &(String, usize)| Some((name.clone(), captures.get(*index)?.clone()?.into()));
    let named: serde_json::Map<_, _> = names.iter().filter_map(named).collect();
    let groups = captures.get(1..).unwrap_or_default();
    json!({ "all": captures.first(), "groups": groups, "named": named })
}

/// A thread that builds the matchers of long word lists, so that neither start nor messages wait.
#[derive(Default)]
pub(crate) struct Preparer {
    sender: Option<Sender<Arc<Scanner<String>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    /// Starts to prepare a scanner. A message that comes earlier waits for it.
    pub(crate) fn prepare(&mut self, script: &ScriptName, scanner: &Arc<Scanner<String>>) {
        if !scanner.has_words() {
            return;
        }
        if self.sender.is_none() {
            let (sender, receiver) = crossbeam_channel::unbounded::<Arc<Scanner<String>>>();
            let prepare = move || {
                for scanner in receiver {
                    // An error is reported with the first message that needs the scanner.
                    drop(scanner.prepare());
                }
            };
            match std::thread::Builder::new().name("word-lists".to_owned()).spawn(prepare) {
                Ok(thread) => (self.sender, self.thread) = (Some(sender), Some(thread)),
                Err(error) => tracing::warn!(script = %script, "its first message waits, no word-list thread: {error}"),
            }
        }
        if let Some(sender) = &self.sender {
            // The thread ends only when this sender is dropped.
            drop(sender.send(Arc::clone(scanner)));
        }
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
