//! Telling those who are in the room.

use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::socket::Sid;

use super::State;
use crate::encode::{Ack, Told};
use crate::roster::same;

impl State {
    /// Tells everybody.
    pub(super) fn tell<T: Serialize>(&mut self, event: &str, data: &T, except: Option<Sid>) {
        let full = self.roster.tell(event, data, |seat| Some(seat.socket.id) != except);
        self.show_out(full);
    }

    /// Tells one person, on all their connections.
    pub(super) fn tell_one<T: Serialize>(&mut self, username: &str, event: &str, data: &T) {
        let full = self.roster.tell(event, data, |seat| same(&seat.username, username));
        self.show_out(full);
    }

    /// Says what is wrong, to the caller alone: as an `error` event, and in the acknowledgement where one is asked for.
    pub(super) fn refuse(&mut self, sid: Sid, ack: AckSender, problem: String) {
        if let Some(seat) = self.roster.seat(sid) {
            // A client that does not listen learns nothing.
            drop(seat.socket.emit("error", &Told { message: &problem }));
        }
        drop(ack.send(&Ack::Error { error: problem }));
    }

    /// A client whose queue is full is shown out, with the reason, and catches up when it comes back.
    fn show_out(&mut self, full: Vec<SocketRef>) {
        for socket in full {
            self.around.counts.slow_clients.fetch_add(1, Relaxed);
            tracing::warn!(room = %self.room.name, "a client is too slow for the room and is disconnected");
            self.run_errand(close(socket));
        }
    }

    /// Does something that must not hold the room up.
    pub(super) fn run_errand(&mut self, errand: impl Future<Output = ()> + Send + 'static) {
        while self.errands.try_join_next().is_some() {}
        self.errands.spawn(errand);
    }
}

/// Tells a slow client why, as soon as its queue has room for it, and closes. One that takes nothing at all is closed
/// by the missing heartbeat.
async fn close(socket: SocketRef) {
    let mut told = false;
    for _ in 0..300 {
        told = told
            || socket
                .emit("error", &Told { message: "your connection is too slow for this room; come back to catch up" })
                .is_ok();
        if told && socket.clone().disconnect().is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
