//! Checks of events against their causes.

use std::ops::Range;

use palabre_types::{Event, EventKind, Message, RoomKind, UserId};
use serde_json::json;

use super::causes::{Cause, Place};
use crate::platform::{Lack, Platform};
use crate::scene::EMOJI;

/// Checks the fields of every event: bot, time, place, user; ids have the bot's name.
pub(super) fn check_common<P: Platform>(platform: &P, event: &Event, cause: &Cause) {
    let bot = &platform.fixture().bot;
    assert_eq!(event.bot, *bot);
    assert!(is_recent(event.time), "{event:#?}");
    let (room, space) = (event.room.as_ref().map(|room| &room.id), event.space.as_ref().map(|space| &space.id));
    let (here, home) = (platform.room(), platform.space());
    match cause.place {
        Place::Nowhere => assert_eq!((room, space), (None, None), "{event:#?}"),
        Place::Anywhere => assert!(space.is_none_or(|space| *space == home), "{event:#?}"),
        Place::Space => assert_eq!(space, Some(&home), "{event:#?}"),
        Place::Room => {
            assert_eq!((room, space), (Some(&here), Some(&home)), "{event:#?}");
            assert_eq!(event.room.as_ref().map(|room| (&*room.name, room.kind)), Some(("general", RoomKind::Channel)));
        }
        Place::OtherRoom => {
            let is_at_home = space.is_some_and(|space| (*space == home) != P::LACKS.contains(&Lack::SharedSpace));
            assert!(room.is_some_and(|room| *room != here) && is_at_home, "{event:#?}");
        }
    }
    let ids = [
        room.map(|id| (id.bot(), id.native())),
        space.map(|id| (id.bot(), id.native())),
        event.user.as_ref().map(|user| (user.id.bot(), user.id.native())),
        event.member.as_ref().map(|member| (member.user.bot(), member.user.native())),
    ];
    for (of, native) in ids.into_iter().flatten() {
        assert!(of == bot.name.as_str() && !native.is_empty(), "an id is <bot>/<native id>: {event:#?}");
    }
    let Some(who) = cause.who else { return };
    let user = event.user.as_ref().expect("it has a user");
    assert_eq!((&user.id, user.bot), (&platform.user(who), false), "{event:#?}");
    assert!(user.name.eq_ignore_ascii_case(who), "{event:#?}");
    if let Some(member) = &event.member {
        assert_eq!(member.user, user.id, "{event:#?}");
    }
    if matches!(cause.place, Place::Room) {
        assert!(event.member.is_some(), "who does something in a room of the space is a member: {event:#?}");
    }
}

/// Checks the fields of this kind.
pub(super) fn check_own<P: Platform>(platform: &P, event: &Event, cause: &Cause) {
    match &event.kind {
        EventKind::Load { .. }
        | EventKind::Unload { .. }
        | EventKind::Error { .. }
        | EventKind::Timer { .. }
        | EventKind::Heard { .. }
        | EventKind::Task { .. }
        | EventKind::Request { .. } => unreachable!("the engine makes it"),
        EventKind::Ready { .. } | EventKind::Connect | EventKind::Disconnect { .. } | EventKind::RoomCreate => {}
        EventKind::Lost { reason } => assert!(reason.as_ref().is_some_and(|reason| !reason.is_empty())),
        EventKind::Message { .. }
        | EventKind::BeforeMessage { .. }
        | EventKind::MessageEdit { .. }
        | EventKind::MessageDelete { .. }
        | EventKind::ReactionAdd { .. }
        | EventKind::ReactionRemove { .. }
        | EventKind::Pin { .. }
        | EventKind::PollVote { .. }
        | EventKind::Typing { .. } => check_message(event, cause, &platform.user("alice")),
        EventKind::Command { .. }
        | EventKind::Button { .. }
        | EventKind::Select { .. }
        | EventKind::Form { .. }
        | EventKind::InlineQuery { .. } => check_interaction(event, cause),
        EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Presence { .. }
        | EventKind::MemberUpdate { .. }
        | EventKind::Ban { .. }
        | EventKind::Unban { .. }
        | EventKind::JoinRequest { .. } => check_member(platform, event, cause),
        EventKind::RoomUpdate { .. }
        | EventKind::RoomDelete { .. }
        | EventKind::Voice { .. }
        | EventKind::Invite { .. }
        | EventKind::Native { .. } => check_room(platform, event, cause),
    }
}

