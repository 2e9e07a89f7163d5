//! Actions while the store accepts no writes.

use palabre_types::{Action, ActionError, Content, Poll, RoomChange};

use crate::alone::Alone;

async fn is_unavailable(alone: &Alone, action: &Action) {
    let refused = alone.tries(action).await;
    assert!(matches!(refused, Err(ActionError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_chat_is_locked_only_once_its_permissions_are_stored_and_opened_with_all_of_them() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    telegram.says("bob", "Village", "hello");
    alone.hears("hello").await;
    let [lock, unlock] =
        [true, false].map(|locked| Action::Arrange { room: alone.room("Village"), change: RoomChange::Locked(locked) });
    let before = telegram.chat_now("Village")["permissions"].clone();
    alone.stalls(true);
    for _ in 0..2 {
        is_unavailable(&alone, &lock).await;
        assert_eq!(telegram.chat_now("Village")["permissions"], before);
    }
    alone.stalls(false);
    alone.does(&lock).await;
    assert!(!telegram.can_speak("bob", "Village"));
    alone.stalls(true);
    for _ in 0..2 {
        is_unavailable(&alone, &unlock).await;
    }
    alone.stalls(false);
    alone.does(&unlock).await;
    assert_eq!(telegram.chat_now("Village")["permissions"], before);
    alone.broke_no_rule();
}

#[tokio::test]
async fn a_poll_that_cannot_be_stored_is_sent_once() {
    let Some(alone) = Alone::start().await else { return };
    let options = vec!["Green".to_owned(), "Black".to_owned()];
    let poll = Poll { question: "Which tea?".to_owned(), options, multiple: false, lasts: None };
    let content = Content { poll: Some(poll), ..Content::default() };
    alone.stalls(true);
    alone.does(&Action::Send { room: alone.room("Village"), content, reply_to: None }).await;
    assert_eq!(alone.telegram.asked("sendPoll").len(), 1);
    alone.broke_no_rule();
}
