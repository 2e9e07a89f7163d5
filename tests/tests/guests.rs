//! Identities of guests of the room service: the same user, or only the same name.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{Engine, Options};
use palabre_platform::{Adapter, SeededEntropy, VirtualClock};
use palabre_rooms::{Config, Rooms};
use palabre_store::Store;
use palabre_tests::{App, Client, Daemon, Project, eventually};
use palabre_types::Bot;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(86_400);
const BOSS: &str = "the-token-of-the-boss";

const BOTS: &str = "
bots:
  lobby:
    platform: rooms
    permissions: { moderator: [lobby/boss, chief, crew] }
    rooms: { name_tokens: { boss: the-token-of-the-boss } }
scripts:
  test: { grants: [moderation] }
";
const SCRIPT: &str = r#"
function on_message(event)
  if event.text == "!rank" then event:reply("rank " .. event:permission())
  elseif event.text == "!role" then event.member:add_role("crew")
  elseif event.text == "!ban" then event.member:ban("spam")
  elseif event.text == "!mute" then event.member:mute("1h")
  end
end
"#;

async fn asks(client: &mut Client, event: &str, data: Value) -> Value {
    let asked = client.ask(event, data).await.unwrap();
    client.ack(asked).await.unwrap()
}

/// Enters as the guest with this token, or as a new one.
async fn enters(daemon: &Daemon, token: Option<&str>, username: &str) -> Result<Client, String> {
    let mut client = Client::connect_with(&daemon.address, token).await.unwrap();
    let join = json!({ "username": username, "room": "general" });
    client.join(join).await.map(|_| client).map_err(|error| error.0)
}

/// Leaves the room: the name is free once this returns.
async fn leaves(mut client: Client) -> String {
    asks(&mut client, "leave_room", json!({})).await;
    client.token().to_owned()
}

async fn rank(client: &mut Client) -> String {
    asks(client, "send_message", json!({ "message": "!rank" })).await;
    client.hears("rank ").await.unwrap()["message"].as_str().unwrap().to_owned()
}

