//! A daemon with a bot in the rooms and a bot on another platform, and one shipped script.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::routing::get;
use palabre_tests::{App, Daemon, Project, assert_reexecutable};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::driver::Driver;
use super::scenario::{Platform, Scenario};

/// The token of programs that call routes of scripts.
const TOKEN: &str = "the-token-of-a-program";

/// The other platform of the test: its stand-in, with a bot.
pub(crate) trait OtherPlatform: Sized {
    const PLATFORM: Platform;
    /// The folder of its transcripts, relative to this file.
    const SNAPSHOTS: &'static str;
    type Driver: Driver;

    /// Starts with `cast` as members, before the daemon; none if the platform's description is missing.
    async fn start(scenario: &Scenario) -> Option<Self>;
    /// Returns the bot's line in bots.yaml.
    fn bot(&self) -> String;
    /// Formats a room as configurations write it.
    fn room(&self, place: &str) -> String;
    /// Waits until the bot is connected.
    async fn is_up(&self);
    fn driver(&self, cast: &[(&str, &str)]) -> Self::Driver;
    /// Converts a script's text to the CommonMark that both platforms can show.
    fn seen(text: &str) -> String {
        text.to_owned()
    }
    /// Returns the bot's violations of the platform's rules.
    fn violations(&self) -> String;
}

pub(crate) struct Fixture<P> {
    pub(crate) other: P,
    pub(crate) daemon: Daemon,
    project: Logged,
    feed: Feed,
}

impl<P: OtherPlatform> Fixture<P> {
    /// Starts everything; none if the platform is not available.
    ///
    /// `home` is the platform of the room in the script's config.
    pub(crate) async fn start(scenario: &Scenario, home: Platform) -> Option<Self> {
        let other = P::start(scenario).await?;
        let feed = Feed::start().await;
        let project = Project::with_shipped(&bots(scenario, home, &other, &feed.address), scenario.scripts);
        let project = Logged(project);
        let daemon = project.0.start().await;
        other.is_up().await;
        Some(Self { other, daemon, project, feed })
    }

    /// Checks that the bot violated none of the platform's rules, and stops the daemon cleanly.
    ///
    /// Every step of its journal must do the same when it is executed again.
    pub(crate) async fn ends_well(self) {
        assert_eq!(self.other.violations(), "", "log:\n{}", self.project.0.log());
        assert!(self.daemon.stop().await, "{}", self.project.0.log());
        assert_reexecutable(&self.project.0);
    }

    /// Calls a route of the first script, and returns status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let url = format!("http://{}{path}", self.daemon.address);
        // Without a choice, reqwest would not know which of several crypto providers to use.
        let _first = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::new().request(method.parse().unwrap(), url).bearer_auth(TOKEN);
        let request =
            if body.is_empty() { request } else { request.json(&serde_json::from_str::<Value>(body).unwrap()) };
        let answer = request.send().await.unwrap();
        format!("{} {}", answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn publish(&self, title: &str) {
        self.feed.publish(title).await;
    }
}

/// A project whose log is printed when its test fails.
struct Logged(Project);

impl Drop for Logged {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the log of the daemon:\n{}", self.0.log());
        }
    }
}

/// Returns the bots.yaml: the script has the settings of the shipped one.
fn bots<P: OtherPlatform>(scenario: &Scenario, home: Platform, other: &P, feed: &str) -> String {
    let room = |place: &str| match home {
        Platform::Rooms => format!("lobby/{place}"),
        Platform::Discord | Platform::Telegram => other.room(place),
    };
    let (here, target) = (room("general"), scenario.target.map_or_else(String::new, room));
    let bot = other.bot();
    let host = feed.trim_start_matches("http://");
    let settings = scenario.settings.replace("{target}", &target).replace("{feed}", feed).replace("{host}", host);
    let settings = settings.replace("{token}", TOKEN).replace("{here}", &here);
    let (script, moderators) = (scenario.scripts[0], scenario.moderators.join(", ").to_lowercase());
    format!(
        r#"bots:
  lobby: {{ platform: rooms, prefix: "!", permissions: {{ owner: [olivia], moderator: [{moderators}] }} }}
  {bot}
scripts:
  {script}: {{ {settings} }}
"#
    )
}

/// A JSON feed that grows.
struct Feed {
    /// `http://127.0.0.1:PORT`
    address: String,
    titles: Arc<Mutex<Vec<String>>>,
    asked: watch::Sender<usize>,
    _app: App,
}

impl Feed {
    async fn start() -> Self {
        let (titles, asked) = (Arc::new(Mutex::new(vec!["Article 1".to_owned()])), watch::Sender::new(0));
        let (shown, count) = (Arc::clone(&titles), asked.clone());
        let answer = move || {
            count.send_modify(|count| *count += 1);
            let answer = Json(document(&shown.lock().unwrap()));
            async move { answer }
        };
        let app = App::serve(axum::Router::new().route("/feed.json", get(answer))).await;
        Self { address: format!("http://{}", app.address), titles, asked, _app: app }
    }

    /// Adds an article.
    ///
    /// The script ignores the articles of its first run, which has ended when it polls again.
    async fn publish(&self, title: &str) {
        self.asked.subscribe().wait_for(|count| *count >= 2).await.unwrap();
        self.titles.lock().unwrap().push(title.to_owned());
    }
}

/// Returns the feed with these articles, the newest first.
fn document(titles: &[String]) -> Value {
    let item = |title: &String| json!({ "id": title, "title": title, "url": "https://news.example/article" });
    json!({ "title": "The News", "items": titles.iter().rev().map(item).collect::<Vec<_>>() })
}
