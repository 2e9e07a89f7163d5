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
const REMEMBERED: usize = 4_096;

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

/// What became of actions not long ago.
#[derive(Default)]
pub(crate) struct Delivered {
    outcomes: HashMap<ActionKey, Answer>,
    order: VecDeque<ActionKey>,
}

impl Delivered {
    pub(crate) fn note(&mut self, key: ActionKey, outcome: Answer) {
        self.order.push_back(key.clone());
        self.outcomes.insert(key, outcome);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.outcomes.remove(&oldest);
        }
    }

    pub(crate) fn outcome(&self, key: &ActionKey) -> Option<Answer> {
        self.outcomes.get(key).cloned()
    }
}
