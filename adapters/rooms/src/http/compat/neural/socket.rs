//! `/ws/chat/{session_id}`: a session over a WebSocket.

mod frames;
mod talk;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::accounts::rows::Scope;
use crate::handshake;
use crate::http::caller::{ClientNetwork, MaybeCaller, bearer};
use crate::http::problem::Problem;
use crate::http::registered::Registered;
use crate::http::site::check_site;
use crate::limiter::Network;
use crate::room::state::watchers::Update;
use crate::service::Rooms;
use crate::sessions::ChatSession;
use talk::Talk;

/// The id that stands for a new session in the address.
const NEW: &str = "new";
/// Maximum size of a message from a client, in bytes.
const FRAME_BYTES_MAX: usize = 64 << 10;
/// Size of the buffers of a connection, in bytes.
const BUFFER_BYTES: usize = 8 << 10;

pub(super) async fn open(
    State(rooms): State<Arc<Rooms>>,
    Path(id): Path<String>,
    caller: MaybeCaller,
    ClientNetwork(network): ClientNetwork,
    request: Request,
) -> Result<Response, Problem> {
    let key = match handshake::accept(request.method(), request.headers()) {
        Ok(key) => key,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    // A page of another site has the cookie too.
    if caller.account().is_some() && bearer(request.headers()).is_none() {
        check_site(&Method::POST, request.headers(), &[])?;
    }
    caller.require(Scope::Read)?;
    let is_new = id == NEW;
    let session = if is_new {
        rooms.session_for_caller(&caller, network).await?
    } else {
        rooms.session_of_caller(&caller, &id, Scope::Write).await?
    };
    let person = Arc::clone(&session.author.guest);
    let registered = Registered::new(&rooms, caller.credential(), person, network)?;
    let updates = rooms.watch(&session.room).await.map_err(unavailable)?;
    Ok(upgrade(request, key, Opening { registered, session, network, updates, is_new }))
}

/// The parts of a connection that waits for its upgrade.
struct Opening {
    registered: Registered,
    session: ChatSession,
    network: Network,
    updates: mpsc::Receiver<Update>,
    is_new: bool,
}

fn upgrade(mut request: Request, key: String, opening: Opening) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    let rooms = Arc::clone(&opening.registered.rooms);
    rooms.spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        let Opening { registered, session, network, updates, is_new } = opening;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(FRAME_BYTES_MAX))
            .max_frame_size(Some(FRAME_BYTES_MAX));
        let stream = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(config)).await;
        let (rooms, connection) = (Arc::clone(&registered.rooms), Arc::clone(&registered.connection));
        let write_timeout = Duration::from_secs(rooms.config.limits.write_timeout_seconds);
        let talk = Talk { rooms, connection, session, network, stream, write_timeout, unanswered: None };
        talk.run(updates, is_new).await;
        drop(registered);
    });
    let headers = [
        (header::UPGRADE, "websocket".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

fn unavailable(problem: String) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem)
}
