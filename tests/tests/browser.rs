//! Two browsers and a third-party Socket.IO client in one room.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a test that cannot continue panics")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder, Locator};
use palabre_tests::{Daemon, Project, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const WAIT_MAX: Duration = Duration::from_secs(20);

/// Returns the programs that this test needs.
///
/// If they are missing, reports that the test is skipped, which is not allowed in CI.
fn needed() -> Option<(&'static str, &'static str)> {
    let found = |program: &&str| {
        std::process::Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok()
    };
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let import =
            std::process::Command::new(python).args(["-c", "import aiohttp, socketio"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    });
    let driver = ["chromedriver", "/usr/bin/chromedriver"].into_iter().find(found);
    match (driver, python) {
        (Some(driver), Some(python)) => Some((driver, python)),
        _ => {
            let what = format!("chromedriver: {driver:?}, Python with socketio: {python:?}");
            assert!(std::env::var_os("CI").is_none(), "CI must not skip this test ({what})");
            println!("SKIPPED: {what}");
            None
        }
    }
}

struct Driver {
    process: Child,
    address: String,
}

impl Driver {
    async fn start(program: &str) -> Self {
        let mut process =
            Command::new(program).arg("--port=0").stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says where it is");
            if let Some((_, port)) = line.rsplit_once("successfully on port ") {
                let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
                return Self { process, address };
            }
        }
    }

    async fn browser(&self) -> Client {
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1200,800",
        ];
        let capabilities = json!({ "goog:chromeOptions": { "args": args }, "goog:loggingPrefs": { "browser": "ALL" } });
        let capabilities = capabilities.as_object().unwrap().clone();
        ClientBuilder::new(hyper_connector()).capabilities(capabilities).connect(&self.address).await.unwrap()
    }
}

fn hyper_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

