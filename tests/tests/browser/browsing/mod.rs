//! Browsers for the tests of the page.

mod cable;

use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use palabre_tests::eventually;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub use cable::Cable;

/// The maximum wait before a test fails.
pub const WAIT_MAX: Duration = Duration::from_secs(20);

/// Returns chromedriver, if there is one.
pub fn driver() -> Option<&'static str> {
    let found = |program: &&str| {
        std::process::Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok()
    };
    is_there("chromedriver", ["chromedriver", "/usr/bin/chromedriver"].into_iter().find(found))
}

/// Passes a program through.
///
/// If it is missing, reports that the test is skipped, which is not allowed in CI.
pub fn is_there(what: &str, program: Option<&'static str>) -> Option<&'static str> {
    if program.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI must not skip this test: there is no {what}");
        println!("SKIPPED: there is no {what}");
    }
    program
}

/// A running chromedriver.
pub struct Driver {
    process: Child,
    address: String,
}

impl Driver {
    pub async fn start(program: &str) -> Self {
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

    /// Opens a browser with a profile of its own.
    pub async fn browser(&self) -> Client {
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
            "--lang=en-GB",
        ];
        let capabilities = json!({ "goog:chromeOptions": { "args": args }, "goog:loggingPrefs": { "browser": "ALL" } });
        let capabilities = capabilities.as_object().unwrap().clone();
        ClientBuilder::new(hyper_connector()).capabilities(capabilities).connect(&self.address).await.unwrap()
    }

    pub async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }
}

fn hyper_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// Enters the room `general`.
pub async fn enter(browser: &Client, address: &str, name: &str) {
    browser.goto(&format!("http://{address}/")).await.unwrap();
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

/// Makes the page believe that its tab is hidden, or shown once more.
pub async fn hide(browser: &Client, is_hidden: bool) {
    let change = if is_hidden {
        "Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })"
    } else {
        "delete document.hidden"
    };
    let script = format!("{change}; document.dispatchEvent(new Event('visibilitychange'))");
    browser.execute(&script, vec![]).await.unwrap();
}

/// Types a text into the message box and sends it.
pub async fn says(browser: &Client, text: &str) {
    let input = browser.find(Locator::Css("#input")).await.unwrap();
    input.send_keys(&format!("{text}\n")).await.unwrap();
}

/// Returns ids and texts as the page shows them, from top to bottom.
pub async fn shown(browser: &Client) -> Vec<(String, String)> {
    let script = "return [...document.querySelectorAll('#messages article.message')]\
                  .map(m => [m.dataset.id || '', m.querySelector('.text')?.innerText || ''])";
    let value = browser.execute(script, vec![]).await.unwrap();
    serde_json::from_value(value).unwrap()
}

/// Waits until the page shows a message with this text.
pub async fn sees(browser: &Client, text: &str) {
    let look = async || {
        let all = shown(browser).await;
        let is_shown = all.iter().any(|(_, shown)| shown.contains(text));
        is_shown.then_some(()).ok_or_else(|| format!("shown: {all:?}"))
    };
    eventually(WAIT_MAX, &format!("{text:?} on the page"), look).await;
}

/// Waits for an element.
pub async fn element(browser: &Client, css: &str) -> Element {
    browser.wait().at_most(WAIT_MAX).for_element(Locator::Css(css)).await.unwrap()
}

/// Waits for an element and clicks it.
pub async fn click(browser: &Client, css: &str) {
    let look = async || element(browser, css).await.click().await.map_err(|error| error.to_string());
    eventually(WAIT_MAX, &format!("{css} to be clickable"), look).await;
}

/// Types keys into an element.
pub async fn types(browser: &Client, css: &str, keys: &str) {
    let look = async || element(browser, css).await.send_keys(keys).await.map_err(|error| error.to_string());
    eventually(WAIT_MAX, &format!("{css} to take text"), look).await;
}

/// Returns the value of an expression in the page.
pub async fn value(browser: &Client, expression: &str) -> Value {
    browser.execute(&format!("return {expression}"), vec![]).await.unwrap()
}

/// Waits until an expression has a value in the page.
pub async fn until(browser: &Client, expression: &str, wanted: impl Into<Value>) {
    let wanted = wanted.into();
    let look = async || {
        // An element may not be there yet.
        match browser.execute(&format!("return {expression}"), vec![]).await {
            Ok(found) if found == wanted => Ok(()),
            Ok(found) => Err(format!("it is {found}")),
            Err(error) => Err(error.to_string()),
        }
    };
    eventually(WAIT_MAX, &format!("{expression} to be {wanted}"), look).await;
}

/// Returns the errors that the page itself has caught.
pub async fn errors(browser: &Client) -> Vec<String> {
    let toasts = "return [...document.querySelectorAll('[role=alert]')].map(t => t.innerText).filter(t => t.trim())";
    serde_json::from_value(browser.execute(toasts, vec![]).await.unwrap()).unwrap()
}
