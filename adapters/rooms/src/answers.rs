//! The answers of bots to a message in a session, for somebody who waits for them.

use std::sync::Arc;
use std::time::Duration;

use palabre_platform::Shutdown;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::history::MessageRow;
use crate::permits::Permit;
use crate::room::command::Command;
use crate::room::state::watchers::{UPDATES_MAX, Update};
use crate::service::Rooms;

/// The answers to one message, as they arrive.
pub(crate) struct Answers {
    updates: mpsc::Receiver<Update>,
    /// The id of the message.
    message: String,
    until: Instant,
    shutdown: Shutdown,
    /// Only one message of a session is answered at a time.
    _permit: Permit<String>,
}

/// The next step of the answers.
pub(crate) enum Step {
    /// A bot has posted or edited this message.
    Said(Arc<MessageRow>),
    /// The message with this id was deleted.
    Deleted(String),
    /// Nothing more is waited for.
    End(Ending),
}

/// The reason why nothing more is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All scripts have finished with the message.
    Complete,
    /// The time limit is reached.
    TimedOut,
    /// The session was deleted, the server stops, or the answers came faster than they were read.
    Interrupted,
}

impl Answers {
    /// Returns the next step.
    pub(crate) async fn next(&mut self) -> Step {
        loop {
            let update = tokio::select! {
                biased;
                update = self.updates.recv() => update,
                () = tokio::time::sleep_until(self.until) => return Step::End(Ending::TimedOut),
                () = self.shutdown.requested() => return Step::End(Ending::Interrupted),
            };
            match update {
                Some(Update::Said(row)) => return Step::Said(row),
                Some(Update::Deleted(id)) => return Step::Deleted(id),
                Some(Update::Finished(id)) if id == self.message => return Step::End(Ending::Complete),
                Some(Update::Finished(_) | Update::Typing) => {}
                None => return Step::End(Ending::Interrupted),
            }
        }
    }
}

impl Rooms {
    /// Returns what the bots say in a room from now on.
    pub(crate) async fn watch(&self, room: &str) -> Result<mpsc::Receiver<Update>, String> {
        let open = self.open_room(room)?;
        let (watcher, updates) = mpsc::channel(UPDATES_MAX);
        let busy = |_closed| "the room is busy; try again in a moment".to_owned();
        open.send(Command::Watch(watcher)).await.map_err(busy)?;
        Ok(updates)
    }

    /// Returns the answers to a durable message, of a room that was watched since before.
    pub(crate) fn answers_to(&self, message: &str, updates: mpsc::Receiver<Update>, permit: Permit<String>) -> Answers {
        Answers {
            updates,
            message: message.to_owned(),
            until: Instant::now() + Duration::from_secs(self.config.answer_seconds),
            shutdown: self.shutdown(),
            _permit: permit,
        }
    }

    /// Returns the shutdown signal; before the service runs, one that has been given.
    pub(crate) fn shutdown(&self) -> Shutdown {
        let context = self.context.borrow();
        context.as_ref().map_or_else(|| Shutdown::channel().1, |context| context.shutdown.clone())
    }
}
