//! The kinds of callers, and what they act on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use palabre_tests::{Client, Site, registration, text};
use reqwest::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::table::{Body, Row};

/// Settings under which no limit of the service is met.
pub(crate) const SETTINGS: &str = "answer_seconds: 1, limits: { people_per_address: 0, files_per_address: 0, \
     messages: { burst: 1, per_minute: 0 }, changes: { burst: 1, per_minute: 0 }, rooms: { burst: 1, per_minute: 0 }, \
     uploads: { burst: 1, per_minute: 0 }, joins: { burst: 1, per_minute: 0 }, \
     registrations: { burst: 1, per_minute: 0 }, logins: { burst: 1, per_minute: 0 } }";
/// Sections of bots.yaml under which no limit of the server is met.
pub(crate) const SECTIONS: &str = "server: { requests_per_minute: 100000, file_requests_per_minute: 100000 }";

/// The room that only its members may enter.
pub(crate) const PRIVATE: &str = "den";
/// The room that everybody may enter.
pub(crate) const PUBLIC: &str = "hall";
/// A private room without members, whose invites are accepted.
const ANNEX: &str = "annex";

/// The words in braces that stand for something.
const WORDS: [&str; 12] =
    ["room", "caller", "number", "target", "message", "invite", "annex", "doomed", "file", "talk", "said", "session"];

/// The kind of a caller. Except for `Member`, `Moderator` and `Founder`, nobody is a member of the rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Without any credential.
    Nobody,
    /// With the token of a guest, which is no credential over HTTP.
    Guest,
    Account,
    Member,
    Moderator,
    Founder,
    /// An administrator of the service.
    Admin,
    /// The owner of the service.
    Owner,
    /// A token of the member with the scope `read` alone.
    Reader,
    /// A token of the founder that was revoked.
    Revoked,
}

impl Caller {
    pub(crate) const ALL: [Self; 10] = [
        Self::Nobody,
        Self::Guest,
        Self::Account,
        Self::Member,
        Self::Moderator,
        Self::Founder,
        Self::Admin,
        Self::Owner,
        Self::Reader,
        Self::Revoked,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "visitor",
            Self::Guest => "guest",
            Self::Account => "account",
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Founder => "founder",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::Reader => "reader",
            Self::Revoked => "revoked",
        }
    }

    /// Whether it is an account with a session.
    const fn has_session(self) -> bool {
        !matches!(self, Self::Nobody | Self::Guest | Self::Reader | Self::Revoked)
    }
}

