//! Listening sockets, and HTTP on their connections.

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::changes::Changes;

/// The connection is closed without an answer.
#[derive(Debug)]
pub(crate) struct CutOff;

impl std::fmt::Display for CutOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut off on purpose")
    }
}

impl std::error::Error for CutOff {}

/// Binds a socket on a free port. Returns its address as `127.0.0.1:PORT`, too.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on this machine");
    let address = listener.local_addr().expect("a bound socket has an address").to_string();
    (listener, address)
}

/// Accepts connections for as long as it is polled, and serves each in a task of its own.
///
/// `changes` learns of a task that panics.
pub(crate) async fn accept<F>(listener: TcpListener, changes: &Changes, mut serve: impl FnMut(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                stream.set_nodelay(true).unwrap_or_default();
                connections.spawn(serve(stream));
            }
            Some(ended) = connections.join_next() => changes.record_end(ended),
        }
    }
}

/// Answers the requests of one connection until either side closes it.
pub(crate) async fn serve_http<F>(stream: TcpStream, answer: impl Fn(Request<Incoming>) -> F)
where
    F: Future<Output = Result<Response<Body>, CutOff>>,
{
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service_fn(answer));
    // Fails when the client has disconnected, or was disconnected.
    connection.await.unwrap_or_default();
}
