//! A daemon with a room service, and requests to its HTTP API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::daemon::{Daemon, Project};

/// A daemon with a room service, and requests to it.
pub struct Site {
    /// The daemon.
    pub daemon: Daemon,
    /// A client that follows no redirects.
    pub http: reqwest::Client,
    /// Its project.
    pub project: Project,
}

impl Site {
    /// Starts a daemon whose room service has these settings.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn new(settings: &str, scripts: &[(&str, &str)]) -> Self {
        Self::with_sections("server: { requests_per_minute: 100000 }", settings, scripts).await
    }

    /// Like [`Site::new`], with other sections of bots.yaml.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn with_sections(sections: &str, settings: &str, scripts: &[(&str, &str)]) -> Self {
        let bots = format!("{sections}\nbots: {{ lobby: {{ platform: rooms, rooms: {{ {settings} }} }} }}");
        let project = Project::new(&bots, scripts);
        let daemon = project.start().await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { daemon, http, project }
    }

    /// Returns a request to build on.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.daemon.address))
    }

    /// Sends a request with a token, if there is one. Returns the status and the JSON.
    ///
    /// # Panics
    /// If the daemon does not answer.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        answered(self.request(method, path), token, body).await
    }

    /// Like [`Site::call`], with GET.
    pub async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, token, Value::Null).await
    }

    /// Like [`Site::call`], with POST.
    pub async fn post(&self, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, token, body).await
    }

    /// Makes an account a member of a room, through an invite of its owner.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn admit(&self, room: &str, owner: &str, member: &str) {
        let (status, made) = self.post(&format!("/api/rooms/{room}/invites"), owner, json!({ "uses": 1 })).await;
        assert_eq!(status, 201, "{made}");
        let (status, joined) = self.post(&format!("/api/invites/{}", text(&made["code"])), member, Value::Null).await;
        assert_eq!(status, 200, "{joined}");
    }

    /// Registers an account. Returns its id and the token of its session.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn register(&self, name: &str) -> (String, String) {
        let (status, account) = self.post("/api/auth/register", "", registration(name)).await;
        assert_eq!(status, 201, "{account}");
        (text(&account["id"]), text(&account["token"]))
    }
}

/// Sends a request with a token, if there is one. Returns the status and the JSON.
pub(crate) async fn answered(mut request: reqwest::RequestBuilder, token: &str, body: Value) -> (StatusCode, Value) {
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// Returns a request for an account.
#[must_use]
pub fn registration(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.org"), "password": format!("secret of {name}") })
}

/// Returns the text of a JSON string.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}