/// A service with all callers, and two rooms.
pub(crate) struct Fixture {
    pub(crate) site: Site,
    /// The credentials, by the name of the caller or account.
    tokens: HashMap<&'static str, String>,
    /// The ids of accounts, by name.
    ids: HashMap<&'static str, String>,
    /// A session of the member with the bots, and the id of a message in it.
    talk: (String, String),
    /// The ids of files in the private and in the public room.
    files: (String, String),
    count: AtomicU64,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        let site = Site::with_sections(SECTIONS, SETTINGS, &[]).await;
        let (talk, files, count) = Default::default();
        let mut fixture = Self { site, tokens: HashMap::new(), ids: HashMap::new(), talk, files, count };
        fixture.add_accounts().await;
        fixture.add_tokens().await;
        for (room, visibility) in [(PRIVATE, "private"), (PUBLIC, "public"), (ANNEX, "private")] {
            fixture.create(room, visibility).await;
        }
        fixture.files = (fixture.send_file(PRIVATE).await, fixture.send_file(PUBLIC).await);
        let session = fixture.begin_session().await;
        let sent =
            fixture.done(Method::POST, "/chat/message", "member", json!({ "message": "hello", "session_id": session }));
        let said = text(&sent.await["message_id"]);
        fixture.talk = (session, said);
        fixture
    }

    async fn add_accounts(&mut self) {
        let link = self.site.daemon.said.split("owner=").nth(1).unwrap();
        let secret = link.split_whitespace().next().unwrap().to_owned();
        for name in ["owner", "account", "member", "moderator", "founder", "admin", "target"] {
            let mut body = registration(name);
            if name == "owner" {
                body["owner"] = json!(secret);
            }
            let (status, account) = self.site.post("/api/auth/register", "", body).await;
            assert_eq!(status, 201, "{account}");
            self.ids.insert(name, text(&account["id"]));
            self.tokens.insert(name, text(&account["token"]));
        }
        let role = format!("/api/users/{}/role", self.ids["admin"]);
        self.done(Method::PUT, &role, "owner", json!({ "role": "admin" })).await;
    }

    async fn add_tokens(&mut self) {
        let reader = self.issue("member", &["read"]).await;
        self.tokens.insert("reader", text(&reader["token"]));
        let revoked = self.issue("founder", &["read", "write", "account"]).await;
        let path = format!("/api/auth/tokens/{}", text(&revoked["id"]));
        self.done(Method::DELETE, &path, "founder", Value::Null).await;
        self.tokens.insert("revoked", text(&revoked["token"]));
        let mut guest = Client::connect(&self.site.daemon.address).await.unwrap();
        guest.join(json!({ "username": "guest", "room": "general" })).await.unwrap();
        self.tokens.insert("guest", guest.token().to_owned());
        self.tokens.insert("visitor", String::new());
    }

    async fn issue(&self, name: &str, scopes: &[&str]) -> Value {
        self.done(Method::POST, "/api/auth/tokens", name, json!({ "name": "a program", "scopes": scopes })).await
    }

    /// Creates a room with its members.
    async fn create(&self, room: &str, visibility: &str) {
        let new = json!({ "name": room, "visibility": visibility });
        self.done(Method::POST, "/api/rooms", "founder", new).await;
        if room == ANNEX {
            return;
        }
        for name in ["member", "moderator", "target"] {
            self.site.admit(room, &self.tokens["founder"], &self.tokens[name]).await;
        }
        self.set_role(room, "moderator", "moderator").await;
    }

    async fn set_role(&self, room: &str, name: &str, role: &str) {
        let path = format!("/api/rooms/{room}/members/{}", self.ids[name]);
        self.done(Method::PUT, &path, "founder", json!({ "role": role })).await;
    }

    /// Sends a message of the member with a file. Returns the id of the file.
    async fn send_file(&self, room: &str) -> String {
        let mut client = Client::connect_with(&self.site.daemon.address, Some(&self.tokens["member"])).await.unwrap();
        client.join(json!({ "username": "member", "room": room })).await.unwrap();
        let asked = client.ask("upload", json!({ "name": "a.txt" })).await.unwrap();
        let place = client.ack(asked).await.unwrap();
        let put = self.site.request(Method::PUT, &text(&place["url"])).body("text").send().await.unwrap();
        assert_eq!(put.status(), 200);
        client.emit("send_message", json!({ "message": "", "files": [place["id"]] })).await.unwrap();
        let sent = client.wait("new_message").await.unwrap();
        text(&sent["attachments"][0]["url"]).rsplit('/').next().unwrap().to_owned()
    }

    /// Begins a session of the member with the bots. Returns its id.
    async fn begin_session(&self) -> String {
        let request = self.site.request(Method::POST, "/chat/upload").multipart(upload(""));
        let answer = request.bearer_auth(&self.tokens["member"]).send().await.unwrap();
        text(&answer.json::<Value>().await.unwrap()["session_id"])
    }

    /// Sends a request of an account, which has to succeed. Returns the JSON.
    async fn done(&self, method: Method, path: &str, name: &str, body: Value) -> Value {
        let (status, answer) = self.site.call(method, path, &self.tokens[name], body).await;
        assert!(status.is_success(), "{path} of {name}: {status} {answer}");
        answer
    }

    /// Replaces the words in braces.
    async fn filled(&self, words: &str, room: &str, caller: Caller) -> String {
        let mut filled = words.to_owned();
        for word in WORDS {
            let pattern = format!("{{{word}}}");
            if filled.contains(&pattern) {
                filled = filled.replace(&pattern, &self.value(word, room, caller).await);
            }
        }
        filled
    }

    async fn value(&self, word: &str, room: &str, caller: Caller) -> String {
        let invite = async |room: &str| {
            let made = self.done(Method::POST, &format!("/api/rooms/{room}/invites"), "founder", json!({})).await;
            text(&made["code"])
        };
        match word {
            "room" => room.to_owned(),
            "caller" => caller.name().to_owned(),
            "number" => self.number(),
            "target" => self.ids["target"].clone(),
            "message" => {
                let path = format!("/api/rooms/{room}/messages");
                text(&self.done(Method::POST, &path, "member", json!({ "message": "of the member" })).await["id"])
            }
            "invite" => invite(room).await,
            "annex" => invite(ANNEX).await,
            "doomed" => {
                let name = format!("doomed-{}", self.number());
                self.create(&name, if room == PRIVATE { "private" } else { "public" }).await;
                name
            }
            "file" if room == PRIVATE => self.files.0.clone(),
            "file" => self.files.1.clone(),
            "talk" => self.talk.0.clone(),
            "said" => self.talk.1.clone(),
            "session" => self.begin_session().await,
            other => panic!("{other} stands for nothing"),
        }
    }

    fn number(&self) -> String {
        self.count.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Returns the credential of a caller; a new one if the request ends it.
    async fn credential(&self, row: &Row, caller: Caller) -> String {
        let is_ended = row.method == "POST" && row.path.ends_with("/logout");
        if is_ended && caller == Caller::Reader {
            return text(&self.issue("member", &["read"]).await["token"]);
        }
        if is_ended && caller.has_session() {
            let name = caller.name();
            let login = json!({ "username": name, "password": format!("secret of {name}") });
            return text(&self.site.post("/api/auth/login", "", login).await.1["token"]);
        }
        self.tokens[caller.name()].clone()
    }

    /// Sends the request of a row. Returns the letter of the answer.
    pub(crate) async fn answer(&self, row: &Row, room: &str, caller: Caller) -> char {
        if row.target.contains("/members/{target}") {
            self.site.admit(room, &self.tokens["founder"], &self.tokens["target"]).await;
            self.set_role(room, "target", "member").await;
        }
        let target = if row.target.is_empty() { row.path } else { row.target };
        let path = self.filled(target, room, caller).await;
        let mut request = self.site.request(row.method.parse().unwrap(), &path);
        let credential = self.credential(row, caller).await;
        if !credential.is_empty() {
            request = request.bearer_auth(credential);
        }
        if row.path.starts_with("/ws/") {
            request = as_websocket(request);
        }
        let kind = |request: RequestBuilder, kind: &str, body: String| request.header(CONTENT_TYPE, kind).body(body);
        let request = match row.body {
            Body::None => request,
            Body::Json(body) => kind(request, "application/json", self.filled(body, room, caller).await),
            Body::Form(body) => kind(request, "application/x-www-form-urlencoded", body.to_owned()),
            Body::Text(body) => kind(request, "text/plain", body.to_owned()),
            Body::Upload(session) => request.multipart(upload(&self.filled(session, room, caller).await)),
        };
        letter(request.send().await.unwrap()).await
    }

    /// Sends an event. Returns the letter of its acknowledgement.
    pub(crate) async fn acknowledgement(&self, row: &Row, room: &str, caller: Caller) -> char {
        let Ok(mut client) = self.connect(caller).await else { return 'c' };
        let join = json!({ "username": caller.name(), "room": room });
        // Those who may not enter try the event all the same.
        let _joined = if row.path == "join_room" { None } else { client.join(join).await.ok() };
        let Body::Json(data) = row.body else { panic!("the data of an event is JSON") };
        let data = serde_json::from_str(&self.filled(data, room, caller).await).unwrap();
        let number = client.ask(row.path, data).await.unwrap();
        if client.ack(number).await.unwrap()["error"].is_string() { 'f' } else { 'a' }
    }

    /// Connects a caller to Socket.IO. A refusal takes some seconds.
    pub(crate) async fn connect(&self, caller: Caller) -> Result<Client, palabre_tests::ClientError> {
        let token = Some(self.tokens[caller.name()].as_str()).filter(|token| !token.is_empty());
        Client::connect_with(&self.site.daemon.address, token).await
    }
}

/// Returns a form with a file and the id of a session.
fn upload(session: &str) -> Form {
    Form::new().text("session_id", session.to_owned()).part("file", Part::text("hello").file_name("a.txt"))
}

fn as_websocket(request: RequestBuilder) -> RequestBuilder {
    let request = request.header(CONNECTION, "Upgrade").header(UPGRADE, "websocket");
    request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

/// Returns the letter of an answer.
async fn letter(answer: reqwest::Response) -> char {
    match answer.status().as_u16() {
        401 => {
            let refused: Value = answer.json().await.unwrap_or_default();
            let is_password = refused["error"].as_str().is_some_and(|error| error.contains("password"));
            if is_password { 'p' } else { 'u' }
        }
        403 => 'f',
        404 => 'h',
        500.. => '!',
        _ => 'a',
    }
}
