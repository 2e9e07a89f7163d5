//! Messages that are split on Telegram, and texts with more entities than one message can have.

use palabre_tests::telegram::StandIn;
use palabre_types::{Action, Content, FileToSend, MessageId, MessageRef};
use serde_json::json;

use crate::alone::{Alone, id_of};

/// Returns a text of numbered words, so that all parts differ.
fn words(name: &str, count: usize) -> String {
    (0..count).map(|number| format!("{name}{number:05}")).collect::<Vec<_>>().join(" ")
}

fn edit(alone: &Alone, id: &MessageId, text: &str) -> Action {
    let message = MessageRef::Id(id.clone());
    Action::Edit { room: alone.room("Village"), message, content: Content::text(text) }
}

/// Returns the texts of all posts of the bot in the chat as one.
fn whole(telegram: &StandIn) -> String {
    telegram.texts("Village").join(" ")
}

#[tokio::test]
async fn a_long_message_is_edited_and_deleted_with_all_of_its_parts_also_after_a_restart() {
    let Some(mut alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    let id = alone.says("Village", Content::text(words("a", 1_000))).await;
    assert_eq!(telegram.texts("Village").len(), 2);
    for restarts in [false, true] {
        if restarts {
            alone = alone.restarted().await;
        }
        // The same number of parts, more, fewer, one, and more again.
        for (count, parts) in [(1_001, 2), (2_000, 4), (1_000, 2), (3, 1), (1_300, 3)] {
            let text = words(if restarts { "b" } else { "c" }, count);
            alone.does(&edit(&alone, &id, &text)).await;
            assert_eq!((whole(&telegram), telegram.texts("Village").len()), (text, parts), "{count} words");
        }
    }
    alone = alone.restarted().await;
    let message = MessageRef::Id(id);
    alone.does(&Action::Delete { room: alone.room("Village"), message, reason: None }).await;
    assert_eq!(telegram.texts("Village"), Vec::<String>::new());
    alone.broke_no_rule();
}

#[tokio::test]
async fn a_short_message_may_become_long_and_keeps_its_buttons_below() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    let id = alone.says("Village", Content::text("short")).await;
    let button = palabre_types::Button {
        label: "Go".to_owned(),
        action: "go".to_owned(),
        style: None,
        url: None,
        disabled: false,
    };
    let content = Content { buttons: vec![button], ..Content::text(words("a", 1_000)) };
    let message = MessageRef::Id(id.clone());
    alone.does(&Action::Edit { room: alone.room("Village"), message, content }).await;
    let posts = telegram.posted("Village");
    let buttons: Vec<usize> = posts.iter().map(|post| post.buttons().len()).collect();
    assert_eq!((whole(&telegram), buttons), (words("a", 1_000), vec![0, 1]));
    // Pressing it concerns the message that the script knows.
    telegram.presses("alice", posts[1].at, "Go");
    let pressed = alone.event("a press", |event| matches!(event.kind, palabre_types::EventKind::Button { .. })).await;
    let palabre_types::EventKind::Button { message, .. } = pressed.kind else { unreachable!("it was looked for") };
    assert_eq!(message, id);
    alone.broke_no_rule();
}

#[tokio::test]
async fn a_text_below_a_file_goes_on_in_messages_of_its_own() {
    let Some(mut alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    let file = FileToSend { name: "a.txt".to_owned(), data: b"a".to_vec(), ..FileToSend::default() };
    let id = alone.says("Village", Content { files: vec![file], ..Content::text("below") }).await;
    for restarts in [false, true] {
        if restarts {
            alone = alone.restarted().await;
        }
        for (count, parts) in [(300, 2), (2, 1), (300, 2)] {
            let text = words("a", count);
            alone.does(&edit(&alone, &id, &text)).await;
            assert_eq!((whole(&telegram), telegram.texts("Village").len()), (text, parts), "{count} words");
        }
    }
    let message = MessageRef::Id(id);
    alone.does(&Action::Delete { room: alone.room("Village"), message, reason: None }).await;
    assert_eq!(telegram.texts("Village"), Vec::<String>::new());
    alone.broke_no_rule();
}

#[tokio::test]
async fn an_album_of_somebody_is_removed_as_a_whole_also_after_a_restart() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    let files = [("photo", "a.jpg", "image/jpeg", &b"a"[..]), ("photo", "b.jpg", "image/jpeg", b"b")];
    let posted = telegram.posts_files("alice", "Village", json!({ "caption": "spam" }), &files);
    let message = id_of(&alone.hears("spam").await);
    telegram.confirmed().await;
    let alone = alone.restarted().await;
    alone.does(&Action::Delete { room: alone.room("Village"), message, reason: None }).await;
    assert!(posted.iter().all(|at| telegram.message(*at).is_null()));
    alone.broke_no_rule();
}

/// Returns the number of entities in each message request for the village.
fn entities(telegram: &StandIn) -> Vec<usize> {
    let asked = telegram.asked("sendMessage");
    asked.iter().map(|asked| asked["entities"].as_array().map_or(0, Vec::len)).collect()
}

#[tokio::test]
async fn of_many_entities_those_are_sent_that_telegram_shows() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    alone.says("Village", Content::text("**a** *b* ".repeat(1_023))).await;
    assert_eq!(entities(&telegram), [100], "emphases beyond are left out; the text is whole");
    assert_eq!(telegram.texts("Village")[0].len(), 4_091);

    // The address of a link is not part of its text.
    let links = (0..250).map(|number| format!("[**l{number}**](https://a.example/{number})"));
    alone.says("Village", Content::text(links.collect::<Vec<_>>().join(" "))).await;
    let counts = entities(&telegram).split_off(1);
    assert!(counts.len() >= 3 && counts.iter().all(|count| *count <= 100), "{counts:?}");
    let urls: Vec<String> = telegram.asked("sendMessage")[1..]
        .iter()
        .flat_map(|asked| asked["entities"].as_array().unwrap().clone())
        .filter_map(|entity| entity["url"].as_str().map(ToOwned::to_owned))
        .collect();
    assert_eq!(urls, (0..250).map(|number| format!("https://a.example/{number}")).collect::<Vec<_>>());
    alone.broke_no_rule();
}
