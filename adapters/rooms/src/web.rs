//! The page and what belongs to it, from the binary itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::service::Rooms;
use crate::{compat, gateway, rest};

const INDEX: &str = include_str!("../web/index.html");

macro_rules! assets {
    ($($path:literal)*) => {
        /// Every file of the page, by the name under which it asks for it.
        const ASSETS: &[(&str, &str)] = &[$(($path, include_str!(concat!("../web/", $path))),)*];
    };
}

assets! {
    "app.js" "attachments.js" "choice.js" "composer.js" "connection.js" "controls.js" "dom.js" "files.js" "form.js" "markdown.js"
    "message.js" "people.js" "pins.js" "scroll.js" "standing.js" "theme.js" "timeline.js"
    "style.css" "icon.svg" "vendor/socket.io.esm.min.js" "vendor/LICENSE"
}

impl Rooms {
    /// Everything that the service answers over HTTP: the page, its assets, the REST routes and Socket.IO.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/", get(page))
            .route("/rooms/{room}", get(page))
            .route("/assets/{*path}", get(asset))
            .merge(rest::routes(self))
            .merge(compat::routes(self))
            .merge(gateway::routes(self))
            .layer(from_fn_with_state(Arc::clone(self), own_pages_only))
    }
}

/// Refuses what a page of another site asks for: a browser sends its user's requests wherever a page wants them, also to a
/// service on the user's own machine.
async fn own_pages_only(State(rooms): State<Arc<Rooms>>, request: Request, next: Next) -> Response {
    if !is_own(request.headers(), &rooms.config.origins) {
        let told = "this page belongs to another site; the operator can let it in with origins: in bots.yaml";
        return (StatusCode::FORBIDDEN, told).into_response();
    }
    next.run(request).await
}

fn is_own(headers: &HeaderMap, allowed: &[String]) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return true };
    let site = origin.split_once("://").map(|(_, site)| site);
    allowed.iter().any(|other| other == "*" || other == origin) || (site.is_some() && site == text(header::HOST))
}

pub(crate) async fn page() -> Html<&'static str> {
    Html(INDEX)
}

async fn asset(Path(path): Path<String>) -> Response {
    let Some((name, text)) = ASSETS.iter().find(|(name, _)| *name == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    // The names carry no version, so browsers ask each time.
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], *text).into_response()
}
