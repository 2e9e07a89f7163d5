//! Impossible actions are refused with the error that the engine expects, the same on every platform.

use palabre_types::{
    Action, ActionError, ActionKind, Content, FileToSend, Measure, MessageId, MessageRef, RoomId, UserId,
};

use crate::actions::{examples, measure};
use crate::platform::{Lack, Platform};
use crate::scene;

/// Returns a message that has been deleted.
async fn gone<P: Platform>(platform: &mut P) -> MessageId {
    let id = scene::bot_says(platform, Content::text("soon gone")).await;
    let message = MessageRef::Id(id.clone());
    platform.fixture().does(&Action::Delete { room: platform.room(), message, reason: None }).await;
    id
}

fn assert_not_found(action: &Action, refused: &Result<palabre_types::Outcome, ActionError>) {
    assert!(matches!(refused, Err(ActionError::NotFound(_))), "{refused:?} for {action:?}");
}

/// Tests missing messages: deleting one succeeds, and changing one is an error.
pub(crate) async fn messages_that_are_gone<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let can = platform.fixture().adapter.capabilities().clone();
    let room = platform.room();
    for id in [gone(&mut platform).await, MessageId::from("no-such-message")] {
        let message = MessageRef::Id(id);
        let (content, emoji) = (Content::text("anew"), scene::EMOJI.to_owned());
        for action in [
            Action::Edit { room: room.clone(), message: message.clone(), content },
            Action::React { room: room.clone(), message: message.clone(), emoji, remove: false },
            Action::Pin { room: room.clone(), message: message.clone(), remove: false },
        ] {
            if can.actions.contains(&action.kind()) {
                assert_not_found(&action, &platform.fixture().tries(&action).await);
            }
        }
        let emoji = scene::EMOJI.to_owned();
        for action in [
            Action::Delete { room: room.clone(), message: message.clone(), reason: None },
            Action::React { room: room.clone(), message: message.clone(), emoji, remove: true },
            Action::Pin { room: room.clone(), message: message.clone(), remove: true },
        ] {
            if can.actions.contains(&action.kind()) {
                let done = platform.fixture().tries(&action).await;
                assert!(done.is_ok(), "{done:?} for {action:?}");
            }
        }
    }
    let message = Some(MessageRef::Id(gone(&mut platform).await));
    let action = Action::Send { room, content: Content::text("even so"), reply_to: message };
    let said = platform.fixture().tries(&action).await;
    assert!(said.is_ok(), "a message that is gone is no reason not to answer: {said:?}");
}

/// Tests messages of others: a bot may delete them, but not edit them.
pub(crate) async fn messages_of_others<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let id = scene::said(&mut platform, "alice", "my own words").await;
    let message = MessageRef::Id(id.as_str().into());
    let action = Action::Edit { room: platform.room(), message, content: Content::text("other words") };
    let refused = platform.fixture().tries(&action).await;
    assert!(matches!(refused, Err(ActionError::Forbidden(_))), "{refused:?}");
    assert_eq!(platform.message(&id.as_str().into()).await.map(|seen| seen.text).as_deref(), Some("my own words"));
}

/// Tests that actions on missing rooms and users are refused.
pub(crate) async fn rooms_and_people_that_are_not_there<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let message = scene::said(&mut platform, "alice", "hello").await;
    let can = platform.fixture().adapter.capabilities().clone();
    let here = platform.room();
    let supported = |action: &&Action| can.actions.contains(&action.kind());
    // Deleting something that does not exist succeeds.
    let removes = |action: &&Action| matches!(action, Action::Delete { .. });
    if !P::LACKS.contains(&Lack::FixedRooms) {
        let all = examples(&platform.nowhere(), &platform.user("alice"), &message.as_str().into());
        let of_a_room = |action: &&Action| !matches!(action, Action::Direct { .. });
        for action in all.iter().filter(supported).filter(of_a_room).filter(|action| !removes(action)) {
            assert_not_found(action, &platform.fixture().tries(action).await);
        }
    }
    if !P::LACKS.contains(&Lack::FixedPeople) {
        let nobody = platform.nobody();
        let measures = [
            Measure::Mute { until: None },
            Measure::Unmute,
            Measure::Ban { until: None, purge_since: None },
            Measure::AddRole("Moderator".to_owned()),
            Measure::Rename("N".to_owned()),
        ];
        let moderate = |taken| measure(&here, Some(platform.space()), &nobody, taken);
        for action in measures.map(moderate).iter().filter(supported) {
            assert_not_found(action, &platform.fixture().tries(action).await);
        }
        let action = Action::Direct { room: here.clone(), user: nobody, content: Content::text("psst") };
        assert_not_found(&action, &platform.fixture().tries(&action).await);
    }
    if !P::LACKS.contains(&Lack::FixedRoles) {
        let taken = Measure::AddRole("No Such Role".to_owned());
        let action = measure(&here, Some(platform.space()), &platform.user("bob"), taken);
        assert_not_found(&action, &platform.fixture().tries(&action).await);
    }
}

