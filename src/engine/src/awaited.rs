//! What runs wait for beside people and the time: answers over HTTP, and outcomes of actions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use palabre_fetch::{Grants, Held, LONGEST, Reply, Request};
use palabre_model::ActionKey;
use palabre_script::{Answer, Limits};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::http::Http;
use crate::outbox::Outbox;
use crate::sequencer::Note;

/// The outcomes of so many actions are remembered, for runs that ask about them later.
const REMEMBERED: usize = 16_384;

/// A run that waits: its script's slot, its event and its stretch.
pub(crate) type Waiter = (usize, u64, u32);

/// How the requests of one script go out: where to, and how many at the same time.
pub(crate) struct Outgoing {
    grants: Grants,
    most: usize,
    turns: Arc<Semaphore>,
}

impl Outgoing {
    /// A request has its turn until the last copy of its reply is gone, and a reply has at most a MiB: so all that are under way or
    /// not yet taken are no more than the script's memory.
    pub(crate) fn new(grants: Grants, limits: &Limits) -> Self {
        let most = limits.http_requests.min(limits.memory_mb).clamp(1, Semaphore::MAX_PERMITS);
        Self { grants, most, turns: Arc::new(Semaphore::new(most)) }
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new(Grants::default(), &Limits::default())
    }
}

/// A request of a run that waits, which goes out once the run's wait is durable.
pub(crate) struct Fetch {
    pub(crate) waiter: Waiter,
    pub(crate) request: Request,
    pub(crate) hosts: Arc<Outgoing>,
}

impl Fetch {
    /// Asks, and sends what comes back to the sequencer.
    pub(crate) fn begin(self, outbox: &Arc<Outbox>, http: &Arc<dyn Http>, notes: &crossbeam_channel::Sender<Note>) {
        let (http, notes) = (Arc::clone(http), notes.clone());
        outbox.requests.fetch_add(1, Relaxed);
        let asking = async move {
            let (slot, seq, part) = self.waiter;
            let answer = self.ask(&*http).await;
            // At shutdown nobody listens any more; the run is told that it was interrupted when the daemon is back.
            drop(notes.send(Note::Answered { slot, seq, part, answer }));
        };
        outbox.lanes_running.spawn_on(asking, &outbox.runtime);
    }

    /// Waits for its turn, then asks. The time for both is the request's own.
    async fn ask(self, http: &dyn Http) -> Answer {
        let (began, patience) = (Instant::now(), self.request.timeout.min(LONGEST));
        let turn = tokio::time::timeout(patience, Arc::clone(&self.hosts.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let most = self.hosts.most;
            return Answer::Failed(format!(
                "http: the request had no turn in time: {most} of this script are under way (limits.http_requests); ask for less at \
                 once, or give the request a longer timeout"
            ));
        };
        let request = Request { timeout: patience.saturating_sub(began.elapsed()), ..self.request };
        match http.fetch(&request, &self.hosts.grants).await {
            Ok(reply) => Answer::Reply(Box::new(Reply { held: Held::new(turn), ..reply })),
            Err(error) => Answer::Failed(format!("http: {error}")),
        }
    }
}

/// Outcomes of recent actions, and the runs that wait for outcomes.
#[derive(Default)]
pub(crate) struct Outcomes {
    known: HashMap<ActionKey, Answer>,
    order: VecDeque<ActionKey>,
    waiters: HashMap<ActionKey, Vec<Waiter>>,
    /// Actions that were merged into a later one, by that one.
    replaced: HashMap<ActionKey, Vec<ActionKey>>,
    /// The action that a run waits for, by its script's slot and its event.
    awaited: HashMap<(usize, u64), ActionKey>,
}

impl Outcomes {
    /// Has a run wait for an outcome. Returns the outcome where it is known already.
    pub(crate) fn wait(&mut self, key: &ActionKey, waiter: Waiter) -> Option<Answer> {
        if let Some(answer) = self.known.get(key) {
            return Some(answer.clone());
        }
        self.waiters.entry(key.clone()).or_default().push(waiter);
        self.awaited.insert((waiter.0, waiter.1), key.clone());
        None
    }

    /// A run waits no longer, whether or not it was told.
    pub(crate) fn wait_is_over(&mut self, slot: usize, seq: u64) {
        let Some(key) = self.awaited.remove(&(slot, seq)) else { return };
        if let Some(waiters) = self.waiters.get_mut(&key) {
            waiters.retain(|waiter| (waiter.0, waiter.1) != (slot, seq));
            if waiters.is_empty() {
                self.waiters.remove(&key);
            }
        }
    }

    /// An action was merged into another that is still to be performed: what becomes of that becomes of it.
    pub(crate) fn replaced(&mut self, key: ActionKey, by: ActionKey) {
        self.replaced.entry(by).or_default().push(key);
    }

    /// Notes what became of an action, and of those that were merged into it. Returns who waits for it.
    pub(crate) fn note(&mut self, key: ActionKey, outcome: &Answer) -> Vec<Waiter> {
        let merged = self.replaced.remove(&key).unwrap_or_default();
        let mut told = Vec::new();
        for key in merged.into_iter().chain([key]) {
            told.extend(self.waiters.remove(&key).unwrap_or_default());
            self.order.push_back(key.clone());
            self.known.insert(key, outcome.clone());
        }
        for waiter in &told {
            self.awaited.remove(&(waiter.0, waiter.1));
        }
        while self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        told
    }
}