fn refusal(answer: &Value) -> &str {
    answer["error"].as_str().unwrap_or_else(|| panic!("it was taken: {answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_alice_by_way_of_the_same_proxy_changes_nothing_of_the_first_one_s() {
    let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    let mut alice = enters(&daemon, None, "alice").await.unwrap();
    let id = alice.say("mine", "1").await.unwrap();
    assert!(asks(&mut alice, "react", json!({ "id": id, "emoji": "👍" })).await["error"].is_null());
    for name in ["alice", "ALICE", "аlice"] {
        let refused = enters(&daemon, None, name).await.unwrap_err();
        assert!(refused.contains("is taken"), "{name}: {refused}");
    }
    let token = leaves(alice).await;

    let mut other = enters(&daemon, None, "alice").await.unwrap();
    assert_ne!(other.token(), token);
    let refused = asks(&mut other, "edit_message", json!({ "id": id, "message": "hers" })).await;
    assert!(refusal(&refused).contains("own messages"), "{refused}");
    let refused = asks(&mut other, "delete_message", json!({ "id": id })).await;
    assert!(refusal(&refused).contains("own messages"), "{refused}");
    let refused = asks(&mut other, "react", json!({ "id": id, "emoji": "👍", "remove": true })).await;
    assert!(refusal(&refused).contains("own reactions"), "{refused}");
    let own = other.say("also mine", "1").await.unwrap();
    assert_ne!(own, id, "a nonce is its author's own");
    leaves(other).await;

    let mut alice = enters(&daemon, Some(&token), "alice").await.unwrap();
    assert!(asks(&mut alice, "edit_message", json!({ "id": id, "message": "still mine" })).await["error"].is_null());
    assert!(refusal(&asks(&mut alice, "delete_message", json!({ "id": own })).await).contains("own messages"));
    // Under another name and on a second connection, she is the same guest.
    let mut renamed = enters(&daemon, Some(&token), "alicia").await.unwrap();
    assert!(asks(&mut renamed, "delete_message", json!({ "id": id })).await["error"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_the_same_person_after_a_restart_and_a_made_up_token_is_nobody_s() {
    let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    let mut alice = enters(&daemon, None, "alice").await.unwrap();
    let id = alice.say("hello", "1").await.unwrap();
    let token = alice.token().to_owned();
    assert!(daemon.stop().await, "{}", project.log());
    let daemon = project.start().await;
    let mut alice = Client::connect_with(&daemon.address, Some(&token)).await.unwrap();
    let joined = alice.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    assert_eq!((alice.token(), &joined["token"]), (&*token, &json!(token)));
    assert_eq!(joined["messages"][0]["author"], joined["author"], "the page knows its own messages by it");
    assert!(asks(&mut alice, "delete_message", json!({ "id": id })).await["error"].is_null());
    for made_up in ["x", "not a token", &"f".repeat(64), &"x".repeat(10_000)] {
        let client = Client::connect_with(&daemon.address, Some(made_up)).await.unwrap();
        assert_ne!(client.token(), made_up);
        assert_eq!(client.token().len(), 64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_the_guest_s_and_not_the_name_s() {
    let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    let mut alice = enters(&daemon, None, "alice").await.unwrap();
    assert_eq!(rank(&mut alice).await, "rank everyone");
    alice.emit("send_message", json!({ "message": "!role" })).await.unwrap();
    assert_eq!(alice.wait("moderated").await.unwrap()["kind"], "role_added");
    assert_eq!(rank(&mut alice).await, "rank moderator");
    let token = leaves(alice).await;
    let mut other = enters(&daemon, None, "alice").await.unwrap();
    assert_eq!(rank(&mut other).await, "rank everyone");
    leaves(other).await;
    let mut alice = enters(&daemon, Some(&token), "alice").await.unwrap();
    assert_eq!(rank(&mut alice).await, "rank moderator");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_a_moderator_by_choosing_a_name() {
    let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    let forwarded = [("x-forwarded-for", "203.0.113.7")];
    for name in ["chief", "CHIEF", "ch1ef", "crew"] {
        let mut stranger = Client::connect_by(&daemon.address, None, &forwarded).await.unwrap();
        let refused = stranger.join(json!({ "username": name, "room": "general" })).await.unwrap_err();
        assert!(refused.0.contains("name_tokens"), "{name}: {refused:?}");
    }
    let mut lobby = enters(&daemon, None, "lobby").await.unwrap();
    assert_eq!(rank(&mut lobby).await, "rank everyone");
    let mut chief = enters(&daemon, None, "chief").await.unwrap();
    assert_eq!(rank(&mut chief).await, "rank moderator", "from the machine of the server");
    for name in ["boss", "Boss", "b0ss"] {
        let refused = enters(&daemon, None, name).await.unwrap_err();
        assert!(refused.contains("reserved"), "{name}: {refused}");
    }
    let mut boss = enters(&daemon, Some(BOSS), "boss").await.unwrap();
    assert_eq!(rank(&mut boss).await, "rank moderator");
}

#[tokio::test(flavor = "multi_thread")]
async fn bans_and_mutes_hold_for_the_guest_and_for_names_that_look_alike() {
    let project = Project::new(BOTS, &[("test.luau", SCRIPT)]);
    let daemon = project.start().await;
    let mut bob = enters(&daemon, None, "bob").await.unwrap();
    bob.emit("send_message", json!({ "message": "!ban" })).await.unwrap();
    assert_eq!(bob.wait("moderated").await.unwrap()["kind"], "banned");
    let token = leaves(bob).await;
    for (token, name) in [(None, "bob"), (None, "b0b"), (Some(&*token), "robert")] {
        let refused = enters(&daemon, token, name).await.unwrap_err();
        assert!(refused.contains("banned"), "{name}: {refused}");
    }
    let mut carol = enters(&daemon, None, "carol").await.unwrap();
    carol.emit("send_message", json!({ "message": "!mute" })).await.unwrap();
    assert_eq!(carol.wait("moderated").await.unwrap()["kind"], "muted");
    let token = leaves(carol).await;
    let mut renamed = enters(&daemon, Some(&token), "caroline").await.unwrap();
    let refused = asks(&mut renamed, "send_message", json!({ "message": "hello" })).await;
    assert!(refusal(&refused).contains("muted"), "{refused}");
    let mut dan = enters(&daemon, None, "dan").await.unwrap();
    dan.say("hello", "1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_used_for_thirty_days_is_nobody_s() {
    let store = Store::in_memory().unwrap();
    let clock = VirtualClock::new(1_800_000_000_000);
    let entropy = || Arc::new(SeededEntropy::new(1));
    let rooms = Rooms::new(store.clone(), Config::default(), Arc::new(clock.clone()), entropy());
    let engine = Engine::start(Options {
        store,
        clock: Arc::new(clock.clone()),
        entropy: entropy(),
        bots: vec![(Bot { name: "lobby".into(), platform: "rooms".into() }, Arc::clone(&rooms) as Arc<dyn Adapter>)],
        scripts: Vec::new(),
        workers: 1,
        journal_retention: DAY,
        settings: Default::default(),
        operators: Default::default(),
        http: Arc::new(palabre_engine::Web::default()),
    })
    .await
    .unwrap();
    rooms.ready().await;
    let app = App::serve(rooms.router()).await;

    let mut alice = Client::connect(&app.address).await.unwrap();
    let token = alice.token().to_owned();
    alice.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    // Her message is durable, and so is what was written before it. Then nobody is connected any
    // more.
    alice.say("hello", "1").await.unwrap();
    asks(&mut alice, "leave_room", json!({})).await;
    clock.advance(29 * DAY);
    assert_eq!(Client::connect_with(&app.address, Some(&token)).await.unwrap().token(), token);
    // Being connected counts as use, so the time begins when the service has noticed that she is
    // gone.
    drop(alice);
    let is_empty = async || {
        let stats = reqwest::get(format!("http://{}/api/stats", app.address)).await.unwrap().text().await.unwrap();
        if stats.contains("\"connections\":0") { Ok(()) } else { Err(stats) }
    };
    eventually(Duration::from_secs(60), "the end of the connection", is_empty).await;
    clock.advance(31 * DAY);
    assert_ne!(Client::connect_with(&app.address, Some(&token)).await.unwrap().token(), token);
    engine.shutdown().await;
}
