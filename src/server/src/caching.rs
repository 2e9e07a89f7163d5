//! Adds entity tags and compression to cacheable responses, such as pages and their files.
//!
//! Responses without `Cache-Control` or with an entity tag of their own are not changed.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Body as _;
use sha2::{Digest, Sha256};

/// The largest body that is processed, in bytes.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// The smallest body that is compressed, in bytes.
const COMPRESSED_BYTES_MIN: usize = 512;
/// The maximum number of cached compressed bodies. Above it, the cache is cleared.
///
/// There are fewer files, but the OpenAPI description changes with the routes of scripts.
const CACHE_ENTRIES_MAX: usize = 128;
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding");

type Hash = [u8; 32];

/// Compressed bodies, by the hash of their content.
#[derive(Debug, Default)]
pub(crate) struct Compressed(Mutex<HashMap<Hash, Bytes>>);

/// Middleware that tags and compresses cacheable responses.
pub(crate) async fn process(State(compressed): State<Arc<Compressed>>, request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let takes_gzip = takes_gzip(request.headers());
    let response = next.run(request).await;
    if !is_get || response.status() != StatusCode::OK || !may_be_kept(response.headers()) {
        return response;
    }
    if response.body().size_hint().exact().is_none_or(|size| size > BODY_BYTES_MAX) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, BODY_BYTES_MAX as usize).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!("cannot read a response body: {error}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let hash: Hash = Sha256::digest(&bytes).into();
    let tag: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    // A weak tag, since it is the same with and without compression.
    let tag = format!("W/\"{tag}\"");
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    let is_text = bytes.len() >= COMPRESSED_BYTES_MIN && is_text(&parts.headers);
    if is_text {
        parts.headers.append(header::VARY, VARY);
    }
    if known.iter().any(|known| names(known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    if !is_text || !takes_gzip {
        return Response::from_parts(parts, bytes.into());
    }
    match compressed.get(hash, bytes.clone()).await {
        Some(smaller) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, GZIP);
            Response::from_parts(parts, smaller.into())
        }
        None => Response::from_parts(parts, bytes.into()),
    }
}

impl Compressed {
    /// Returns the compressed bytes, from the cache if possible. `None` if compressing fails.
    async fn get(&self, hash: Hash, bytes: Bytes) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if kept.is_some() {
            return kept;
        }
        // Compressing a large file would block an async thread for too long.
        let smaller = tokio::task::spawn_blocking(move || gzip(&bytes)).await.ok()??;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= CACHE_ENTRIES_MAX {
            kept.clear();
        }
        kept.insert(hash, smaller.clone());
        Some(smaller)
    }
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn may_be_kept(headers: &HeaderMap) -> bool {
    let control = headers.get(header::CACHE_CONTROL).and_then(|control| control.to_str().ok());
    control.is_some_and(|control| !control.contains("no-store"))
        && !headers.contains_key(header::ETAG)
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::SET_COOKIE)
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/") || matches!(kind, "application/json" | "application/javascript" | "image/svg+xml")
}

/// Whether the client accepts gzip, with a weight above 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let given = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = given.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        (name.eq_ignore_ascii_case("gzip") || name == "*") && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// Whether a list of `If-None-Match` contains this tag, weak or strong.
fn names(list: &HeaderValue, tag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let list = list.to_str().unwrap_or_default();
    list.trim() == "*" || list.split(',').any(|known| bare(known) == bare(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for (said, wanted) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZIP", true),
            ("*", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
            ("identity;q=1, gzip; q=0.0", false),
        ] {
            assert_eq!(takes_gzip(&headers(header::ACCEPT_ENCODING, said)), wanted, "{said}");
        }
    }

    #[test]
    fn what_may_be_kept_says_so_itself() {
        assert!(may_be_kept(&headers(header::CACHE_CONTROL, "no-cache")));
        assert!(!may_be_kept(&headers(header::CACHE_CONTROL, "no-store")));
        assert!(!may_be_kept(&HeaderMap::new()));
        let tagged = [(header::CACHE_CONTROL, "max-age=3600"), (header::ETAG, "\"a\"")];
        assert!(!may_be_kept(
            &tagged.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
        ));
    }

    #[test]
    fn a_tag_is_known_by_its_name_weak_or_strong() {
        for (list, wanted) in
            [("W/\"a\"", true), ("\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"b\"", false), ("", false)]
        {
            assert_eq!(names(&HeaderValue::from_static(list), "W/\"a\""), wanted, "{list}");
        }
    }
}
