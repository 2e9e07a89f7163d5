//! Paging in the room service: the history, and the list of users.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::collections::BTreeSet;

use palabre_tests::{Client, Daemon, Project};
use serde_json::{Value, json};

const BOTS: &str = "
bots:
  lobby:
    platform: rooms
    rooms: { presence_limit: 3, retention: { keep: ['*'] } }
";
/// The maximum size of a page in bytes; the rest of `room_joined` comes on top.
const PAGE_BYTES: usize = 256 << 10;

async fn asks(client: &mut Client, event: &str, data: Value) -> Value {
    let asked = client.ask(event, data).await.unwrap();
    client.ack(asked).await.unwrap()
}

fn texts(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().unwrap_or_else(|| panic!("no page: {page}"));
    messages.iter().map(|message| message["message"].as_str().unwrap().trim_end_matches('x').to_owned()).collect()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|name| name["username"].as_str().or(name.as_str()).unwrap()).collect()
}

/// Creates a room with `count` messages of alice of a given length, and returns the ids.
async fn talk(daemon: &Daemon, count: usize, length: usize) -> Vec<String> {
    let (mut alice, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        let text = format!("{number} {}", "x".repeat(length));
        ids.push(alice.say(&text, &format!("n{number}")).await.unwrap());
    }
    ids
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("{number} ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_messages_that_were_missed_come_by_pages_and_none_is_lost() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let ids = talk(&daemon, 130, 4_900).await;
    let join = json!({ "username": "bob", "room": "general", "last_id": ids[0] });
    let (mut bob, mut page) = Client::enter_with(&daemon.address, join).await.unwrap();
    assert_eq!(page["catch_up"], true);
    let (mut heard, mut pages) = (texts(&page), 1);
    while page["has_more"] == true {
        assert!(page["messages"].to_string().len() <= PAGE_BYTES, "a page is too large");
        page = asks(&mut bob, "history", json!({ "after": page["cursor"] })).await;
        heard.extend(texts(&page));
        pages += 1;
    }
    assert_eq!((heard, pages), (numbers(1..130), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_short_messages_that_were_missed_come_by_pages_of_two_hundred() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let ids = talk(&daemon, 230, 0).await;
    let join = json!({ "username": "bob", "room": "general", "last_id": ids[4] });
    let (mut bob, page) = Client::enter_with(&daemon.address, join).await.unwrap();
    assert_eq!((texts(&page), &page["has_more"]), (numbers(5..205), &json!(true)));
    let page = asks(&mut bob, "history", json!({ "after": page["cursor"] })).await;
    assert_eq!((texts(&page), &page["has_more"]), (numbers(205..230), &json!(false)));
    let page = asks(&mut bob, "history", json!({ "after": page["cursor"] })).await;
    assert_eq!((texts(&page), &page["has_more"]), (vec![], &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn older_messages_are_paged_too() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    talk(&daemon, 150, 0).await;
    let (mut bob, mut page) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    assert_eq!((page["catch_up"].as_bool(), texts(&page)), (Some(false), numbers(50..150)));
    let mut heard = texts(&page);
    while page["has_more"] == true {
        page = asks(&mut bob, "history", json!({ "before": page["cursor"], "limit": 20 })).await;
        assert!(texts(&page).len() <= 20);
        drop(heard.splice(0..0, texts(&page)));
    }
    assert_eq!(heard, numbers(0..150));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_entries_at_once_with_what_was_missed_hold_nobody_up() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let ids = talk(&daemon, 130, 4_900).await;
    let mut greedy = Client::connect(&daemon.address).await.unwrap();
    for _ in 0..60 {
        let join = json!({ "username": "greedy", "room": "general", "last_id": ids[0] });
        greedy.emit("join_room", join).await.unwrap();
    }
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    bob.say("hello", "1").await.unwrap();
    // Of several pages requested at once, one is read; the others are answered too.
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.push(bob.ask("history", json!({ "after": ids[0] })).await.unwrap());
    }
    let mut pages = 0;
    for number in asked {
        let answer = bob.ack(number).await.unwrap();
        match answer["error"].as_str() {
            Some(error) => assert!(error.contains("one page at a time"), "{error}"),
            None => pages += 1,
        }
    }
    assert!(pages >= 1, "not one of them was read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_makes_no_sense_is_refused() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let ids = talk(&daemon, 3, 0).await;
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    for (data, told) in [
        (json!({}), "either as before or as after"),
        (json!({ "before": ids[1], "after": ids[1] }), "either as before or as after"),
        (json!({ "before": "unknown" }), "no such message"),
        (json!({ "before": ids[1], "limit": 0 }), "limit must be from 1 to 200"),
        (json!({ "before": ids[1], "limit": 201 }), "limit must be from 1 to 200"),
        (json!({ "before": "x".repeat(1_000) }), "at most 256 bytes"),
        (json!({ "before": 5 }), "invalid type"),
    ] {
        let answer = asks(&mut bob, "history", data.clone()).await;
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(told)), "{data}: {answer}");
    }
    let mut stranger = Client::connect(&daemon.address).await.unwrap();
    assert_eq!(asks(&mut stranger, "history", json!({ "before": ids[1] })).await["error"], "join a room first");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_small_room_each_join_is_sent_separately_and_the_list_is_not_repeated() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let (mut alice, joined) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    assert_eq!((names(&joined["users"]), &joined["count"]), (vec!["alice", "palabre"], &json!(1)));
    let (bob, joined) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    assert_eq!(names(&joined["users"]), ["alice", "bob", "palabre"]);
    let told = alice.wait("user_joined").await.unwrap();
    assert_eq!((&told["username"], &told["count"]), (&json!("bob"), &json!(2)));
    drop(bob);
    let told = alice.wait("user_left").await.unwrap();
    assert_eq!((&told["username"], &told["count"]), (&json!("bob"), &json!(1)));
    let others: Vec<_> = alice.drain().into_iter().map(|(event, _)| event).collect();
    assert!(!others.contains(&"room_users".to_owned()), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_large_room_joins_and_leaves_are_merged() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let mut crowd = Vec::new();
    for number in 0..3 {
        crowd.push(Client::enter(&daemon.address, &format!("early{number}"), "general").await.unwrap().0);
    }
    for number in 0..8 {
        crowd.push(Client::enter(&daemon.address, &format!("late{number}"), "general").await.unwrap().0);
    }
    let mut watcher = crowd.remove(0);
    let mut joined = BTreeSet::new();
    let mut times = 0;
    while joined.len() < 8 {
        let told = watcher.wait("presence").await.unwrap();
        joined.extend(names(&told["joined"]).into_iter().map(ToOwned::to_owned));
        assert_eq!(told["left"], json!([]));
        times += 1;
        if joined.len() == 8 {
            assert_eq!(told["count"], json!(11));
        }
    }
    assert!(times <= 8, "each is sent separately");
    let single: Vec<_> = watcher.drain().into_iter().filter(|(event, _)| event == "user_joined").collect();
    assert_eq!(single.len(), 2, "{single:?}");

    crowd.truncate(4);
    let mut left = 0;
    while left < 6 {
        left += names(&watcher.wait("presence").await.unwrap()["left"]).len();
    }
    assert_eq!(left, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_list_is_paged_on_request() {
    let project = Project::new(BOTS, &[]);
    let daemon = project.start().await;
    let mut clients = Vec::new();
    for name in ["eve", "Dan", "carol", "bob", "alice"] {
        clients.push(Client::enter(&daemon.address, name, "general").await.unwrap().0);
    }
    let alice = &mut clients[4];
    let (mut cursor, mut found) = (Value::Null, Vec::new());
    loop {
        asks(alice, "room_users", json!({ "cursor": cursor, "limit": 2 })).await;
        let page = alice.wait("room_users").await.unwrap();
        assert_eq!((&page["count"], &page["cursor"]), (&json!(5), &cursor));
        found.extend(names(&page["users"]).into_iter().map(ToOwned::to_owned));
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(found, ["alice", "bob", "carol", "Dan", "eve", "palabre"]);
    let refused = asks(alice, "room_users", json!({ "limit": 1_000 })).await;
    assert!(refused["error"].as_str().unwrap().contains("from 1 to 200"), "{refused}");
}
