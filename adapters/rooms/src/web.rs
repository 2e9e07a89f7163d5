//! The page and what belongs to it, from the binary itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::service::Rooms;
use crate::{compat, gateway, rest};

const INDEX: &str = include_str!("../web/index.html");
/// A year: what has the version in its address never changes there.
const CACHE_FOREVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about each time.
const CACHE_REVALIDATED: &str = "no-cache";

/// What tells these assets from those of another build. It stands in their addresses, so that a browser asks for each once.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    ASSETS.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
});

/// The page, which asks for the assets of this build. They name each other by relative addresses.
static PAGE: LazyLock<String> =
    LazyLock::new(|| INDEX.replace("\"/assets/", &format!("\"/assets/{}/", VERSION.as_str())));

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
            .merge(compat::routes())
            .merge(gateway::routes(self))
    }
}

pub(crate) async fn page() -> Response {
    ([(header::CACHE_CONTROL, CACHE_REVALIDATED)], Html(PAGE.as_str())).into_response()
}

/// An asset, under the version of this build or under its bare name.
async fn asset(Path(path): Path<String>) -> Response {
    let versioned = path.strip_prefix(VERSION.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let Some((name, text)) = ASSETS.iter().find(|(name, _)| *name == versioned.unwrap_or(&path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let kept = if versioned.is_some() { CACHE_FOREVER } else { CACHE_REVALIDATED };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)], *text).into_response()
}
