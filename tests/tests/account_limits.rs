//! The limits of accounts: credentials, attempts, and concurrent hashes of passwords.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use futures_util::future::join_all;
use palabre_tests::{Site, registration};
use reqwest::Method;
use serde_json::json;

const SETTINGS: &str = "limits: { logins: { burst: 1, per_minute: 0 }, registrations: { burst: 1, per_minute: 0 } }";

#[tokio::test(flavor = "multi_thread")]
async fn the_maximum_of_tokens_holds_when_many_are_created_at_the_same_time() {
    let site = Site::new(SETTINGS, &[]).await;
    let (_, session) = site.register("alice").await;
    let request = || site.post("/api/auth/tokens", &session, json!({ "name": "x", "scopes": ["read"] }));
    for _ in 0..90 {
        assert_eq!(request().await.0, 201);
    }
    let created = join_all((0..30).map(|_| request())).await;
    let count = |expected: u16| created.iter().filter(|(status, _)| *status == expected).count();
    assert_eq!((count(201), count(400)), (10, 20), "{created:?}");
    let (_, listed) = site.get("/api/auth/tokens", &session).await;
    assert_eq!(listed.as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_and_logins_are_limited_separately() {
    let limits = "registrations: { burst: 2, per_minute: 1 }, logins: { burst: 2, per_minute: 1 }";
    let site = Site::new(&format!("limits: {{ {limits}, people_per_address: 1 }}"), &[]).await;
    let register = async |name: &str| {
        let answer = site.request(Method::POST, "/api/auth/register").json(&registration(name)).send().await.unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    assert_eq!(register("alice").await, (201, false));
    assert_eq!(register("bob").await, (201, false));
    assert_eq!(register("carol").await, (429, true));
    let login = json!({ "username": "alice", "password": "secret of alice" });
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(site.post("/api/auth/login", "", login.clone()).await.0.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_passwords_are_hashed_at_a_time_and_more_attempts_are_told_to_come_back() {
    let site = Site::new(SETTINGS, &[]).await;
    site.register("alice").await;
    let attempt = |name: &str| json!({ "username": name, "password": "secret of alice" });
    // Unknown names cost as much as known ones.
    let send = |name: &str| {
        let request = site.request(Method::POST, "/api/auth/login").json(&attempt(name));
        async move {
            let answer = request.send().await.unwrap();
            let retry_after = answer.headers().get("retry-after").map(|after| after.to_str().unwrap().to_owned());
            (answer.status().as_u16(), retry_after)
        }
    };
    let answers = join_all((0..100).map(|_| send("nobody"))).await;
    let busy = answers.iter().filter(|(status, _)| *status == 503).count();
    assert!(busy > 0 && busy < answers.len(), "{busy} of {} were refused", answers.len());
    for (status, retry_after) in answers {
        let expected = if status == 503 { Some("1".to_owned()) } else { None };
        assert!(matches!(status, 401 | 503) && retry_after == expected, "{status} {retry_after:?}");
    }
    assert_eq!(send("alice").await.0, 200);
}
