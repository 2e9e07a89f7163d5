//! Pending waits of runs: for HTTP responses and for outcomes of actions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crossbeam_channel::Sender;
use palabre_fetch::{Grants, REQUEST_TIMEOUT_MAX};
use palabre_platform::TrackedTasks;
use palabre_types::{ActionKey, Answer, Limits, Reply, ReplyGuard, Request};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::http::Http;
use crate::message::{CoreMessage, Waiter};

/// Maximum number of action outcomes that are kept for runs which ask about them later.
const OUTCOMES_MAX: usize = 16_384;

/// HTTP grants of one script, and its limit of requests in flight.
pub(crate) struct Outgoing {
    grants: Grants,
    max: usize,
    permits: Arc<Semaphore>,
}

impl Outgoing {
    /// Limits the requests in flight so that their replies fit into the script's memory.
    ///
    /// A request holds its permit until the last copy of its reply is dropped, and a reply has at
    /// most 1 MiB. So the replies that are in flight or not yet used up never exceed the script's
    /// memory.
    pub(crate) fn new(grants: Grants, limits: &Limits) -> Self {
        let max = limits.http_requests.min(limits.memory_mb).clamp(1, Semaphore::MAX_PERMITS);
        Self { grants, max, permits: Arc::new(Semaphore::new(max)) }
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new(Grants::default(), &Limits::default())
    }
}

/// An HTTP request of a waiting run, sent once the wait is durable.
pub(crate) struct Fetch {
    pub(crate) waiter: Waiter,
    pub(crate) request: Request,
    pub(crate) hosts: Arc<Outgoing>,
}

/// Sends the HTTP requests of all scripts.
pub(crate) struct Requests {
    http: Arc<dyn Http>,
    background: TrackedTasks,
    /// The channel to the sequencer.
    core: Sender<CoreMessage>,
    /// Number of requests without an answer.
    in_flight: AtomicUsize,
}

impl Requests {
    pub(crate) fn new(http: Arc<dyn Http>, background: TrackedTasks, core: Sender<CoreMessage>) -> Self {
        Self { http, background, core, in_flight: AtomicUsize::new(0) }
    }

    /// Sends a request and passes the answer to the sequencer.
    pub(crate) fn begin(&self, fetch: Fetch) {
        let (http, core) = (Arc::clone(&self.http), self.core.clone());
        self.in_flight.fetch_add(1, Relaxed);
        self.background.spawn(async move {
            let (script_id, run) = fetch.waiter.clone();
            let answer = fetch.ask(&*http).await;
            // At shutdown the receiver is gone; the next start ends the run as interrupted.
            drop(core.send(CoreMessage::Answered { script_id, run, answer }));
        });
    }

    /// Records that the sequencer has an answer.
    pub(crate) fn answered(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Returns the number of requests whose answer the sequencer does not have.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }
}

impl Fetch {
    /// Waits for a permit, then sends the request. The request's timeout covers both.
    async fn ask(self, http: &dyn Http) -> Answer {
        let (began, timeout) = (Instant::now(), self.request.timeout.min(REQUEST_TIMEOUT_MAX));
        let permit = tokio::time::timeout(timeout, Arc::clone(&self.hosts.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            let max = self.hosts.max;
            return Answer::Failed(format!(
                "http: the request timed out before it was sent: {max} requests of this script are in flight \
                 (limits.http_requests); send fewer at once, or give the request a longer timeout"
            ));
        };
        let request = Request { timeout: timeout.saturating_sub(began.elapsed()), ..self.request };
        match http.fetch(&request, &self.hosts.grants).await {
            Ok(reply) => Answer::Reply(Box::new(Reply { guard: ReplyGuard::new(permit), ..reply })),
            Err(error) => Answer::Failed(format!("http: {error}")),
        }
    }
}

/// Outcomes of recent actions, and the runs that wait for outcomes.
#[derive(Default)]
pub(crate) struct Outcomes {
    recent: HashMap<ActionKey, Answer>,
    order: VecDeque<ActionKey>,
    waiters: HashMap<ActionKey, Vec<Waiter>>,
    /// Actions that were merged into a later one, by the key of the later one.
    replaced: HashMap<ActionKey, Vec<ActionKey>>,
    /// The action that a run waits for, by script id and event.
    pending: HashMap<(usize, u64), ActionKey>,
}

impl Outcomes {
    /// Registers a run that waits for an outcome. Returns the outcome if it is already known.
    pub(crate) fn wait(&mut self, key: &ActionKey, waiter: Waiter) -> Option<Answer> {
        if let Some(answer) = self.recent.get(key) {
            return Some(answer.clone());
        }
        self.pending.insert((waiter.0, waiter.1.seq), key.clone());
        self.waiters.entry(key.clone()).or_default().push(waiter);
        None
    }

    /// Ends the wait of a run, answered or not.
    pub(crate) fn wait_is_over(&mut self, script_id: usize, seq: u64) {
        let Some(key) = self.pending.remove(&(script_id, seq)) else { return };
        if let Some(waiters) = self.waiters.get_mut(&key) {
            waiters.retain(|waiter| (waiter.0, waiter.1.seq) != (script_id, seq));
            if waiters.is_empty() {
                self.waiters.remove(&key);
            }
        }
    }

    /// Records that an action was merged into another, whose outcome then counts for both.
    pub(crate) fn replaced(&mut self, key: ActionKey, by: ActionKey) {
        self.replaced.entry(by).or_default().push(key);
    }

    /// Records the outcome of an action. Returns the runs that wait for it.
    ///
    /// The outcome also counts for the actions that were merged into it.
    pub(crate) fn record(&mut self, key: ActionKey, outcome: &Answer) -> Vec<Waiter> {
        let merged = self.replaced.remove(&key).unwrap_or_default();
        let mut notified = Vec::new();
        for key in merged.into_iter().chain([key]) {
            notified.extend(self.waiters.remove(&key).unwrap_or_default());
            self.order.push_back(key.clone());
            self.recent.insert(key, outcome.clone());
        }
        for waiter in &notified {
            self.pending.remove(&(waiter.0, waiter.1.seq));
        }
        while self.order.len() > OUTCOMES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
        notified
    }
}
