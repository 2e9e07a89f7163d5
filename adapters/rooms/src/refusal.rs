//! Refusals of events, for a client over a rate limit and for a room that accepts no command.

use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;

use crate::encode::NOT_IN_ROOM;
use crate::limits::Kind;
use crate::peer::Peer;
use crate::room::command::Command;

/// Maximum pause after a refused event.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Pauses a client that is far over a rate limit. Returns the error for the event.
///
/// The next event would be accepted after `wait`.
pub(crate) fn slow_down(peer: &Peer, kind: Kind, wait: Duration) -> String {
    peer.connection.pause(wait.min(REFUSED_PAUSE_MAX));
    let seconds = wait.as_secs_f64().ceil();
    format!("you have reached the limit \"{}\"; try again in {seconds} s", kind.name())
}

/// Reports that a room did not accept a command.
pub(crate) fn turn_away(peer: &Peer, refused: TrySendError<Command>) {
    let problem = match &refused {
        TrySendError::Full(_) => "the room is too busy; try again in a moment",
        TrySendError::Closed(_) => NOT_IN_ROOM,
    };
    match refused.into_inner().into_ack() {
        Some(ack) => peer.refuse(ack, problem.to_owned()),
        None => peer.send_error(problem),
    }
}
