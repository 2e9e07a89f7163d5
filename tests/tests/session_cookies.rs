//! The cookie of a session: over TLS only where that is possible, and renewed with the session.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_rooms::Config;
use palabre_store::Store;
use palabre_tests::{RoomService, Site, registration};
use reqwest::{Method, Response, StatusCode};

const SETTINGS: &str = "limits: { logins: { burst: 1, per_minute: 0 }, registrations: { burst: 1, per_minute: 0 } }";

/// Returns the cookie that an answer sets.
fn set_cookie(answer: &Response) -> Option<String> {
    answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_tls_alone_where_a_trusted_proxy_names_it() {
    for (proxies, cases) in [
        ("['127.0.0.1']", &[("https", true), ("http", false), ("https, http", false)][..]),
        ("[]", &[("https", false)]),
    ] {
        let site = Site::with_sections(&format!("server: {{ proxies: {proxies} }}"), SETTINGS, &[]).await;
        for (number, (scheme, is_secure)) in cases.iter().enumerate() {
            let register = site.request(Method::POST, "/api/auth/register").header("x-forwarded-proto", *scheme);
            let answer = register.json(&registration(&format!("alice{number}"))).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::CREATED);
            let cookie = set_cookie(&answer).unwrap();
            assert_eq!(cookie.ends_with("; Secure"), *is_secure, "{proxies} {scheme}: {cookie}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_lives_on_with_its_session() {
    let service = RoomService::start(&Store::in_memory().unwrap(), Config::default()).await;
    let (_, token) = service.register("alice").await;
    let ask = async |method: Method, path: &str| {
        let request = service.request(method, path).header("cookie", format!("palabre_session={token}"));
        let answer = request.send().await.unwrap();
        // Nobody waits until the use of a session is recorded.
        service.engine.when_idle().await;
        answer
    };
    let me = async || ask(Method::GET, "/api/auth/me").await;
    // The use of a session is recorded every hour.
    assert_eq!(set_cookie(&me().await), None);
    for _ in 0..4 {
        service.clock.advance(Duration::from_secs(20 * 86_400));
        let renewed = set_cookie(&me().await).unwrap();
        assert!(renewed.starts_with(&format!("palabre_session={token};")), "{renewed}");
        assert!(renewed.contains("Max-Age=2592000") && renewed.contains("HttpOnly"), "{renewed}");
        assert_eq!(set_cookie(&me().await), None);
    }
    // Programs keep no cookies.
    service.clock.advance(Duration::from_secs(20 * 86_400));
    let by_token = service.request(Method::GET, "/api/auth/me").bearer_auth(&token).send().await.unwrap();
    assert_eq!((by_token.status(), set_cookie(&by_token)), (StatusCode::OK, None));
    service.engine.when_idle().await;
    // The handshake of Socket.IO uses the session too.
    service.clock.advance(Duration::from_secs(20 * 86_400));
    let opened = ask(Method::GET, "/socket.io/?EIO=4&transport=polling").await;
    assert!(opened.status() == 200 && set_cookie(&opened).is_some(), "{opened:?}");
    // The end of a session removes its cookie.
    service.clock.advance(Duration::from_secs(20 * 86_400));
    let ended = ask(Method::POST, "/api/auth/logout").await;
    let cookies: Vec<_> = ended.headers().get_all("set-cookie").iter().collect();
    assert_eq!((ended.status(), cookies.len()), (StatusCode::NO_CONTENT, 1), "{cookies:?}");
    assert!(cookies[0].to_str().unwrap().contains("Max-Age=0"), "{cookies:?}");
    service.engine.shutdown().await;
}
