//! `/docs/`: Swagger UI, which shows the description of the HTTP API.
//!
//! The files are those of its release, as the crate `utoipa-swagger-ui-vendored` packs them; all but
//! the initializer, which names our description.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;
use zip::result::ZipError;

/// The policy of the page, which loads its own files and has inline styles.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";
/// The files that the page loads, with their content types.
const FILES: [(&str, &str); 8] = [
    ("index.html", "text/html; charset=utf-8"),
    ("index.css", "text/css; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8"),
    (INITIALIZER, "text/javascript; charset=utf-8"),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
];
const INITIALIZER: &str = "swagger-initializer.js";
const INITIALIZER_SOURCE: &str = include_str!("swagger-initializer.js");

/// The files of the page by name, decompressed when the first one is requested.
static PAGE: LazyLock<Result<BTreeMap<&str, Bytes>, ZipError>> = LazyLock::new(decompress);

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .route("/docs/", get(|| async { file("index.html") }))
        .route("/docs/{name}", get(|Path(name): Path<String>| async move { file(&name) }))
}

fn decompress() -> Result<BTreeMap<&'static str, Bytes>, ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let mut files = BTreeMap::from([(INITIALIZER, Bytes::from_static(INITIALIZER_SOURCE.as_bytes()))]);
    for position in 0..archive.len() {
        let mut packed = archive.by_index(position)?;
        // The first folder carries the version of the release.
        let path = packed.name()?;
        let name = path.split_once('/').and_then(|(_release, path)| path.strip_prefix("dist/"));
        let Some((name, _)) = FILES.iter().find(|(known, _)| Some(*known) == name) else { continue };
        if !files.contains_key(name) {
            let mut content = Vec::new();
            packed.read_to_end(&mut content)?;
            files.insert(name, content.into());
        }
    }
    Ok(files)
}

/// Returns a file of the page.
fn file(name: &str) -> Response {
    let files = match &*PAGE {
        Ok(files) => files,
        Err(error) => {
            let problem = format!("cannot decompress the page: {error}");
            return (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response();
        }
    };
    let kind = FILES.iter().find(|(known, _)| *known == name).map(|(_, kind)| HeaderValue::from_static(kind));
    let (Some(content), Some(kind)) = (files.get(name), kind) else {
        return (StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_in_the_release() {
        for (name, _) in FILES {
            assert_eq!(file(name).status(), StatusCode::OK, "{name}");
        }
        assert_eq!(file("swagger-ui.js.map").status(), StatusCode::NOT_FOUND);
        assert_eq!(file("../index.html").status(), StatusCode::NOT_FOUND);
    }
}
