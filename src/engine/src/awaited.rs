//! What runs wait for beside people and the time: answers over HTTP, and messages to be out.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::outbox::Outbox;
use palabre_fetch::{Grants, Request};
use palabre_model::ActionKey;
use palabre_script::Answer;

use crate::http::Http;
use crate::sequencer::Note;

/// So many messages that are out are remembered, for runs that ask about them later.
const REMEMBERED: usize = 4_096;

/// A run that waits: its script's slot, its event and its stretch.
pub(crate) type Waiter = (usize, u64, u32);

/// A request of a run that waits, which goes out once the run's wait is durable.
pub(crate) struct Fetch {
    pub(crate) waiter: Waiter,
    pub(crate) request: Request,
    pub(crate) hosts: Arc<Grants>,
}

impl Fetch {
    /// Asks, and sends what comes back to the sequencer.
    pub(crate) fn begin(self, outbox: &Arc<Outbox>, http: &Arc<dyn Http>, notes: &crossbeam_channel::Sender<Note>) {
        let (http, notes) = (Arc::clone(http), notes.clone());
        outbox.requests.fetch_add(1, Relaxed);
        let asking = async move {
            let answer = match http.fetch(&self.request, &self.hosts).await {
                Ok(reply) => Answer::Reply(Box::new(reply)),
                Err(error) => Answer::Failed(format!("http: {error}")),
            };
            let (slot, seq, part) = self.waiter;
            // At shutdown nobody listens any more; the run is told that it was interrupted when the daemon is back.
            drop(notes.send(Note::Answered { slot, seq, part, answer }));
        };
        outbox.lanes_running.spawn_on(asking, &outbox.runtime);
    }
}

/// What became of messages not long ago.
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
