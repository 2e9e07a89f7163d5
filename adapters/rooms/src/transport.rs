//! Events of clients over Socket.IO: parsed, rate limited, and forwarded to their rooms.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::socket::Sid;

use crate::connection::Connection;
use crate::decode::{Choose, Delete, Edit, Fill, History, Press, React, Send, Typing, Upload, Users, read};
use crate::encode::{Ack, Connected, NOT_IN_ROOM};
use crate::guests::Guest;
use crate::http::session_cookie::cookie;
use crate::http::site::check_site;
use crate::limiter::Verdict;
use crate::limits::Kind;
use crate::peer::{AckSender, Peer, WeakPeer};
use crate::place::{Place, SharedPlace, buckets, lock};
use crate::refusal::{slow_down, turn_away};
use crate::room::command::{Command, Origin};
use crate::service::Rooms;
use crate::session::Session;

/// Maximum length of an unknown event's name in the error, in characters.
const EVENT_NAME_MAX: usize = 64;
/// Maximum pause after an event over its limit; the client's heartbeats must still be read.
const LATE_PAUSE_MAX: Duration = Duration::from_secs(5);

/// The name of the account that is signed in on a socket.
#[derive(Clone)]
struct AccountName(String);

/// Ends a connection when its socket is dropped.
///
/// This includes a socket that was never reported as connected, which is not reported as
/// disconnected either.
struct ConnectionGuard(Arc<Connection>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Rooms {
    /// Registers the handlers of client events.
    pub(crate) fn listen(self: &Arc<Self>, io: &SocketIo) {
        let registering = Arc::clone(self);
        let connected = |socket: SocketRef| async move { greet(socket) };
        // Handlers are registered in the middleware: events may arrive before the connect handler
        // runs.
        let register = move |socket: SocketRef, weak: WeakPeer, TryData(auth): TryData<Value>| {
            let rooms = Arc::clone(&registering);
            async move {
                let is_local = Peer::of(socket.clone()).is_some_and(|peer| peer.connection.is_local);
                let headers = &socket.req_parts().headers;
                // A page of another site has the cookie too.
                let cookie = check_site(&Method::POST, headers, &[]).ok().and_then(|()| cookie(headers));
                let session = rooms.identify(auth.ok().as_ref(), cookie, is_local).await?;
                rooms.register(&socket, weak, session)
            }
        };
        io.ns("/", connected.with(register));
    }

    fn register(self: &Arc<Self>, socket: &SocketRef, weak: WeakPeer, session: Session) -> Result<(), String> {
        let Some(peer) = Peer::of(socket.clone()) else {
            return Err("this session was not opened by this server; reconnect".to_owned());
        };
        if let Some(credential) = session.credential() {
            self.open_sockets.add(credential, &peer.connection, Some(weak));
            // A revocation since the look-up has found no connection to end.
            self.record_socket_use(credential.key());
            socket.extensions.insert(AccountName(credential.account.row.username.clone()));
        }
        // Not the peer itself, which would keep the socket alive.
        socket.extensions.insert(Arc::new(ConnectionGuard(peer.connection)));
        socket.extensions.insert(session.guest.clone());
        let session = Arc::new(session);
        let place = SharedPlace::new(Mutex::new(Place::of(&session)));
        let (rooms, here, who) = (Arc::clone(self), Arc::clone(&place), Arc::clone(&session));
        let joins = move |peer: Peer, data, ack| rooms.join(&here, &who, peer, data, ack);
        self.on(socket, &place, ("join_room", Kind::Join), joins);
        let (rooms, here) = (Arc::clone(self), Arc::clone(&place));
        self.on(socket, &place, ("leave_room", Kind::Join), move |peer: Peer, _, ack: AckSender| {
            rooms.leave(&mut lock(&here), peer.id);
            answer(ack, &Ack::Done {});
        });
        self.register_writing(socket, &place);
        self.register_others(socket, &place);
        let rooms = Arc::clone(self);
        socket.on_disconnect(move |socket: SocketRef| {
            let (rooms, place, session) = (Arc::clone(&rooms), Arc::clone(&place), Arc::clone(&session));
            async move {
                {
                    let mut place = lock(&place);
                    place.is_closed = true;
                    rooms.leave(&mut place, socket.id);
                }
                rooms.record_end(&session);
                if let Some(peer) = Peer::of(socket) {
                    if let Some(credential) = session.credential() {
                        rooms.open_sockets.remove(credential.hash(), &peer.connection);
                    }
                    peer.connection.end();
                }
            }
        });
        Ok(())
    }

    fn register_writing(self: &Arc<Self>, socket: &SocketRef, place: &SharedPlace) {
        self.forward(socket, place, ("send_message", Kind::Message), Send::checked, |sid, send, ack| Command::Post {
            origin: Origin::Client { sid, ack },
            send,
        });
        self.forward(socket, place, ("edit_message", Kind::Change), Edit::checked, |sid, edit, ack| Command::Edit {
            origin: Origin::Client { sid, ack },
            edit,
        });
        self.forward(socket, place, ("delete_message", Kind::Change), Ok, |sid, delete: Delete, ack| Command::Delete {
            origin: Origin::Client { sid, ack },
            delete,
        });
        self.forward(socket, place, ("react", Kind::Change), React::checked, |sid, react, ack| Command::React {
            origin: Origin::Client { sid, ack },
            react,
        });
        self.forward(socket, place, ("upload", Kind::Upload), Ok, |sid, upload: Upload, ack| Command::Upload {
            sid,
            upload,
            ack,
        });
    }

    fn register_others(self: &Arc<Self>, socket: &SocketRef, place: &SharedPlace) {
        self.forward(socket, place, ("button", Kind::Interaction), Ok, |sid, press: Press, ack| Command::Press {
            sid,
            press,
            ack,
        });
        self.forward(socket, place, ("select", Kind::Interaction), Ok, |sid, choose: Choose, ack| Command::Choose {
            sid,
            choose,
            ack,
        });
        self.forward(socket, place, ("form", Kind::Interaction), Ok, |sid, fill: Fill, ack| Command::Fill {
            sid,
            fill,
            ack,
        });
        self.forward(socket, place, ("typing", Kind::Typing), Ok, |sid, typing: Typing, ack| {
            answer(ack, &Ack::Done {});
            Command::Typing { sid, is_typing: typing.is_typing }
        });
        self.forward(socket, place, ("room_users", Kind::List), Users::checked, |sid, users, ack| Command::Users {
            sid,
            users,
            ack,
        });
        self.forward(socket, place, ("history", Kind::History), History::checked, |sid, history, ack| {
            Command::History { sid, history, ack }
        });
        let (rooms, place) = (Arc::clone(self), Arc::clone(place));
        socket.on_fallback(move |socket: SocketRef, event: socketioxide::extract::Event, ack: AckSender| {
            if let Some(peer) = Peer::of(socket)
                && let Some(ack) = rooms.admit(&peer, &place, Kind::Other, ack)
            {
                let name: String = event.0.chars().take(EVENT_NAME_MAX).collect();
                peer.refuse(ack, format!("unknown event \"{name}\""));
            }
            std::future::ready(())
        });
    }

    /// Applies the rate limits to an event.
    ///
    /// An event over its limit is accepted and the next one is read later. One far over the limit
    /// is refused, and a client that keeps sending is disconnected.
    fn admit(self: &Arc<Self>, peer: &Peer, place: &SharedPlace, kind: Kind, ack: AckSender) -> Option<AckSender> {
        let who = {
            let place = lock(place);
            if let Some(session) = place.session() {
                self.record_account_use(session);
            }
            buckets(peer, place.guest())
        };
        let wait = match self.limiter.take(kind, &who) {
            Verdict::Pass => {
                peer.connection.forgive();
                return Some(ack);
            }
            Verdict::Late(wait) => {
                peer.connection.pause(wait.min(LATE_PAUSE_MAX));
                return Some(ack);
            }
            Verdict::Refused(wait) => wait,
        };
        let problem = slow_down(peer, kind, wait);
        if peer.connection.strike() {
            tracing::warn!(limit = kind.name(), "disconnected a client that kept exceeding a rate limit");
            peer.end(&format!("you were disconnected: {problem}"));
        } else if ack.is_wanted() || kind != Kind::Typing {
            peer.refuse(ack, problem);
        }
        None
    }

    /// Registers a handler that is synchronous, so that packets are handled in the client's order.
    ///
    /// Async handlers run as tasks of their own, in any order.
    fn on<F>(self: &Arc<Self>, socket: &SocketRef, place: &SharedPlace, (event, kind): (&'static str, Kind), handler: F)
    where
        F: Fn(Peer, Result<Value, String>, AckSender) + std::marker::Send + Sync + Clone + 'static,
    {
        let (rooms, place) = (Arc::clone(self), Arc::clone(place));
        socket.on(event, move |socket: SocketRef, TryData(data): TryData<Value>, ack: AckSender| {
            if let Some(peer) = Peer::of(socket)
                && let Some(ack) = rooms.admit(&peer, &place, kind, ack)
            {
                // Unreadable data counts as empty; the error then names the missing field.
                handler(peer, Ok(data.unwrap_or_default()), ack);
            }
            std::future::ready(())
        });
    }

    /// Parses the data and forwards the command to the room of the connection.
    fn forward<T: DeserializeOwned + 'static>(
        self: &Arc<Self>,
        socket: &SocketRef,
        place: &SharedPlace,
        (event, kind): (&'static str, Kind),
        check: fn(T) -> Result<T, String>,
        command: fn(Sid, T, AckSender) -> Command,
    ) {
        let here = Arc::clone(place);
        self.on(socket, place, (event, kind), move |peer, data, ack| {
            let data = match data.and_then(|data| read::<T>(event, data)).and_then(check) {
                Ok(data) => data,
                Err(problem) => return peer.refuse(ack, problem),
            };
            let room = lock(&here).room.clone();
            let Some(room) = room else {
                return peer.refuse(ack, NOT_IN_ROOM.to_owned());
            };
            if let Err(refused) = room.try_send(command(peer.id, data, ack)) {
                turn_away(&peer, refused);
            }
        });
    }
}

fn answer(ack: AckSender, with: &Ack) {
    drop(ack.send(with));
}

/// Sends the welcome event, with the token that identifies the guest on the next connection.
fn greet(socket: SocketRef) {
    let message = "Welcome. Send join_room with your username and a room.";
    let Some(guest) = socket.extensions.get::<Guest>() else { return };
    let account = socket.extensions.get::<AccountName>();
    let username = account.as_ref().map(|account| account.0.as_str());
    // The client may be gone.
    drop(Peer::of(socket).map(|peer| peer.emit("connected", &Connected { message, username, token: &guest.token })));
}
