//! The server: its parts, its routes with the guards around them, and serving until shutdown.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use palabre_engine::Engine;
use palabre_platform::{Clock, Shutdown};
use palabre_store::Store;
use palabre_types::Endpoint;
use tokio::net::TcpListener;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::access::Access;
use crate::budget::{self, Budget};
use crate::caching::{self, Compressed};
use crate::connections::Connections;
use crate::counts::Counts;
use crate::description::{self, Description};
use crate::guard::{self, Guard};
use crate::health::{self, Health, Load};
use crate::hosts::Hosts;
use crate::metrics::{self, Measured};
use crate::scripts::{self, Scripts};
use crate::settings::Settings;
use crate::{accept, endpoints, swagger};

/// The maximum size of a request body, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The policy for pages: only their own files and their own socket.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' https: http: blob:; \
                                       connect-src 'self' ws: wss:; base-uri 'none'; \
                                       form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The parts that the server is built from.
pub struct Setup {
    /// Runs the routes of scripts.
    pub engine: Arc<Engine>,
    /// Checked by the health endpoints.
    pub store: Store,
    /// The time in health responses.
    pub clock: Arc<dyn Clock>,
    /// The tokens for routes of scripts.
    pub access: Access,
    /// The section `server:` of bots.yaml.
    pub settings: Settings,
    /// The maximum number of open files of the process; see [`raise_file_limit`](crate::raise_file_limit).
    pub files: Option<usize>,
    /// Webhooks of platforms. They have no rate limits: a platform authenticates itself.
    pub webhooks: Vec<Mount>,
    /// The room service, which handles all other paths, and its number of connections.
    pub rooms: Option<(Mount, Load)>,
}

/// Routes of a platform on this server.
pub struct Mount {
    /// The handlers.
    pub router: Router,
    /// The same routes for the OpenAPI description.
    pub endpoints: Vec<Endpoint>,
}

/// Serves until shutdown.
pub async fn serve(listener: TcpListener, setup: Setup, shutdown: Shutdown) {
    let counts = Arc::new(Counts::default());
    let connections = Arc::new(Connections::new(&setup.settings, setup.files, Arc::clone(&counts)));
    let listen = listener.local_addr().map_or(IpAddr::from([127, 0, 0, 1]), |local| local.ip());
    let app = app(setup, listen, &connections, &counts);
    accept::run(listener, app, connections, shutdown).await;
}

fn app(setup: Setup, listen: IpAddr, connections: &Arc<Connections>, counts: &Arc<Counts>) -> Router {
    let guard = Guard {
        hosts: Hosts::new(listen.to_canonical(), setup.settings.hosts.iter().map(String::as_str)),
        origins: setup.settings.origins.clone(),
        counts: Arc::clone(counts),
    };
    let budget = Arc::new(Budget::new(setup.settings.clone(), Arc::clone(counts)));
    let (rooms, load) = setup.rooms.unzip();
    let mounts = setup.webhooks.iter().chain(&rooms).flat_map(|mount| mount.endpoints.iter().copied());
    let description = Description {
        engine: Arc::clone(&setup.engine),
        endpoints: endpoints::ENDPOINTS.iter().copied().chain(mounts).collect(),
    };
    let measured = Measured {
        engine: Arc::clone(&setup.engine),
        connections: Arc::clone(connections),
        counts: Arc::clone(counts),
        load: load.clone(),
    };
    let scripts = Scripts {
        engine: Arc::clone(&setup.engine),
        access: setup.access,
        budget: Arc::clone(&budget),
        repeat_limiter: Mutex::default(),
    };
    let health = Health {
        started: setup.clock.now(),
        engine: setup.engine,
        store: setup.store,
        clock: setup.clock,
        connections: Arc::clone(connections),
        load,
    };
    let own = Router::new()
        .merge(health::routes(Arc::new(health)))
        .merge(metrics::routes(Arc::new(measured)))
        .merge(scripts::routes(Arc::new(scripts)))
        .merge(description::routes(Arc::new(description)))
        .merge(swagger::routes())
        // The routes of platforms have limits of their own.
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX));
    let all = rooms.into_iter().fold(own, |router, rooms| router.fallback_service(rooms.router));
    let limited = all
        .layer(from_fn_with_state(Arc::new(Compressed::default()), caching::process))
        .layer(from_fn_with_state(budget, budget::limit))
        .layer(from_fn_with_state(Arc::clone(counts), metrics::count));
    let router = setup.webhooks.into_iter().fold(limited, |router, mount| router.merge(mount.router));
    router
        .layer(from_fn_with_state(Arc::new(guard), guard::check))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
