//! The web page and its assets, embedded in the binary.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

const INDEX: &str = include_str!("../../web/index.html");
/// The place of the links to modules in the page.
const PRELOADS_PLACE: &str = "<!-- modules -->";
/// Scripts that the page does not need when it starts.
const NOT_PRELOADED: &[&str] = &["theme.js", "translate.js", "vendor/emoji.js"];
/// One year: an address with the version never changes its content.
const CACHE_FOREVER: &str = "public, max-age=31536000, immutable";
/// May be cached, but is revalidated each time.
const CACHE_REVALIDATED: &str = "no-cache";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Hash of the assets of this build.
///
/// It is part of their addresses, so that a browser fetches each of them once.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    ASSETS.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
});

/// The page, with the addresses of this build's assets.
static PAGE: LazyLock<String> = LazyLock::new(|| with_versions(&INDEX.replace(PRELOADS_PLACE, &preloads())));

/// Returns a link to each module.
///
/// Browsers then fetch all of them together, instead of one level of imports after the other.
fn preloads() -> String {
    let modules = ASSETS.iter().filter(|(name, _)| name.ends_with(".js") && !NOT_PRELOADED.contains(name));
    modules.map(|(name, _)| format!("<link rel=\"modulepreload\" href=\"/assets/{name}\">\n  ")).collect()
}

/// Returns a page with the addresses of this build's assets. They name each other by relative addresses.
pub(super) fn with_versions(page: &str) -> String {
    page.replace("\"/assets/", &format!("\"/assets/{}/", VERSION.as_str()))
}

/// The service worker.
///
/// Its address has no version, since browsers look for a new one at the same address.
const SERVICE_WORKER: &str = include_str!("../../web/service-worker.js");

macro_rules! assets {
    ($($path:literal)*) => {
        /// Every file of the page, by its name.
        const ASSETS: &[(&str, &[u8])] = &[$(($path, include_bytes!(concat!("../../web/", $path)).as_slice()),)*];
    };
}

assets! {
    "app.js" "attachments.js" "choice.js" "code.js" "completion.js" "composer.js" "connection.js" "controls.js"
    "copy.js" "dates.js" "dom.js" "drafts.js" "emoji.js" "english.js" "entry.js" "files.js" "form.js" "french.js"
    "inline.js" "insert.js" "install.js" "items.js" "language.js" "link-state.js" "links.js" "markdown.js"
    "mentions.js" "menu.js" "message.js" "notifications.js" "outbox.js" "palette.js" "past.js" "people.js" "pins.js"
    "restrictions.js" "scroll.js" "settings.js" "spoiler.js" "status.js" "table.js" "theme.js" "thread.js"
    "timeline.js" "tools.js" "translate.js" "unread.js" "upload.js" "viewer.js" "visit.js"
    "base.css" "messages.css" "composer.css" "panels.css" "popups.css" "media.css" "markdown.css" "responsive.css"
    "icon.svg" "icon-maskable.svg" "icon-192.png" "icon-512.png" "manifest.webmanifest"
    "vendor/emoji.js" "vendor/socket.io.esm.min.js" "vendor/LICENSE"
}

/// The routes of the page and its assets.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/rooms/{room}", get(page))
        .route("/service-worker.js", get(service_worker))
        .route("/assets/{*path}", get(asset))
}

pub(super) async fn page() -> Response {
    ([(header::CACHE_CONTROL, CACHE_REVALIDATED)], Html(PAGE.as_str())).into_response()
}

/// Serves the service worker from the root, because its scope is the folder of its address.
async fn service_worker() -> Response {
    let headers = [(header::CONTENT_TYPE, JAVASCRIPT), (header::CACHE_CONTROL, CACHE_REVALIDATED)];
    (headers, SERVICE_WORKER).into_response()
}

/// Serves an asset, under the version of this build or under its bare name.
async fn asset(Path(path): Path<String>) -> Response {
    let versioned = path.strip_prefix(VERSION.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let Some((name, content)) = ASSETS.iter().find(|(name, _)| *name == versioned.unwrap_or(&path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("js") => JAVASCRIPT,
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "text/plain; charset=utf-8",
    };
    let kept = if versioned.is_some() { CACHE_FOREVER } else { CACHE_REVALIDATED };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)], *content).into_response()
}