/// Checks an event of a message, its reactions or its author's typing.
fn check_message(event: &Event, cause: &Cause, alice: &UserId) {
    let about = &*cause.message;
    let by_alice = |message: &Message| message.author.as_ref() == Some(alice);
    match &event.kind {
        EventKind::Message { message } => {
            assert_eq!((message.id.as_str(), &*message.content.text), (about, "_I_ am"));
            assert!(by_alice(message) && message.reply_to.is_some() && is_recent(message.time), "{message:#?}");
        }
        EventKind::BeforeMessage { message } => {
            assert!(by_alice(message) && message.content.text == "so am I", "{message:#?}");
        }
        EventKind::MessageEdit { message, before, .. } => {
            assert_eq!((message.id.as_str(), &*message.content.text), (about, "a typo"));
            assert!(by_alice(message), "{message:#?}");
            let before = before.as_ref().expect("it was heard before");
            assert_eq!((before.id.as_str(), &*before.content.text), (about, "a tpyo"));
        }
        EventKind::MessageDelete { message, before, .. } => {
            assert_eq!(message.as_str(), about);
            assert_eq!(before.as_ref().map(|before| &*before.content.text), Some("never mind"));
        }
        EventKind::ReactionAdd { message, emoji } | EventKind::ReactionRemove { message, emoji } => {
            assert_eq!((message.as_str(), &**emoji), (about, EMOJI));
        }
        EventKind::Pin { message, pinned, by } => {
            assert_eq!((message.as_str(), *pinned, by.is_some()), (about, true, true));
        }
        EventKind::PollVote { message, values } => {
            assert_eq!((message.as_str(), &values[..]), (about, &["1".to_owned()][..]))
        }
        EventKind::Typing { status } => assert_eq!(status.as_deref(), Some("typing")),
        other => unreachable!("this is not about a message: {other:?}"),
    }
}

/// Checks the use of a command, a component, a form or an inline query.
fn check_interaction(event: &Event, cause: &Cause) {
    let about = &*cause.message;
    match &event.kind {
        EventKind::Command { command, options, .. } => {
            assert_eq!(command, "roll");
            assert_eq!(*options, Some(json!({ "sides": 20 })));
        }
        EventKind::Button { action, message, .. } => assert_eq!((&**action, message.as_str()), ("go", about)),
        EventKind::Select { action, message, values, .. } => {
            assert_eq!(
                (&**action, message.as_str(), &values[..]),
                ("pick", about, &["red".to_owned(), "blue".to_owned()][..])
            );
        }
        EventKind::Form { action, values, .. } => {
            assert_eq!((&**action, values), ("report", &json!({ "why": "it rains", "else": "" })));
        }
        EventKind::InlineQuery { text, interaction } => assert_eq!((&**text, &**interaction), ("dice", about)),
        other => unreachable!("this is not an interaction: {other:?}"),
    }
}

/// Checks an event of a member, or of a user who wants to be one.
fn check_member<P: Platform>(platform: &P, event: &Event, cause: &Cause) {
    match &event.kind {
        EventKind::Join { by, .. } | EventKind::Leave { by, .. } => assert_eq!(*by, None, "by themselves"),
        EventKind::Presence { status } => assert_eq!(status.as_deref(), Some("idle")),
        EventKind::MemberUpdate { before } => {
            let now = event.member.as_ref().expect("it is about a member");
            assert_eq!(now.roles, ["Moderator"]);
            assert!(before.as_ref().is_none_or(|before| before.roles.is_empty()), "{event:#?}");
        }
        EventKind::Ban { by, reason } => {
            let spam = (!P::LACKS.contains(&Lack::Reasons)).then_some("spam");
            assert_eq!((by.is_some(), reason.as_deref()), (true, spam));
        }
        EventKind::Unban { by, .. } => assert!(by.is_some()),
        EventKind::JoinRequest { code, by, .. } => {
            assert_eq!((code.as_deref(), by), (Some(&*cause.message), &Some(platform.user("alice"))));
            assert!(event.member.is_some(), "who asks can be let in: {event:#?}");
        }
        other => unreachable!("this is not about a member: {other:?}"),
    }
}

/// Checks a change of a room, or an event in it that is not about messages.
fn check_room<P: Platform>(platform: &P, event: &Event, cause: &Cause) {
    match &event.kind {
        EventKind::RoomUpdate { before } if P::LACKS.contains(&Lack::Topics) => {
            assert_eq!(before.as_ref().map(|before| (&before.id, &*before.name)), Some((&platform.room(), "salon")));
        }
        EventKind::RoomUpdate { before } => {
            assert_eq!(event.room.as_ref().and_then(|room| room.topic.as_deref()), Some("the weather"));
            assert_eq!(before.as_ref().map(|before| (&before.id, &before.topic)), Some((&platform.room(), &None)));
        }
        EventKind::RoomDelete { before } => assert_eq!(before.as_ref().map(|room| &*room.name), Some("attic")),
        EventKind::Voice { status } => assert_eq!(status.as_deref(), Some("joined")),
        EventKind::Invite { code, by } => {
            assert_eq!((code.as_deref(), by), (Some(&*cause.message), &Some(platform.user("alice"))));
        }
        EventKind::Native { name, .. } => assert!(!name.is_empty()),
        other => unreachable!("this is not about a room: {other:?}"),
    }
}

/// Whether a time is in milliseconds and within the last hours, rather than in seconds.
fn is_recent(time: u64) -> bool {
    const HOUR: u64 = 3_600_000;
    let now = palabre_platform::Clock::now(&palabre_platform::SystemClock);
    let recent: Range<u64> = now.saturating_sub(HOUR)..now + HOUR;
    recent.contains(&time)
}
