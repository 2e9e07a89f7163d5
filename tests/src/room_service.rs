//! A room service in the process of a test, with a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{Engine, Options};
use palabre_platform::{Adapter, SeededEntropy, VirtualClock};
use palabre_rooms::{Config, Rooms};
use palabre_store::Store;
use palabre_types::Bot;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::server::app::App;
use crate::site::{answered, registration, text};

/// The time at which the clock begins.
const START: u64 = 1_800_000_000_000;

/// A room service without scripts, and requests to it.
pub struct RoomService {
    /// The clock of the service and of its engine.
    pub clock: VirtualClock,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// The engine.
    pub engine: Engine,
    http: reqwest::Client,
    _app: App,
}

impl RoomService {
    /// Starts a service on a store.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(store: &Store, config: Config) -> Self {
        let clock = VirtualClock::new(START);
        let entropy = || Arc::new(SeededEntropy::new(1));
        let rooms = Rooms::new(store.clone(), config, Arc::new(clock.clone()), entropy());
        let app = App::serve(rooms.router()).await;
        let bot = Bot { name: "lobby".into(), platform: "rooms".into() };
        let engine = Engine::start(Options {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: entropy(),
            bots: vec![(bot, Arc::clone(&rooms) as Arc<dyn Adapter>)],
            scripts: Vec::new(),
            workers: 1,
            journal_retention: Duration::from_secs(86_400),
            settings: Default::default(),
            operators: Default::default(),
            http: Arc::new(palabre_engine::Web::default()),
        })
        .await
        .expect("the engine starts");
        rooms.ready().await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { clock, address: app.address.clone(), engine, http, _app: app }
    }

    /// Returns a request to build on.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    /// Sends a request with a token, if there is one. Returns the status and the JSON.
    ///
    /// # Panics
    /// If the service does not answer.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        answered(self.request(method, path), token, body).await
    }

    /// Registers an account. Returns its id and the token of its session.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn register(&self, name: &str) -> (String, String) {
        let (status, account) = self.call(Method::POST, "/api/auth/register", "", registration(name)).await;
        assert_eq!(status, 201, "{account}");
        (text(&account["id"]), text(&account["token"]))
    }
}