/// Tests that a bot refuses ids of another bot, whatever its platform would make of them.
pub(crate) async fn ids_of_other_bots<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let message = scene::said(&mut platform, "alice", "hello").await;
    let can = platform.fixture().adapter.capabilities().clone();
    let (here, alice) = (platform.room(), platform.user("alice"));
    let (there, other) = (RoomId::new(&"other".into(), here.native()), UserId::new(&"other".into(), alice.native()));
    let message = MessageId::from(message);
    let elsewhere = examples(&there, &alice, &message);
    let to_strangers = examples(&here, &other, &message).into_iter().filter(|action| {
        matches!(action, Action::Answer { .. } | Action::Form { .. } | Action::Direct { .. } | Action::Moderate { .. })
    });
    let of_strangers =
        Action::Purge { room: here.clone(), count: 1, user: Some(other.clone()), since: None, reason: None };
    let all: Vec<Action> = elsewhere.into_iter().chain(to_strangers).chain([of_strangers]).collect();
    for action in all.iter().filter(|action| can.actions.contains(&action.kind())) {
        assert_not_found(action, &platform.fixture().tries(action).await);
    }
    assert!(platform.message(&message).await.is_some(), "nothing was done");
    assert_eq!(platform.said().await, []);
    let member = platform.member("alice").await;
    assert!(member.is_there && !member.is_muted && !member.is_banned, "{member:?}");
}

/// Tests that an action without its permission is refused with the right error.
pub(crate) async fn forbidden_actions<P: Platform>() {
    for kind in ActionKind::ALL.iter().copied() {
        // Each on a new platform, where nothing else is forbidden.
        let Some(mut platform) = P::start().await else { return };
        let message = scene::said(&mut platform, "alice", "hello").await;
        let can = platform.fixture().adapter.capabilities().actions.contains(&kind);
        if !can || !platform.forbid(kind).await {
            continue;
        }
        scene::fence(&mut platform).await;
        let all = examples(&platform.room(), &platform.user("alice"), &message.as_str().into());
        for action in all.iter().filter(|action| action.kind() == kind) {
            let refused = platform.fixture().tries(action).await;
            assert!(matches!(refused, Err(ActionError::Forbidden(_))), "{refused:?} for {action:?}");
        }
        // The refusal has no lasting effect.
        scene::said(&mut platform, "alice", "who minds?").await;
    }
}

/// Tests texts that are too long: they are split, or refused with the limit. The same holds for edits.
pub(crate) async fn texts_that_are_too_long<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let text_max = platform.fixture().adapter.capabilities().text_max;
    let fits = "x".repeat(text_max);
    let id = scene::bot_says(&platform, Content::text(fits.clone())).await;
    assert_eq!(platform.message(&id).await.map(|seen| seen.text), Some(fits), "the limit itself is kept");
    let before = platform.said().await.len();
    let text = "words, ".repeat(text_max / 3);
    let action = Action::Send { room: platform.room(), content: Content::text(text.clone()), reply_to: None };
    match platform.fixture().tries(&action).await {
        Ok(_) => {
            let parts = platform.said().await.split_off(before);
            assert!(parts.iter().all(|part| part.text.chars().count() <= text_max));
            let joined = parts.iter().map(|part| part.text.trim()).collect::<Vec<_>>().join(" ");
            assert_eq!(joined, text.trim(), "all of it is said, in order");
        }
        Err(ActionError::Rejected(why)) => assert!(why.contains(&text_max.to_string()), "the limit is named: {why}"),
        Err(other) => panic!("{other:?}"),
    }
    let before = platform.said().await;
    let message = MessageRef::Id(id);
    let action = Action::Edit { room: platform.room(), message, content: Content::text(text.clone()) };
    match platform.fixture().tries(&action).await {
        Ok(_) => {
            let now = platform.said().await;
            assert!(now.iter().all(|part| part.text.chars().count() <= text_max));
            // The first message was edited, and the rest is posted after all others.
            let changed = now.first().into_iter().chain(&now[before.len()..]);
            let joined = changed.map(|part| part.text.trim()).collect::<Vec<_>>().join(" ");
            assert_eq!(joined, text.trim(), "all of it is said, in order");
        }
        Err(ActionError::Rejected(why)) => assert!(why.contains(&text_max.to_string()), "the limit is named: {why}"),
        Err(other) => panic!("{other:?}"),
    }
}

/// Tests that content that a platform never accepts is refused permanently and not retried.
pub(crate) async fn content_that_is_too_much<P: Platform>() {
    let Some(platform) = P::start().await else { return };
    let button = |index: usize| scene::button("x", &format!("action {index}"));
    let file = |index: usize| FileToSend { name: format!("{index}.txt"), data: b"x".to_vec(), ..FileToSend::default() };
    let much = [
        Content { buttons: (0..200).map(button).collect(), ..Content::text("buttons") },
        Content { files: (0..200).map(file).collect(), ..Content::text("files") },
    ];
    for content in much {
        let text = content.text.clone();
        let action = Action::Send { room: platform.room(), content, reply_to: None };
        let refused = platform.fixture().tries(&action).await;
        let is_fine = matches!(refused, Ok(_) | Err(ActionError::Rejected(_)));
        assert!(is_fine, "{text}: {refused:?}");
    }
}
