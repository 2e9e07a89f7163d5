//! HTTP entry point of Socket.IO, with the limits that the library lacks.
//!
//! The library limits neither sessions nor what it buffers. So every session is counted when it is
//! opened, its requests pass through here, and its WebSocket runs over a [`Wire`].

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{self, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper_util::rt::TokioIo;
use socketioxide::SocketIo;
use socketioxide::service::SocketIoService;
use tokio::sync::watch;
use tower::Service;

use crate::connection::{Connection, Life, QueueLimits};
use crate::frames::is_packet;
use crate::handshake;
use crate::limiter::{Network, network};
use crate::service::Rooms;
use crate::wire::Wire;

/// Headers with which a proxy marks a forwarded request.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Maximum size of a packet from a client, in bytes.
const PACKET_BYTES_MAX: usize = 64 << 10;
/// Maximum time between the opening of a session and its first use.
const FIRST_USE_TIMEOUT: Duration = Duration::from_secs(10);
/// Separator of packets in a polling request (Engine.IO 4).
const SEPARATOR: u8 = 0x1e;
/// Queue space for packets of the library itself, in addition to those of the service.
const LIBRARY_PACKETS_MAX: usize = 64;
/// `Retry-After` of a refused client, in seconds.
const RETRY_AFTER: &str = "5";

/// The open sessions and the Socket.IO library.
struct Gateway {
    rooms: Arc<Rooms>,
    service: SocketIoService<Router>,
    /// Sessions that began with polling, by session id.
    sessions: Mutex<HashMap<String, Weak<Connection>>>,
}

/// The routes of Socket.IO.
pub(crate) fn routes(rooms: &Arc<Rooms>) -> Router {
    let (service, io) = SocketIo::builder()
        .max_buffer_size(rooms.config.client_queue.saturating_add(LIBRARY_PACKETS_MAX))
        .max_payload(PACKET_BYTES_MAX as u64)
        .ws_max_message_size(PACKET_BYTES_MAX)
        .ws_max_frame_size(PACKET_BYTES_MAX)
        .connect_timeout(FIRST_USE_TIMEOUT)
        .build_with_inner_svc(Router::new());
    rooms.listen(&io);
    let gateway = Gateway { rooms: Arc::clone(rooms), service, sessions: Mutex::default() };
    Router::new().route("/socket.io", any(serve)).route("/socket.io/", any(serve)).with_state(Arc::new(gateway))
}

async fn serve(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let is_socket = parameter(&query, "transport=") == Some("websocket");
    let Some(sid) = query.split('&').find_map(|parameter| parameter.strip_prefix("sid=")) else {
        return gateway.open(request, is_socket).await;
    };
    let Some(connection) = gateway.session(sid) else {
        // The same response as the library's, which clients understand.
        let unknown = r#"{"code":"1","message":"Session ID unknown"}"#;
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], unknown).into_response();
    };
    match *request.method() {
        _ if is_socket => gateway.upgrade(connection, request),
        Method::POST => gateway.receive(&connection, request).await,
        _ => gateway.poll(&connection, request).await,
    }
}

impl Rooms {
    /// Returns a new connection, unless a connection limit is reached.
    pub(crate) fn admit_connection(&self, network: Network, is_local: bool) -> Result<Arc<Connection>, String> {
        let config = &self.config;
        if self.links.taken() >= config.max_connections {
            return Err(format!("the limit of {} connections is reached; try again later", config.max_connections));
        }
        let limit = config.limits.connections_per_address;
        let permit = self.links.take(network, limit).ok_or_else(|| {
            format!("your address already has {limit} connections, which is the limit (connections_per_address)")
        })?;
        let limits = QueueLimits { packets: config.client_queue, bytes: config.limits.queued_kb.saturating_mul(1_024) };
        Ok(Arc::new(Connection::new(network, is_local, permit, limits)))
    }
}

