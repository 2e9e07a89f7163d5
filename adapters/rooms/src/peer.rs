//! A client that events can be sent to. Everything sent is counted, so that its queue is bounded.

use std::convert::Infallible;
use std::sync::{Arc, Weak};

use serde::Serialize;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::SocketRef;
use socketioxide::handler::{FromConnectParts, FromMessageParts, Value};
use socketioxide::socket::{Sid, Socket};
use socketioxide::{SendError, SocketError};

use crate::connection::Connection;
use crate::encode::{Ack, ErrorMessage};
use crate::json_size::json_size;

/// A client and its connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) id: Sid,
    pub(crate) connection: Arc<Connection>,
    socket: SocketRef,
}

/// A client that may be gone. It does not keep the socket alive.
pub(crate) struct WeakPeer(Weak<Socket<LocalAdapter>>);

/// Acknowledges one event, if the client asked for that.
///
/// If the queue has no space for the acknowledgement, the connection is ended, so that the client
/// does not wait for it.
pub(crate) struct AckSender {
    ack: socketioxide::extract::AckSender,
    peer: Option<Peer>,
    is_wanted: bool,
}

impl Peer {
    /// Returns the client of a socket; `None` if the session was not opened through the gateway.
    pub(crate) fn of(socket: SocketRef) -> Option<Self> {
        let connection = socket.req_parts().extensions.get::<Arc<Connection>>().cloned()?;
        Some(Self { id: socket.id, connection, socket })
    }

    /// Sends an event.
    ///
    /// # Errors
    /// The client is gone, or its queue is full.
    pub(crate) fn emit<T: Serialize>(&self, event: &str, data: &T) -> Result<(), SendError> {
        self.emit_sized(event, data, json_size(data))
    }

    /// Sends an event whose size is known, since it goes to several clients.
    ///
    /// # Errors
    /// The client is gone, or its queue is full.
    pub(crate) fn emit_sized<T: Serialize>(&self, event: &str, data: &T, size: usize) -> Result<(), SendError> {
        if !self.connection.reserve(size, false) {
            return Err(SendError::Socket(SocketError::InternalChannelFull));
        }
        self.hand_over(event, data)
    }

    /// Reports an error to the caller only.
    ///
    /// It is sent in the acknowledgement if one was requested, otherwise as an `error` event.
    pub(crate) fn refuse(&self, ack: AckSender, problem: String) {
        if ack.is_wanted() {
            drop(ack.send(&Ack::Error { error: problem }));
        } else {
            self.send_error(&problem);
        }
    }

    /// Sends an `error` event.
    pub(crate) fn send_error(&self, problem: &str) {
        // The client may be gone.
        drop(self.emit("error", &ErrorMessage { message: problem }));
    }

    /// Sends the reason as an `error` event and ends the connection.
    ///
    /// It is closed in a way that lets clients reconnect by themselves.
    pub(crate) fn end(&self, reason: &str) {
        let error = ErrorMessage { message: reason };
        self.connection.reserve(json_size(&error), true);
        // The client may be gone.
        drop(self.hand_over("error", &error));
        self.connection.finish();
    }

    fn hand_over<T: Serialize>(&self, event: &str, data: &T) -> Result<(), SendError> {
        let sent = self.socket.emit(event, data);
        if sent.is_err() {
            self.connection.give_back();
        }
        sent
    }
}

impl WeakPeer {
    pub(crate) fn upgrade(&self) -> Option<Peer> {
        Peer::of(SocketRef::from(self.0.upgrade()?))
    }
}

impl FromConnectParts<LocalAdapter> for WeakPeer {
    type Error = Infallible;

    fn from_connect_parts(socket: &Arc<Socket<LocalAdapter>>, _: &Option<Value>) -> Result<Self, Infallible> {
        Ok(Self(Arc::downgrade(socket)))
    }
}

impl AckSender {
    /// Whether the client asked for an acknowledgement.
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Sends the acknowledgement.
    ///
    /// # Errors
    /// The client is gone, or is disconnected because its queue is full.
    pub(crate) fn send<T: Serialize>(self, data: &T) -> Result<(), SendError> {
        let Some(peer) = self.peer.filter(|_| self.is_wanted) else { return Ok(()) };
        let sent = if peer.connection.reserve(json_size(data), false) {
            self.ack.send(data).inspect_err(|_| peer.connection.give_back())
        } else {
            Err(SendError::Socket(SocketError::InternalChannelFull))
        };
        if let Err(SendError::Socket(SocketError::InternalChannelFull)) = sent {
            peer.end("too many responses are queued for you; reconnect, and send fewer requests at once");
        }
        sent
    }
}

impl FromMessageParts<LocalAdapter> for AckSender {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<LocalAdapter>>,
        value: &mut Value,
        number: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let ack = socketioxide::extract::AckSender::from_message_parts(socket, value, number)?;
        Ok(Self { ack, peer: Peer::of(SocketRef::from(Arc::clone(socket))), is_wanted: number.is_some() })
    }
}
