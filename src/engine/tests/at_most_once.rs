//! Messages that are sent at most once, on a platform where nobody knows what became of a request.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use palabre_engine::{ScriptSetup, stored_values};
use palabre_types::{ActionError, ActionKind};
use support::daemon::Daemon;
use support::script;

/// Direct messages are stored nowhere, so the simulated platform knows them by no key either.
const SCRIPT: &str = r#"
function on_message(event)
  local guarantee = if event.text == "default" then nil else "at_most_once"
  local sent = event.user:dm{ text = event.text, delivery = guarantee }
  if event.text == "awaited" then
    local _, problem = pcall(function() sent:delivered() end)
    store.set("problem", problem)
  end
end
function on_error(event) store.set("told", event.error.message) end
"#;

fn setup() -> ScriptSetup {
    let mut setup = script("careful", SCRIPT);
    setup.grants = vec!["direct".into()];
    setup
}

fn stored(daemon: &Daemon, key: &str) -> Option<String> {
    let (snapshot, script) = (daemon.store.snapshot(0).unwrap(), "careful".into());
    let mut values = stored_values(&snapshot, &script, "").unwrap().map(Result::unwrap);
    values.find(|(name, _)| name == key).and_then(|(_, value)| value.as_str().map(ToOwned::to_owned))
}

fn unanswered() -> ActionError {
    ActionError::Uncertain("no response in time".to_owned())
}

fn received(daemon: &Daemon) -> usize {
    let transcript = daemon.platform.sim.transcript();
    transcript.lines().iter().filter(|line| line.author == "sim" && line.to.is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_which_nobody_knows_whether_it_was_sent_is_reported_and_not_tried_again() {
    let daemon = Daemon::new(vec![setup()]).await;
    daemon.platform.refuses(|_| Some(unanswered()));
    daemon.says("general", "once").await;
    daemon.soon("on_error is called", |daemon| stored(daemon, "told").is_some()).await;
    let told = stored(&daemon, "told").unwrap();
    assert!(told.contains("may or may not have been sent") && told.contains("no response in time"), "{told}");
    daemon.says("general", "awaited").await;
    // With the clock at rest: a wait for an outcome ends after a minute.
    daemon.soon("the run is told", |daemon| stored(daemon, "problem").is_some()).await;
    let problem = stored(&daemon, "problem").unwrap();
    assert!(problem.contains("it may or may not") && !problem.contains("it was not done"), "{problem}");

    daemon.platform.refuses(|_| None);
    let daemon = daemon.restart(vec![setup()]).await;
    daemon.until("nothing is left", Duration::from_secs(1), Daemon::is_done).await;
    assert_eq!((daemon.platform.attempts(ActionKind::Direct), received(&daemon)), (2, 0));
    assert!(daemon.dead_letters().is_empty(), "nobody can try it again");
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_certainly_not_sent_is_tried_again() {
    let daemon = Daemon::new(vec![setup()]).await;
    let tried = AtomicUsize::new(0);
    daemon.platform.refuses(move |_| match tried.fetch_add(1, SeqCst) {
        0 => Some(ActionError::Transient("the connection is refused".to_owned())),
        1 => Some(ActionError::RateLimited { retry_after: Duration::from_secs(3) }),
        _ => None,
    });
    daemon.says("general", "once").await;
    daemon.until("it is sent", Duration::from_secs(1), |daemon| received(daemon) == 1).await;
    daemon.until("nothing is left", Duration::from_secs(1), Daemon::is_done).await;
    assert_eq!((daemon.platform.attempts(ActionKind::Direct), stored(&daemon, "told")), (3, None));
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_for_its_next_attempt_is_sent_after_a_restart() {
    let daemon = Daemon::new(vec![setup()]).await;
    daemon.platform.refuses(|_| Some(ActionError::Unavailable("it is away".to_owned())));
    daemon.says("general", "once").await;
    daemon.until("an attempt", Duration::ZERO, |daemon| daemon.platform.attempts(ActionKind::Direct) > 0).await;
    let daemon = daemon.restart(vec![setup()]).await;
    daemon.platform.refuses(|_| None);
    daemon.until("it is sent", Duration::from_secs(1), |daemon| received(daemon) == 1).await;
    assert_eq!(stored(&daemon, "told"), None);
    daemon.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_that_guarantee_it_is_tried_again_all_the_same() {
    let daemon = Daemon::new(vec![setup()]).await;
    let tried = AtomicUsize::new(0);
    daemon.platform.refuses(move |_| (tried.fetch_add(1, SeqCst) < 2).then(unanswered));
    daemon.says("general", "default").await;
    daemon.until("it is sent", Duration::from_secs(1), |daemon| received(daemon) == 1).await;
    assert_eq!((daemon.platform.attempts(ActionKind::Direct), stored(&daemon, "told")), (3, None));
    daemon.engine.shutdown().await;
}
