//! Unusual answers of Telegram that are no reason to give up.
//!
//! These are null, a mistaken refusal, a token that is accepted again, a missing file.

use palabre_platform::{Adapter, AdapterError, Condition};
use palabre_tests::telegram::Fault;
use palabre_types::{Action, ActionError, Content, EventKind, MessageRef};
use serde_json::json;

use crate::alone::{Alone, id_of};

fn hello(alone: &Alone) -> Action {
    Action::Send { room: alone.room("Village"), content: Content::text("hello"), reply_to: None }
}

#[tokio::test]
async fn null_is_as_good_as_absent_in_answers_and_in_updates() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    for method in ["sendMessage", "editMessageText", "deleteMessage", "getUpdates"] {
        telegram.fault_next(method, Fault::Nulls);
    }
    let id = alone.says("Village", Content::text("hello")).await;
    let (room, message) = (alone.room("Village"), MessageRef::Id(id));
    alone.does(&Action::Edit { room: room.clone(), message: message.clone(), content: Content::text("changed") }).await;
    alone.does(&Action::Delete { room, message, reason: None }).await;
    let calls = ["sendMessage", "editMessageText", "deleteMessage"].map(|method| telegram.asked(method).len());
    assert_eq!(calls, [1, 1, 1], "nothing is asked again");

    let (chat, alice) = (telegram.chat("Village"), telegram.user("alice"));
    telegram.raw(json!({
        "message": {
            "message_id": 900.0, "date": 1_700_000_000.0, "text": "with nulls", "entities": null, "photo": null,
            "is_topic_message": null, "chat": {
                "id": chat, "type": "supergroup", "title": "Village", "is_forum": null, "unheard_of": { "a": null },
            },
            "from": { "id": alice, "is_bot": null, "first_name": "Alice", "last_name": null, "username": null },
            "reply_to_message": null, "new_chat_members": null, "caption_entities": [null, { "type": null }],
        },
        "edited_message": null, "callback_query": null,
    }));
    let event = alone.hears("with nulls").await;
    assert_eq!(id_of(&event), MessageRef::Id("900".into()));
    assert_eq!(event.user.as_ref().map(|user| (user.name.as_str(), user.bot)), Some(("Alice", false)));
    alone.broke_no_rule();
}

#[tokio::test]
async fn one_refusal_of_the_token_is_checked_and_passes() {
    let Some(mut alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    for fault in [Fault::Unauthorized, Fault::NotFound] {
        telegram.fault_next("sendMessage", fault);
        let refused = alone.tries(&hello(&alone)).await;
        match fault {
            Fault::Unauthorized => assert!(matches!(refused, Err(ActionError::Transient(_))), "{refused:?}"),
            // A server that is older than the method.
            _ => assert!(
                matches!(&refused, Err(ActionError::Rejected(why)) if why.contains("sendMessage")),
                "{refused:?}"
            ),
        }
        alone.does(&hello(&alone)).await;
    }
    for fault in [Fault::Unauthorized, Fault::NotFound] {
        let faults = telegram.counters().faults;
        telegram.fault_next("getUpdates", fault);
        telegram.says("alice", "Village", "ends the request that waits");
        telegram.counts("the refusal", |counters| counters.faults > faults).await;
        let text = format!("after {fault:?}");
        telegram.says("alice", "Village", &text);
        alone.hears(&text).await;
    }
    assert!(alone.still_runs(), "it has not ended");
    alone.is(|condition| *condition == Condition::Up).await;
    alone.broke_no_rule();
}

#[tokio::test]
async fn while_the_token_is_refused_actions_wait_and_nothing_is_over_for_good() {
    let Some(mut alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    telegram.revokes_token(true);
    let ended = alone.ends().await;
    assert!(matches!(&ended, Err(AdapterError::Refused(why)) if why.contains("@BotFather")), "{ended:?}");
    let refused = alone.tries(&hello(&alone)).await;
    assert!(matches!(refused, Err(ActionError::Unavailable(_))), "{refused:?}");
    telegram.says("alice", "Village", "meanwhile");
    telegram.revokes_token(false);
    alone.runs().await;
    alone.hears("meanwhile").await;
    alone.does(&hello(&alone)).await;
    telegram.hears("Village", "hello").await;
    alone.broke_no_rule();
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_a_token_that_is_refused() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    telegram.posts_files(
        "alice",
        "Village",
        json!({ "caption": "notes" }),
        &[("document", "a.txt", "text/plain", b"a")],
    );
    let event = alone.hears("notes").await;
    let EventKind::Message { message } = &event.kind else { panic!("no message: {event:?}") };
    let url = &message.content.attachments[0].url;
    telegram.fault_next("download", Fault::NotFound);
    let gone = alone.adapter.file(url, 1_000).await;
    assert!(matches!(&gone, Err(ActionError::NotFound(why)) if why.contains("no such file")), "{gone:?}");
    telegram.fault_next("download", Fault::Unauthorized);
    let refused = alone.adapter.file(url, 1_000).await;
    assert!(matches!(refused, Err(ActionError::Transient(_))), "{refused:?}");
    assert_eq!(alone.adapter.file(url, 1_000).await, Ok(b"a".to_vec()));
    let large = alone.adapter.file(url, 0).await;
    assert!(matches!(large, Err(ActionError::Rejected(_))), "{large:?}");
    alone.broke_no_rule();
}
