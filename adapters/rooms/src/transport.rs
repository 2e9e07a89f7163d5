//! The Socket.IO connections (Engine.IO 4, websocket and long polling).

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::ConnectInfo;
use palabre_model::{Batch, Event, EventKind, User, UserId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::layer::SocketIoLayer;
use socketioxide::socket::Sid;
use tokio::sync::mpsc;

use crate::decode::{Choose, Delete, Edit, Fill, Join, Press, React, Send, Typing, Upload, read};
use crate::encode::{Ack, Told};
use crate::room::Command;
use crate::service::Rooms;

/// The largest packet that a client may send, in bytes.
const PACKET: usize = 64 << 10;

/// Where a connection is at present.
#[derive(Default)]
struct Place {
    room: Option<mpsc::Sender<Command>>,
    person: Option<Person>,
}

/// Who somebody has said to be.
#[derive(Clone)]
struct Person {
    username: String,
    locale: Option<String>,
}

type SharedPlace = Arc<Mutex<Place>>;

impl Rooms {
    /// The layer that answers `/socket.io/`.
    pub(crate) fn socket_layer(self: &Arc<Self>) -> SocketIoLayer {
        let (layer, io) = SocketIo::builder()
            .max_buffer_size(self.config.client_queue)
            .max_payload(PACKET as u64)
            .ws_max_message_size(PACKET)
            .ws_max_frame_size(PACKET)
            .build_layer();
        let (rooms, registering) = (Arc::clone(self), Arc::clone(self));
        let connected = move |socket: SocketRef| {
            let rooms = Arc::clone(&rooms);
            async move { rooms.connected(&socket) }
        };
        // Handlers are set in the middleware: by the time the connect handler runs, the first events may be there.
        let register = move |socket: SocketRef| {
            let rooms = Arc::clone(&registering);
            async move { rooms.register(&socket) }
        };
        io.ns("/", connected.with(register));
        layer
    }

    fn register(self: &Arc<Self>, socket: &SocketRef) -> Result<(), String> {
        if self.connections() >= self.config.max_connections {
            return Err(format!("there are {} connections already, which is the limit", self.config.max_connections));
        }
        self.counts.connections.fetch_add(1, Relaxed);
        let place = SharedPlace::default();

        let (rooms, here) = (Arc::clone(self), Arc::clone(&place));
        on(socket, "join_room", move |socket, data, ack| rooms.join(&here, socket, data, ack));
        let (rooms, here) = (Arc::clone(self), Arc::clone(&place));
        on(socket, "leave_room", move |socket, _, ack| {
            rooms.leave(&here, &socket);
            answer(ack, &Ack::Done {});
        });
        forward(socket, &place, "send_message", Send::checked, |sid, send, ack| Command::Post { sid, send, ack });
        forward(socket, &place, "edit_message", Edit::checked, |sid, edit, ack| Command::Edit { sid, edit, ack });
        forward(socket, &place, "delete_message", Ok, |sid, delete: Delete, ack| Command::Delete { sid, delete, ack });
        forward(socket, &place, "react", React::checked, |sid, react, ack| Command::React { sid, react, ack });
        forward(socket, &place, "button", Ok, |sid, press: Press, ack| Command::Press { sid, press, ack });
        forward(socket, &place, "select", Ok, |sid, choose: Choose, ack| Command::Choose { sid, choose, ack });
        forward(socket, &place, "form", Ok, |sid, fill: Fill, ack| Command::Fill { sid, fill, ack });
        forward(socket, &place, "upload", Ok, |sid, upload: Upload, ack| Command::Upload { sid, upload, ack });
        forward(socket, &place, "typing", Ok, |sid, typing: Typing, ack| {
            answer(ack, &Ack::Done {});
            Command::Typing { sid, is_typing: typing.is_typing }
        });
        forward(socket, &place, "room_users", Ok, |sid, _: Value, ack| {
            answer(ack, &Ack::Done {});
            Command::Users { sid }
        });
        socket.on_fallback(|socket: SocketRef, event: socketioxide::extract::Event| async move {
            tell(&socket, &format!("there is no event {}", event.0));
        });
        let rooms = Arc::clone(self);
        socket.on_disconnect(move |socket: SocketRef| {
            let (rooms, place) = (Arc::clone(&rooms), Arc::clone(&place));
            async move {
                rooms.counts.connections.fetch_sub(1, Relaxed);
                rooms.leave(&place, &socket);
            }
        });
        Ok(())
    }

    fn connected(&self, socket: &SocketRef) {
        let message = "Welcome. Send join_room with your username and a room.";
        // A client that is gone already needs no welcome.
        drop(socket.emit("connected", &Told { message }));
    }

    fn join(&self, place: &SharedPlace, socket: SocketRef, data: Result<Value, String>, ack: AckSender) {
        let join = data.and_then(|data| read::<Join>("join_room", data)).and_then(Join::checked);
        let join = join.and_then(|join| self.open_room(&join.room).map(|room| (join, room)));
        let (join, room) = match join {
            Ok(found) => found,
            Err(problem) => return refuse(&socket, ack, problem),
        };
        // A connection is in one room at a time.
        self.leave(place, &socket);
        let person = Person { username: join.username.clone(), locale: join.locale.clone() };
        let address = address(&socket);
        if let Err(refused) = room.try_send(Command::Join { socket: socket.clone(), join, address, ack }) {
            let problem = "the room is too busy; try again in a moment".to_owned();
            return match refused.into_inner().into_ack() {
                Some(ack) => refuse(&socket, ack, problem),
                None => tell(&socket, &problem),
            };
        }
        *place.lock().unwrap_or_else(PoisonError::into_inner) =
            Place { room: Some(room), person: Some(person.clone()) };
        if self.directory.connects(&person.username.to_lowercase()) {
            self.presence(person, EventKind::Connect);
        }
    }

    fn leave(&self, place: &SharedPlace, socket: &SocketRef) {
        let Place { room, person } = std::mem::take(&mut *place.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(room) = room
            && let Err(mpsc::error::TrySendError::Full(command)) = room.try_send(Command::Leave { sid: socket.id })
        {
            // Must not be lost, and there is nobody to tell that the room is busy.
            let leaving = async move { drop(room.send(command).await) };
            self.spawn(leaving);
        }
        if let Some(person) = person
            && self.directory.disconnects(&person.username.to_lowercase())
        {
            self.presence(person, EventKind::Disconnect { reason: None });
        }
    }

    fn presence(&self, person: Person, kind: EventKind) {
        let Some(context) = self.context.borrow().clone() else { return };
        let Person { username, locale } = person;
        let (time, name) = (context.clock.now(), username.to_lowercase());
        let id = UserId::new(&context.bot.name, &name);
        let event = Event {
            time,
            bot: context.bot.clone(),
            space: None,
            room: None,
            member: Some(Arc::new(self.members.row(&name).member(id.clone(), time))),
            user: Some(Arc::new(User { id, name: username, bot: false, locale, picture: None })),
            kind,
        };
        drop(context.sink.emit(event, Batch::default()));
    }
}

/// Registers a handler whose work is done when it is called, in the order in which the client's packets come: what an
/// async handler did would run in a task of its own, in any order.
fn on<F>(socket: &SocketRef, event: &'static str, handler: F)
where
    F: Fn(SocketRef, Result<Value, String>, AckSender) + std::marker::Send + Sync + Clone + 'static,
{
    socket.on(event, move |socket: SocketRef, TryData(data): TryData<Value>, ack: AckSender| {
        // Data that cannot be read is as good as none; what is missing in it is named.
        handler(socket, Ok(data.unwrap_or_default()), ack);
        std::future::ready(())
    });
}

/// Checks the data and passes the command on to the room that the connection is in.
fn forward<T: DeserializeOwned + 'static>(
    socket: &SocketRef,
    place: &SharedPlace,
    event: &'static str,
    check: fn(T) -> Result<T, String>,
    command: fn(Sid, T, AckSender) -> Command,
) {
    let place = Arc::clone(place);
    on(socket, event, move |socket, data, ack| {
        let data = match data.and_then(|data| read::<T>(event, data)).and_then(check) {
            Ok(data) => data,
            Err(problem) => return refuse(&socket, ack, problem),
        };
        let room = place.lock().unwrap_or_else(PoisonError::into_inner).room.clone();
        let Some(room) = room else {
            return refuse(&socket, ack, "join a room first".to_owned());
        };
        if let Err(refused) = room.try_send(command(socket.id, data, ack)) {
            let problem = "the room is too busy; try again in a moment".to_owned();
            match refused.into_inner().into_ack() {
                Some(ack) => refuse(&socket, ack, problem),
                None => tell(&socket, &problem),
            }
        }
    });
}

/// Says what is wrong, to the caller alone: as an `error` event, and in the acknowledgement where one is asked for.
fn refuse(socket: &SocketRef, ack: AckSender, problem: String) {
    tell(socket, &problem);
    answer(ack, &Ack::Error { error: problem });
}

fn tell(socket: &SocketRef, problem: &str) {
    // A client that does not listen learns nothing.
    drop(socket.emit("error", &Told { message: problem }));
}

fn answer(ack: AckSender, with: &Ack) {
    drop(ack.send(with));
}

fn address(socket: &SocketRef) -> Option<IpAddr> {
    socket.req_parts().extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}
