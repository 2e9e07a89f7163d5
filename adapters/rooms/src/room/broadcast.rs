//! Telling those who are in the room.

use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;
use socketioxide::socket::Sid;

use super::State;
use crate::encode::{Ack, ErrorMessage};
use crate::peer::{AckSender, Peer};

impl State {
    /// Tells everybody.
    pub(super) fn broadcast<T: Serialize>(&mut self, event: &str, data: &T, except: Option<Sid>) {
        let full = self.presence.broadcast(event, data, |session| session.is_in && Some(session.socket.id) != except);
        self.disconnect(full);
    }

    /// Tells one person, on all their connections.
    pub(super) fn send_to<T: Serialize>(&mut self, username: &str, event: &str, data: &T) {
        let name = username.to_lowercase();
        let full = self.presence.broadcast(event, data, |session| session.name == name);
        self.disconnect(full);
    }

    /// Says what is wrong, to the caller alone: in the acknowledgement where one is asked for, else as an `error` event.
    pub(super) fn refuse(&mut self, sid: Sid, ack: AckSender, problem: String) {
        if !ack.is_wanted()
            && let Some(session) = self.presence.session(sid)
        {
            // A client that does not listen learns nothing.
            drop(session.socket.emit("error", &ErrorMessage { message: &problem }));
        }
        drop(ack.send(&Ack::Error { error: problem }));
    }

    /// A client for which too much is queued is disconnected, with the reason, and catches up when it comes back.
    fn disconnect(&mut self, full: Vec<Peer>) {
        for peer in full {
            self.cx.counts.slow_clients.fetch_add(1, Relaxed);
            tracing::warn!(room = %self.room.name, "a client is too slow for the room and is disconnected");
            peer.end("your connection is too slow for this room; come back to catch up");
            self.too_slow.push(peer.id);
        }
    }

    /// Clients that were disconnected leave the room at once: a connection that takes nothing may stay a while.
    pub(super) fn remove_slow_clients(&mut self) {
        // Telling the others may find further ones.
        while let Some(sid) = self.too_slow.pop() {
            self.leave(sid);
        }
    }

    /// Does something that must not hold the room up.
    pub(super) fn spawn_background(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.background_tasks.try_join_next().is_some() {}
        self.background_tasks.spawn(task);
    }
}