impl Gateway {
    /// Opens a session, unless a connection limit is reached.
    async fn open(self: &Arc<Self>, mut request: Request, is_socket: bool) -> Response {
        let connection = match self.admit(&request) {
            Ok(connection) => connection,
            Err(problem) => {
                self.rooms.counts.refused_connections.fetch_add(1, Relaxed);
                return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], problem)
                    .into_response();
            }
        };
        self.rooms.record_cookie(request.headers(), request.extensions()).await;
        // The library keeps the request for as long as the session lasts.
        request.extensions_mut().insert(Arc::clone(&connection));
        if is_socket {
            self.supervise(&connection, None);
            return self.upgrade(connection, request);
        }
        let (parts, body) = self.call(request).await.into_parts();
        let body = to_bytes(body, PACKET_BYTES_MAX).await.unwrap_or_default();
        if let Some(sid) = opened(&body) {
            self.lock().insert(sid.clone(), Arc::downgrade(&connection));
            self.supervise(&connection, Some(sid));
        }
        Response::from_parts(parts, Body::from(body))
    }

    fn admit(&self, request: &Request) -> Result<Arc<Connection>, String> {
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
        let is_local = address.is_some_and(|address| address.to_canonical().is_loopback()) && !is_forwarded;
        self.rooms.admit_connection(network(address), is_local)
    }

    /// Accepts a WebSocket upgrade and passes the stream to the library, wrapped in a [`Wire`].
    fn upgrade(self: &Arc<Self>, connection: Arc<Connection>, mut request: Request) -> Response {
        let key = match handshake::accept(request.method(), request.headers()) {
            Ok(key) => key,
            Err(refusal) => return refusal.into_response(),
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, _) = request.into_parts();
        let gateway = Arc::clone(self);
        self.rooms.spawn(async move {
            let Ok(stream) = upgrade.await else { return connection.end() };
            let limits = &gateway.rooms.config.limits;
            let received = limits.received_kb_per_second.saturating_mul(1_024);
            let write_timeout = gateway.write_timeout();
            let wire = Wire::new(TokioIo::new(stream), connection, write_timeout, received);
            let mut service = gateway.service.clone();
            let request = (wire, http::Request::from_parts(parts, ()));
            let taken =
                Service::<(Wire<TokioIo<hyper::upgrade::Upgraded>>, http::Request<()>)>::call(&mut service, request);
            if taken.await.is_err() {
                tracing::debug!("the library refused a WebSocket: its request is not one of Engine.IO 4");
            }
        });
        let headers = [
            (header::UPGRADE, "websocket".to_owned()),
            (header::CONNECTION, "Upgrade".to_owned()),
            (header::SEC_WEBSOCKET_ACCEPT, key),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }

    /// Handles a POST of a polling client: one request at a time, and not during a pause.
    async fn receive(&self, connection: &Arc<Connection>, request: Request) -> Response {
        let Ok(_alone) = connection.posting.try_lock() else {
            return (StatusCode::TOO_MANY_REQUESTS, "send one request at a time").into_response();
        };
        if let Some(until) = connection.take_pause() {
            tokio::time::sleep_until(until).await;
        }
        if connection.life() != Life::Open {
            return (StatusCode::BAD_REQUEST, "the session is over").into_response();
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, PACKET_BYTES_MAX).await else {
            let problem = format!("the request is larger than {PACKET_BYTES_MAX} bytes, which is the limit");
            return (StatusCode::PAYLOAD_TOO_LARGE, problem).into_response();
        };
        let closes = body.split(|byte| *byte == SEPARATOR).any(|packet| packet == b"1");
        let answer = self.call(Request::from_parts(parts, Body::from(body))).await;
        // The library also ends a session whose packets it cannot read.
        if closes || (answer.status() == StatusCode::BAD_REQUEST && connection.polls()) {
            connection.end();
        }
        answer
    }

    /// Handles a GET of a polling client: waits for packets.
    async fn poll(&self, connection: &Arc<Connection>, request: Request) -> Response {
        let (parts, body) = self.call(request).await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        connection.sent(body.split(|byte| *byte == SEPARATOR).filter(|packet| is_packet(packet)).count());
        if connection.life() == Life::Ending && connection.is_drained() {
            connection.end();
        }
        Response::from_parts(parts, Body::from(body))
    }

    /// Spawns the task that waits for the end of a connection and then removes its session.
    fn supervise(self: &Arc<Self>, connection: &Arc<Connection>, sid: Option<String>) {
        let (gateway, life, connection) = (Arc::clone(self), connection.watch(), Arc::downgrade(connection));
        self.rooms.spawn(async move {
            gateway.wait_for_end(life, &connection).await;
            if let Some(sid) = sid {
                gateway.lock().remove(&sid);
                gateway.close(&sid).await;
            }
        });
    }

    async fn wait_for_end(&self, mut life: watch::Receiver<Life>, connection: &Weak<Connection>) {
        // An error means that the connection was dropped.
        let ended = life.wait_for(|life| *life != Life::Open).await.map(|life| *life);
        if !matches!(ended, Ok(Life::Ending)) {
            return;
        }
        drop(tokio::time::timeout(self.write_timeout(), life.wait_for(|life| *life == Life::Ended)).await);
        if let Some(connection) = connection.upgrade() {
            connection.end();
        }
    }

    /// Closes a polling session as its client would.
    ///
    /// A session with a WebSocket has already ended with it.
    async fn close(&self, sid: &str) {
        let address = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        let request = Request::builder().method(Method::POST).uri(address).body(Body::from("1"));
        match request {
            Ok(request) => drop(self.call(request).await),
            Err(error) => tracing::error!("cannot close a session: {error}"),
        }
    }

    async fn call(&self, request: Request) -> Response {
        let mut service = self.service.clone();
        let Ok(response) = Service::<Request>::call(&mut service, request).await;
        response.map(Body::new)
    }

    fn session(&self, sid: &str) -> Option<Arc<Connection>> {
        self.lock().get(sid)?.upgrade()
    }

    fn write_timeout(&self) -> Duration {
        Duration::from_secs(self.rooms.config.limits.write_timeout_seconds)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Connection>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a parameter of a query, parsed as the library does.
fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split('&').find(|parameter| parameter.starts_with(name))?.split('=').nth(1)
}

/// Returns the session id in the packet that opens a session: `0{"sid":"…",…}`.
fn opened(packet: &[u8]) -> Option<String> {
    let packet: serde_json::Value = serde_json::from_slice(packet.strip_prefix(b"0")?).ok()?;
    packet["sid"].as_str().map(ToOwned::to_owned)
}
