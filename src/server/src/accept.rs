//! Accepts connections and serves each in a task of its own.

use std::convert::Infallible;
use std::io::{Error, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use palabre_platform::Shutdown;
use palabre_types::Scheme;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tower::Service;

use crate::connection::{Connection, RequestInFlight};
use crate::connections::Connections;
use crate::stream::Stream;
use crate::watched::{Inbound, Outbound};

/// The largest request head, and the write buffer of a connection, in bytes.
const BUFFER_BYTES_MAX: usize = 32 << 10;
/// The interval of checks for connections that exceed a timeout.
const SWEEP_INTERVAL: Duration = Duration::from_millis(250);
/// The delay after a failed accept.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The time after which connections that are still open on shutdown are closed.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
/// The response to a connection above the limit.
const FULL_RESPONSE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-type: text/plain\r\n\
                      content-length: 46\r\n\r\ntoo many connections; try again in a moment.\r\n";

/// Serves `app` on `listener` until shutdown.
pub(crate) async fn run(listener: TcpListener, app: Router, connections: Arc<Connections>, mut shutdown: Shutdown) {
    let mut tasks = JoinSet::new();
    let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.requested() => break,
            _ = sweep.tick() => connections.sweep(),
            Some(ended) = tasks.join_next() => {
                if let Err(error) = ended {
                    tracing::error!("a request handler panicked; its connection is closed: {error}");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    if let Some(stream) = admit(&connections, socket, peer).await {
                        let (app, connections, stop) = (app.clone(), Arc::clone(&connections), shutdown.clone());
                        tasks.spawn(serve(stream, app, connections, stop));
                    }
                }
                Err(error) if is_client_error(&error) => {}
                Err(error) => {
                    tracing::error!("cannot accept a connection: {error}");
                    connections.make_room();
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
        }
    }
    drop(listener);
    let all_end = async { while tasks.join_next().await.is_some() {} };
    // WebSockets stay open; do not wait for them longer than this.
    drop(tokio::time::timeout(SHUTDOWN_TIMEOUT, all_end).await);
}

/// Whether the error is due to one client that disconnected, not to the listener.
fn is_client_error(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

async fn admit(connections: &Arc<Connections>, socket: TcpStream, peer: SocketAddr) -> Option<Stream> {
    // Otherwise every response to a small packet waits for the client's delayed acknowledgement.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!("cannot set TCP_NODELAY: {error}");
    }
    let local = socket.local_addr().ok().map(|local| local.ip());
    let Some(lease) = connections.admit(peer, local).await else {
        // Best effort: if the write fails, the client just sees a closed connection.
        if let Ok(mut socket) = socket.into_std() {
            drop(socket.write_all(FULL_RESPONSE));
        }
        return None;
    };
    Some(Stream::new(socket, lease))
}

async fn serve(stream: Stream, app: Router, connections: Arc<Connections>, mut stop: Shutdown) {
    let connection = Arc::clone(stream.connection());
    let mut protocol = http1::Builder::new();
    // Without a timer, hyper has no header timeout. Its own would include the time in which a slow
    // client reads the previous response.
    protocol.max_buf_size(BUFFER_BYTES_MAX).keep_alive(!connection.reached.is_reserved);
    let service =
        service_fn(move |request| answer(app.clone(), Arc::clone(&connection), Arc::clone(&connections), request));
    let mut serving = pin!(protocol.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.requested() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

async fn answer(
    mut app: Router,
    connection: Arc<Connection>,
    connections: Arc<Connections>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let in_flight = RequestInFlight::begin(&connection);
    let client = client(&connections, connection.peer, request.headers());
    let scheme = scheme(&connections, connection.peer, request.headers());
    let mut request = request.map(|body| Body::new(Inbound::new(body, Arc::clone(&connection))));
    request.extensions_mut().insert(ConnectInfo(client));
    request.extensions_mut().insert(connection.reached);
    request.extensions_mut().insert(scheme);
    let response = app.call(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        connection.record_upgrade();
    }
    Ok(response.map(|body| Body::new(Outbound::new(body, in_flight))))
}

/// Returns the address of the client.
///
/// It is the peer, or, if the peer is a proxy trusted by bots.yaml, the last address in
/// `X-Forwarded-For` that is not such a proxy.
fn client(connections: &Connections, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
    if !connections.is_proxy(peer.ip()) {
        return peer;
    }
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let mut hops = named.flat_map(|value| value.split(',')).map(|hop| hop.trim().parse::<IpAddr>().ok());
    let last = hops.rfind(|hop| hop.is_none_or(|hop| !connections.is_proxy(hop)));
    last.flatten().map_or(peer, |hop| SocketAddr::new(hop, 0))
}

/// Returns the scheme of the client's address.
///
/// This server has no TLS itself. A proxy trusted by bots.yaml names the scheme in `X-Forwarded-Proto`; of
/// several, the last one is the trusted proxy's own.
fn scheme(connections: &Connections, peer: SocketAddr, headers: &HeaderMap) -> Scheme {
    let named = headers.get_all("x-forwarded-proto").iter().filter_map(|value| value.to_str().ok());
    let last = named.flat_map(|value| value.split(',')).next_back();
    let is_https = last.is_some_and(|last| last.trim().eq_ignore_ascii_case("https"));
    if is_https && connections.is_proxy(peer.ip()) { Scheme::Https } else { Scheme::Http }
}