async fn enter(browser: &Client, daemon: &Daemon, name: &str) {
    browser.goto(&format!("http://{}/", daemon.address)).await.unwrap();
    let fill = async |css: &str, text: &str| {
        let field = browser.wait().at_most(WAIT_MAX).for_element(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    };
    fill("#name", name).await;
    fill("#room", "general").await;
    browser.find(Locator::Css("#enter")).await.unwrap().click().await.unwrap();
    browser
        .wait()
        .at_most(WAIT_MAX)
        .for_element(Locator::Css(&format!("#people li[data-username='{name}']")))
        .await
        .unwrap();
}

async fn says(browser: &Client, text: &str) {
    let input = browser.find(Locator::Css("#input")).await.unwrap();
    input.send_keys(&format!("{text}\n")).await.unwrap();
}

/// Returns ids and texts as the page shows them, from top to bottom.
async fn shown(browser: &Client) -> Vec<(String, String)> {
    let script = "return [...document.querySelectorAll('#messages article.message')]\
                  .map(m => [m.dataset.id || '', m.querySelector('.text')?.innerText || ''])";
    let value = browser.execute(script, vec![]).await.unwrap();
    serde_json::from_value(value).unwrap()
}

/// Waits until the page shows a message with this text.
async fn sees(browser: &Client, text: &str) {
    let look = async || {
        let all = shown(browser).await;
        let is_shown = all.iter().any(|(_, shown)| shown.contains(text));
        is_shown.then_some(()).ok_or_else(|| format!("shown: {all:?}"))
    };
    eventually(WAIT_MAX, &format!("{text:?} on the page"), look).await;
}

/// Waits until the log contains a text.
async fn logs(project: &Project, timeout: Duration, text: &str) {
    let look = async || {
        let log = project.log();
        if log.contains(text) { Ok(()) } else { Err(log) }
    };
    eventually(timeout, &format!("{text:?} in the log"), look).await;
}

struct Listener {
    _process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    heard: Vec<(String, String)>,
}

impl Listener {
    async fn start(python: &str, daemon: &Daemon, name: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/listener.py");
        let mut process = Command::new(python)
            .args([script, &daemon.address, name, "general"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let input = process.stdin.take().unwrap();
        let mut listener = Self { _process: process, input, lines, heard: Vec::new() };
        listener.until(|event| event[0] == "room_joined").await;
        listener
    }

    async fn says(&mut self, text: &str) {
        self.input.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    async fn hears(&mut self, text: &str) {
        self.until(|event| event[0] == "new_message" && event[1]["message"].as_str().unwrap().contains(text)).await;
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        loop {
            let line = tokio::time::timeout(WAIT_MAX, self.lines.next_line()).await.expect("an event").unwrap();
            let event: Value = serde_json::from_str(&line.expect("the client runs")).unwrap();
            if event[0] == "new_message" {
                let text = |name: &str| event[1][name].as_str().unwrap().to_owned();
                self.heard.push((text("id"), text("message")));
            }
            if wanted(&event) {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_and_a_foreign_client_see_the_same() {
    let Some((driver, python)) = needed() else { return };
    let project = Project::shipped();
    let daemon = project.start().await;
    let mut driver = Driver::start(driver).await;
    let (alice, bob) = (driver.browser().await, driver.browser().await);
    enter(&alice, &daemon, "alice").await;
    enter(&bob, &daemon, "bob").await;
    let mut carol = Listener::start(python, &daemon, "carol").await;

    for round in 0..5 {
        says(&alice, &format!("alice says {round}")).await;
        carol.says(&format!("carol says {round}")).await;
        says(&bob, &format!("bob says {round}")).await;
    }
    says(&alice, "!roll 20").await;
    carol.hears("alice rolls").await;
    for browser in [&alice, &bob] {
        for name in ["alice", "bob", "carol"] {
            sees(browser, &format!("{name} says 4")).await;
        }
        sees(browser, "alice rolls").await;
    }
    let order = |all: Vec<(String, String)>| all.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let (first, second) = (order(shown(&alice).await), order(shown(&bob).await));
    assert_eq!(first, second, "both pages show the same order");
    assert_eq!(first.len(), 17);
    assert!(first.ends_with(&order(carol.heard.clone())), "and the third-party client received it");

    // A saved edit changes the answer within a second, for everyone.
    let dice = std::fs::read_to_string(project.path().join("scripts/dice.luau")).unwrap();
    let edited = dice.replace("name = event.user.name,", "name = event.user.name .. \" throws and\",");
    assert_ne!(edited, dice);
    project.write_script("dice.luau", &edited);
    let saved = Instant::now();
    logs(&project, Duration::from_secs(1), "reloaded").await;
    says(&bob, "!roll 20").await;
    carol.hears("bob throws").await;
    sees(&alice, "bob throws").await;
    println!("a saved edit answers after {:.0?}", saved.elapsed());

    // After a syntax error the old version still answers, and the log shows the place.
    project.write_script("dice.luau", "function on_message(event)\n  event:reply(\nend\n");
    logs(&project, WAIT_MAX, "dice.luau:3:").await;
    carol.says("!roll 6").await;
    carol.hears("carol throws").await;
    sees(&bob, "carol throws").await;

    for browser in [&alice, &bob] {
        assert_eq!(errors(browser).await, [""; 0], "the console has no errors");
    }
    alice.close().await.unwrap();
    bob.close().await.unwrap();
    driver.process.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_on_the_page_and_keeps_the_name() {
    let Some((driver, _)) = needed() else { return };
    let project = Project::new("bots: { lobby: { platform: rooms } }", &[]);
    let daemon = project.start().await;
    let mut driver = Driver::start(driver).await;
    let page = driver.browser().await;
    let at = |path: &str| format!("http://{}{path}", daemon.address);
    let element = async |css: &str| page.wait().at_most(WAIT_MAX).for_element(Locator::Css(css)).await.unwrap();

    page.goto(&at("/register-page")).await.unwrap();
    for (field, text) in [("#username", "alice"), ("#email", "alice@example.org"), ("#password", "long enough")] {
        element(field).await.send_keys(text).await.unwrap();
    }
    element(".primary").await.click().await.unwrap();
    element("#account-in:not([hidden])").await;
    assert_eq!(element("#account-name").await.text().await.unwrap(), "alice");
    let name = element("#name").await;
    assert_eq!(name.prop("value").await.unwrap().as_deref(), Some("alice"));
    assert_eq!(name.prop("readOnly").await.unwrap().as_deref(), Some("true"));
    element("#room").await.send_keys("general").await.unwrap();
    element("#enter").await.click().await.unwrap();
    element("#people li[data-username='alice']").await;
    says(&page, "my own name").await;
    sees(&page, "my own name").await;
    assert_eq!(errors(&page).await, [""; 0]);

    // After signing out, the name belongs to nobody on this page.
    page.goto(&at("/logout")).await.unwrap();
    element("#account-out:not([hidden])").await;
    for (field, text) in [("#name", "alice"), ("#room", "general")] {
        let field = element(field).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }
    element("#enter").await.click().await.unwrap();
    let refused = async || {
        let text = element("#entry-error").await.text().await.unwrap();
        if text.contains("belongs to an account") { Ok(()) } else { Err(text) }
    };
    eventually(WAIT_MAX, "the refusal", refused).await;

    page.goto(&at("/login-page")).await.unwrap();
    element("#username").await.send_keys("alice").await.unwrap();
    element("#password").await.send_keys("long enough").await.unwrap();
    element(".primary").await.click().await.unwrap();
    element("#account-in:not([hidden])").await;
    page.close().await.unwrap();
    driver.process.kill().await.unwrap();
}

/// Returns the errors that the page itself has caught.
async fn errors(browser: &Client) -> Vec<String> {
    let toasts = "return [...document.querySelectorAll('[role=alert]')].map(t => t.innerText).filter(t => t.trim())";
    serde_json::from_value(browser.execute(toasts, vec![]).await.unwrap()).unwrap()
}
