//! The limits of accounts: credentials, attempts, and concurrent hashes of passwords.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use futures_util::future::join_all;
use palabre_tests::Site;
use serde_json::json;

const SETTINGS: &str = "limits: { logins: { burst: 1000, per_minute: 0 } }";

#[tokio::test(flavor = "multi_thread")]
async fn the_maximum_of_tokens_holds_when_many_are_created_at_the_same_time() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, session) = site.register("alice").await;
    let request = || site.post("/api/auth/tokens", &session, json!({ "name": "x", "scopes": ["read"] }));
    let created = join_all((0..120).map(|_| request())).await;
    let count = |expected: u16| created.iter().filter(|(status, _)| *status == expected).count();
    assert_eq!((count(201), count(400)), (100, 20), "{created:?}");
    let (_, listed) = site.get("/api/auth/tokens", &session).await;
    assert_eq!(listed.as_array().unwrap().len(), 100);
}
