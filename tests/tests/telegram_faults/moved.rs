//! Message ids from before a group became a supergroup.

use palabre_tests::telegram::MessageRef as At;
use palabre_types::{Action, ActionError, Content, Measure, MessageRef, RoomChange, RoomId};

use crate::alone::{Alone, id_of};

fn acts(room: &RoomId, message: &MessageRef) -> Vec<Action> {
    let (room, message) = (|| room.clone(), || message.clone());
    vec![
        Action::Delete { room: room(), message: message(), reason: None },
        Action::Edit { room: room(), message: message(), content: Content::text("changed") },
        Action::React { room: room(), message: message(), emoji: "👍".to_owned(), remove: false },
        Action::React { room: room(), message: message(), emoji: "👍".to_owned(), remove: true },
        Action::Pin { room: room(), message: message(), remove: false },
    ]
}

/// Message 2 exists in both the group and the supergroup.
///
/// In the old chat it is Mallory's, in the new one Bob's.
#[tokio::test]
async fn nothing_is_done_to_the_new_chats_message_of_an_old_number() {
    let Some(mut alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    telegram.add_group("Square");
    let room = alone.room("Square");
    telegram.says("alice", "Square", "first");
    let old_at = telegram.says("alice", "Square", "second");
    let old = id_of(&alone.hears("second").await);
    let own = alone.says("Square", Content::text("the bot's own")).await;
    let new_chat = telegram.migrates("Square");
    let theirs = telegram.says("bob", "Square", "somebody else's");
    assert_eq!((theirs, old_at.id), (At { chat: new_chat, id: 2 }, 2), "they have the same number");
    let heard = alone.hears("somebody else's").await;
    assert_eq!(heard.room.as_ref().map(|room| room.id.clone()), Some(room.clone()), "it is the same room");

    for restarts in [false, true] {
        if restarts {
            alone = alone.restarted().await;
        }
        for action in acts(&room, &old).iter().chain(&acts(&room, &MessageRef::Id(own.clone()))) {
            let refused = alone.tries(action).await;
            assert!(matches!(refused, Err(ActionError::Rejected(_))), "{refused:?} for {action:?}");
        }
    }
    assert_eq!(telegram.message(theirs)["text"], "somebody else's");
    assert!(telegram.reactions(theirs).is_empty() && telegram.pinned("Square").is_empty());

    // A reply to it is sent, but refers to no message.
    let answer = Action::Send { room: room.clone(), content: Content::text("an answer"), reply_to: Some(old) };
    alone.does(&answer).await;
    assert_eq!(telegram.hears("Square", "an answer").await.reply_to(), None);
    // Messages of the supergroup can be acted on as usual.
    for action in acts(&room, &id_of(&heard)).into_iter().rev().filter(|act| !matches!(act, Action::Edit { .. })) {
        alone.does(&action).await;
    }
    assert!(telegram.message(theirs).is_null());
    alone.broke_no_rule();
}

/// The bot learns of the upgrade from the refusal of its first call, whatever that is.
#[tokio::test]
async fn calls_to_the_old_chat_are_repeated_for_the_new_one() {
    for number in 0..5 {
        let Some(alone) = Alone::start().await else { return };
        let telegram = alone.telegram.clone();
        telegram.add_group("Square");
        telegram.says("alice", "Square", "first");
        alone.hears("first").await;
        let room = alone.room("Square");
        telegram.migrates("Square");
        let action = match number {
            0 => Action::Send { room, content: Content::text("hello"), reply_to: None },
            1 => Action::Typing { room },
            2 => Action::Invite { room, lasts: None, uses: None },
            3 => Action::Arrange { room, change: RoomChange::Topic("trees".to_owned()) },
            _ => Action::Moderate {
                room,
                space: None,
                user: alone.user("bob"),
                measure: Measure::Mute { until: None },
                reason: None,
            },
        };
        let done = match alone.tries(&action).await {
            // As the engine does after a temporary error.
            Err(ActionError::Transient(_)) => alone.tries(&action).await,
            done => done,
        };
        assert!(done.is_ok(), "{done:?} for {action:?}");
        alone.broke_no_rule();
    }
}
