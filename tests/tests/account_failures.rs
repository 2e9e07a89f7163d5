//! Accounts while the store refuses writes: a request is carried out wholly or not at all.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use palabre_rooms::Config;
use palabre_store::{Disk, MemoryDisk, Store};
use palabre_tests::{Client, RoomService, eventually, registration, text};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const WAIT_MAX: Duration = Duration::from_secs(60);

/// A disk that has no space at times.
#[derive(Debug, Default)]
struct FullDisk {
    disk: MemoryDisk,
    is_full: AtomicBool,
}

impl Disk for FullDisk {
    fn size(&self) -> io::Result<u64> {
        self.disk.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        if self.is_full.load(SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { self.disk.sync() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

/// Changes a profile until the answer has this status. The first write without space waits for some.
async fn until_writes_are(service: &RoomService, session: &str, expected: StatusCode) {
    eventually(WAIT_MAX, "the answer of a write", async || {
        let change = service.request(Method::PATCH, "/api/users/me").timeout(Duration::from_secs(1));
        let answer = change.bearer_auth(session).json(&json!({ "status": "here" })).send().await;
        match answer.map(|answer| answer.status()) {
            Ok(status) if status == expected => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_request_that_the_store_refuses_is_left() {
    let disk = Arc::new(FullDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let service = RoomService::start(&store, Config::default()).await;
    let (_, alice) = service.register("alice").await;
    let request = json!({ "name": "x", "scopes": ["read", "write"] });
    let (_, token) = service.call(Method::POST, "/api/auth/tokens", &alice, request).await;
    let (token, revoked) = (text(&token["token"]), format!("/api/auth/tokens/{}", text(&token["id"])));
    let mut program = Client::connect_with(&service.address, Some(&token)).await.unwrap();
    program.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    disk.is_full.store(true, SeqCst);
    until_writes_are(&service, &alice, StatusCode::SERVICE_UNAVAILABLE).await;

    let login = |name: &str| json!({ "username": name, "password": format!("secret of {name}") });
    for (method, path, body) in [
        (Method::POST, "/api/auth/register", registration("bob")),
        (Method::POST, "/api/auth/login", login("alice")),
        (Method::DELETE, revoked.as_str(), Value::Null),
        (Method::POST, "/api/auth/password", json!({ "current": "secret of alice", "new": "another secret" })),
    ] {
        let mut request = service.request(method, path).bearer_auth(&alice);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        assert!(!text(&answer.json::<Value>().await.unwrap()["error"]).is_empty(), "{path}");
    }
    disk.is_full.store(false, SeqCst);
    until_writes_are(&service, &alice, StatusCode::OK).await;

    // The token is valid, with its connection; the login has left no session, and the registration no name.
    program.say("still here", "nonce").await.unwrap();
    assert_eq!(service.call(Method::GET, "/api/auth/me", &token, Value::Null).await.0, 200);
    let (_, sessions) = service.call(Method::GET, "/api/auth/sessions", &alice, Value::Null).await;
    assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
    assert_eq!(service.call(Method::POST, "/api/auth/login", "", login("bob")).await.0, 401);
    let (guest, _) = Client::enter(&service.address, "bob", "general").await.unwrap();
    drop(guest);

    // All of it succeeds now.
    eventually(WAIT_MAX, "the guest is gone", async || {
        let (status, answer) = service.call(Method::POST, "/api/auth/register", "", registration("bob")).await;
        if status == 201 { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    assert_eq!(service.call(Method::POST, "/api/auth/login", "", login("alice")).await.0, 200);
    assert_eq!(service.call(Method::DELETE, &revoked, &alice, Value::Null).await.0, 204);
    assert_eq!(service.call(Method::GET, "/api/auth/me", &token, Value::Null).await.0, 401);
    program.closed().await;
    service.engine.shutdown().await;
}
