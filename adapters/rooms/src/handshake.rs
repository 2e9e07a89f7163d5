//! The opening handshake of a WebSocket, from the server's side (RFC 6455, section 4.2).

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The only final version of the protocol.
const VERSION: &str = "13";
/// The length of 16 bytes in base64, with two characters of padding.
const KEY: usize = 24;

/// The reason why a request does not open a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not an upgrade request, or a malformed one, with the problem.
    Malformed(&'static str),
    /// It requests another version of the protocol.
    Version,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Malformed(problem) => (StatusCode::BAD_REQUEST, problem).into_response(),
            Self::Version => {
                let headers = [(header::SEC_WEBSOCKET_VERSION, VERSION), (header::UPGRADE, "websocket")];
                (StatusCode::UPGRADE_REQUIRED, headers, "only version 13 of the WebSocket protocol is supported")
                    .into_response()
            }
        }
    }
}

/// Returns the `Sec-WebSocket-Accept` that answers the request.
///
/// # Errors
/// If it is not a valid upgrade request.
pub(crate) fn accept(method: &Method, headers: &HeaderMap) -> Result<String, Refusal> {
    if method != Method::GET || !has_token(headers, header::UPGRADE, "websocket") {
        return Err(Refusal::Malformed("this is not a WebSocket upgrade request"));
    }
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(Refusal::Malformed("the header Connection must contain Upgrade; check whether a proxy removes it"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != VERSION.as_bytes()) {
        return Err(Refusal::Version);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| key.as_bytes().trim_ascii());
    let key =
        key.filter(|key| is_key(key)).ok_or(Refusal::Malformed("Sec-WebSocket-Key must be 16 bytes in base64"))?;
    Ok(derive_accept_key(key))
}

/// Whether a list header contains `token`, ignoring case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == KEY && key.ends_with(b"==") && key[..KEY - 2].iter().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(changed: &[(HeaderName, Option<&str>)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let given = [
            (header::UPGRADE, Some("websocket")),
            (header::CONNECTION, Some("Upgrade")),
            (header::SEC_WEBSOCKET_VERSION, Some("13")),
            (header::SEC_WEBSOCKET_KEY, Some("dGhlIHNhbXBsZSBub25jZQ==")),
        ];
        for (name, value) in given.iter().chain(changed) {
            match value {
                Some(value) => drop(headers.insert(name, value.parse().unwrap())),
                None => drop(headers.remove(name)),
            }
        }
        headers
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let lists = [(header::CONNECTION, Some("keep-alive, Upgrade")), (header::UPGRADE, Some("h2c, WebSocket"))];
        for changed in [&[][..], &lists] {
            assert_eq!(accept(&Method::GET, &request(changed)).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        }
    }

    #[test]
    fn what_the_rfc_refuses_is_refused() {
        for version in [None, Some("8"), Some("14"), Some("13, 8"), Some("")] {
            let changed = [(header::SEC_WEBSOCKET_VERSION, version)];
            assert_eq!(accept(&Method::GET, &request(&changed)), Err(Refusal::Version), "{version:?}");
        }
        for (name, value) in [
            (header::UPGRADE, None),
            (header::UPGRADE, Some("websockets")),
            (header::CONNECTION, None),
            (header::CONNECTION, Some("keep-alive")),
            (header::SEC_WEBSOCKET_KEY, None),
            (header::SEC_WEBSOCKET_KEY, Some("short")),
            (header::SEC_WEBSOCKET_KEY, Some("dGhlIHNhbXBsZSBub25jZQ=!")),
            (header::SEC_WEBSOCKET_KEY, Some("dGhlIHNhbXBsZSBub25jZWx5")),
        ] {
            let headers = request(&[(name.clone(), value)]);
            assert!(matches!(accept(&Method::GET, &headers), Err(Refusal::Malformed(_))), "{name}: {value:?}");
        }
        assert!(accept(&Method::POST, &request(&[])).is_err());
    }
}
