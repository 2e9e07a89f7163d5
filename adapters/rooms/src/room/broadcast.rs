//! Sending events to the clients in the room.

use std::sync::atomic::Ordering::Relaxed;

use palabre_types::ActionError;
use serde::Serialize;
use socketioxide::socket::Sid;

use super::answer::failed;
use super::command::Refusal;
use super::state::State;
use super::state::commit::Requester;
use crate::encode::{Ack, ErrorMessage};
use crate::peer::{AckSender, Peer};

const NO_SUCH_MESSAGE: &str = "there is no such message in this room";

impl State {
    /// Sends an event to everybody in the room, except one session.
    pub(super) fn broadcast<T: Serialize>(&mut self, event: &str, data: &T, except: Option<Sid>) {
        let full = self.presence.broadcast(event, data, |session| session.is_in && Some(session.socket.id) != except);
        self.disconnect(full);
    }

    /// Sends an event to all sessions of one person.
    pub(super) fn send_to<T: Serialize>(&mut self, username: &str, event: &str, data: &T) {
        let name = username.to_lowercase();
        let full = self.presence.broadcast(event, data, |session| session.name == name);
        self.disconnect(full);
    }

    /// Reports an error to the caller only.
    ///
    /// It is sent in the acknowledgement if one was requested, otherwise as an `error` event.
    pub(super) fn refuse(&mut self, sid: Sid, ack: AckSender, problem: String) {
        if !ack.is_wanted()
            && let Some(session) = self.presence.session(sid)
        {
            // The client may be gone.
            drop(session.socket.emit("error", &ErrorMessage { message: &problem }));
        }
        drop(ack.send(&Ack::Error { error: problem }));
    }

    /// Refuses a request, whichever way it came.
    pub(super) fn refuse_request(&mut self, requester: Requester, problem: String) {
        match requester {
            Requester::Client { sid, ack } => self.refuse(sid, ack, problem),
            Requester::Bot(answer) => failed(answer, ActionError::Rejected(problem)),
            Requester::Http(answer) => {
                // The client may be gone.
                let _asked = answer.send(Err(Refusal::Refused(problem)));
            }
            other => other.reply(Err(problem)),
        }
    }

    /// Refuses a request about a message that is not in the room.
    pub(super) fn refuse_unknown(&mut self, requester: Requester, id: &str) {
        match requester {
            Requester::Bot(answer) => failed(answer, ActionError::NotFound(format!("message {id}"))),
            Requester::Http(answer) => {
                // The client may be gone.
                let _asked = answer.send(Err(Refusal::NotFound(NO_SUCH_MESSAGE.to_owned())));
            }
            other => self.refuse_request(other, NO_SUCH_MESSAGE.to_owned()),
        }
    }

    /// Disconnects clients whose queue is full, with the reason. They catch up when they reconnect.
    fn disconnect(&mut self, full: Vec<Peer>) {
        for peer in full {
            self.cx.counts.slow_clients.fetch_add(1, Relaxed);
            tracing::warn!(room = %self.room.name, "disconnected a client that is too slow for the room");
            peer.end("your connection is too slow for this room; reconnect to catch up");
            self.too_slow.push(peer.id);
        }
    }

    /// Runs a task for which the room must not wait.
    pub(super) fn spawn_background(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.background_tasks.try_join_next().is_some() {}
        self.background_tasks.spawn(task);
    }
}
