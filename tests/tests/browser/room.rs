//! Two browsers and a third-party Socket.IO client in one room.

use std::process::Stdio;
use std::time::{Duration, Instant};

use fantoccini::Locator;
use palabre_tests::{Daemon, Project, eventually};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::browsing::{Driver, WAIT_MAX, driver, enter, errors, is_there, says, sees, shown};

/// Returns Python, if it has the client that this test needs.
///
/// If it is missing, reports that the test is skipped, which is not allowed in CI.
fn python() -> Option<&'static str> {
    let found = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let import =
            std::process::Command::new(python).args(["-c", "import aiohttp, socketio"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    });
    is_there("Python with socketio", found)
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
    let (Some(driver), Some(python)) = (driver(), python()) else { return };
    let project = Project::shipped();
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let (alice, bob) = (driver.browser().await, driver.browser().await);
    enter(&alice, &daemon.address, "alice").await;
    enter(&bob, &daemon.address, "bob").await;
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
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_on_the_page_and_keeps_the_name() {
    let Some(driver) = driver() else { return };
    let project = Project::new("bots: { lobby: { platform: rooms } }", &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
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
    driver.stop().await;
}
