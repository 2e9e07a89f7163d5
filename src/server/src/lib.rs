//! The one HTTP server: what it mounts is given by the caller, who also owns the listener and says when to stop.

mod access;
mod body;
mod description;
mod scripts;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use access::{Access, Token};
pub use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::get;
use axum::serve::ListenerExt;
use palabre_engine::Engine;
use palabre_model::Shutdown;
use tokio::net::TcpListener;
pub use utoipa::openapi::OpenApi;

use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// The largest body of a request, in bytes.
const BODY: usize = 1 << 20;
/// Connections that stay open after the word to stop are closed after this.
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// What the page may load: its own files and its own socket, nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' https: http: blob:; connect-src 'self' ws: wss:; base-uri 'none'; \
                                       form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// What the engine answers over HTTP: routes of scripts, metrics, and the description of all of it. `own` describes what else the
/// server mounts.
pub fn engine_routes(engine: &Arc<Engine>, access: Access, own: OpenApi) -> Router {
    let measured = Arc::clone(engine);
    let scripts = scripts::Scripts { engine: Arc::clone(engine), access, notices: Mutex::default() };
    Router::new()
        .route("/metrics", get(|| async move { measured.metrics() }))
        .merge(scripts::routes(Arc::new(scripts)))
        .merge(description::routes(Arc::clone(engine), own))
        // What platforms mount beside has limits of its own.
        .layer(RequestBodyLimitLayer::new(BODY))
}

/// Serves `router` on `listener` until shutdown.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(listener: TcpListener, router: Router, mut shutdown: Shutdown) -> std::io::Result<()> {
    // Without it every answer to a small packet waits for the client's delayed acknowledgement.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
    });
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let app = router
        .layer(header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "no-referrer"))
        .into_make_service_with_connect_info::<SocketAddr>();
    let mut patience = shutdown.clone();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move { shutdown.requested().await });
    tokio::select! {
        ended = serving => ended,
        // Sockets stay open by nature; they are not waited for.
        () = async { patience.requested().await; tokio::time::sleep(STOP_PATIENCE).await } => Ok(()),
    }
}
