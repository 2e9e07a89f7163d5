//! Events: each kind is caused by users and arrives once, with its common fields and its own.

mod causes;
mod checks;

use palabre_types::{Action, Content, Event, EventKind, EventName, Measure, MessageRef, RoomKind, UserId};

use crate::actions::measure;
use crate::platform::{Deed, Lack, Platform};
use crate::scene;

use causes::cause;
use checks::{check_common, check_own};

/// The test that causes a kind.
///
/// `None` for kinds that the engine derives, which are the same on every platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Connection,
    Messages,
    Components,
    People,
    Rooms,
}

const fn group(name: EventName) -> Option<Group> {
    match name {
        EventName::Load
        | EventName::Unload
        | EventName::Error
        | EventName::Timer
        | EventName::Heard
        | EventName::Task
        | EventName::Request => None,
        EventName::Ready | EventName::Lost => Some(Group::Connection),
        EventName::BeforeMessage
        | EventName::Message
        | EventName::MessageEdit
        | EventName::MessageDelete
        | EventName::ReactionAdd
        | EventName::ReactionRemove
        | EventName::Pin
        | EventName::PollVote
        | EventName::InlineQuery
        | EventName::Typing => Some(Group::Messages),
        EventName::Command | EventName::Button | EventName::Select | EventName::Form => Some(Group::Components),
        EventName::Connect
        | EventName::Disconnect
        | EventName::Join
        | EventName::Leave
        | EventName::JoinRequest
        | EventName::Presence
        | EventName::MemberUpdate
        | EventName::Ban
        | EventName::Unban => Some(Group::People),
        EventName::RoomCreate
        | EventName::RoomUpdate
        | EventName::RoomDelete
        | EventName::Voice
        | EventName::Invite
        | EventName::Native => Some(Group::Rooms),
    }
}

/// Causes each kind of a group that can occur on this platform.
pub(crate) async fn every_kind_of<P: Platform>(group_of_test: Group) {
    let Some(mut platform) = P::start().await else { return };
    for name in EventName::ALL.iter().copied().filter(|name| group(*name) == Some(group_of_test)) {
        if P::NEVER.iter().any(|(never, _)| *never == name) {
            continue;
        }
        let cause = cause(&mut platform, name).await;
        let user = cause.who.map(|who| platform.user(who));
        let is_it = |event: &Event| {
            event.kind.name() == name && (user.is_none() || event.user.as_ref().map(|user| &user.id) == user.as_ref())
        };
        let event = platform.fixture().wait(name, cause.since, is_it).await;
        scene::fence(&mut platform).await;
        let all = platform.fixture().since(cause.since, is_it);
        assert_eq!(all.len(), 1, "{name:?} comes once: {all:#?}");
        check_common(&platform, &event, &cause);
        check_own(&platform, &event, &cause);
    }
}

/// Tests that files of users arrive with their names and addresses.
pub(crate) async fn files_of_people_arrive<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::LACKS.contains(&Lack::Uploads) {
        return;
    }
    let deed = Deed::Attaches { who: "alice", text: "my notes", name: "notes.txt", data: "buy bread" };
    platform.people(deed).await;
    let event = platform.fixture().hears("my notes").await;
    let EventKind::Message { message } = &event.kind else { unreachable!("messages are heard") };
    let [file] = &message.content.attachments[..] else { panic!("{message:#?}") };
    assert_eq!((&*file.name, file.size), ("notes.txt", Some(9)));
    assert!(!file.url.is_empty());
}

/// Tests direct messages to the bot, which are in a separate room without a space.
///
/// They can be answered there.
pub(crate) async fn direct_messages_arrive<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::LACKS.contains(&Lack::DirectMessages) {
        return;
    }
    platform.people(Deed::SendsDirect { who: "alice", text: "psst" }).await;
    let event = platform.fixture().hears("psst").await;
    let room = event.room.expect("it is somewhere");
    assert_eq!((room.kind, event.space, room.id == platform.room()), (RoomKind::Direct, None, false));
    assert_eq!(event.user.map(|user| user.id.clone()), Some(platform.user("alice")));
    let answer = Action::Send { room: room.id.clone(), content: Content::text("yes?"), reply_to: None };
    platform.fixture().does(&answer).await;
    let told = platform.private_messages("alice").await;
    assert_eq!(told.iter().map(|seen| &*seen.text).collect::<Vec<_>>(), ["yes?"]);
}

/// Tests that actions of a bot on members and their messages are events, for other scripts.
pub(crate) async fn actions_of_the_bot_are_events<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::LACKS.contains(&Lack::Echo) {
        return;
    }
    let message = scene::said(&mut platform, "bob", "nonsense").await;
    platform.people(Deed::Joins { who: "carol" }).await;
    scene::fence(&mut platform).await;
    let (room, since) = (platform.room(), platform.fixture().cursor());
    let (bob, carol) = (platform.user("bob"), platform.user("carol"));
    let reference = MessageRef::Id(message.as_str().into());
    platform.fixture().does(&Action::Delete { room: room.clone(), message: reference, reason: None }).await;
    for (user, taken) in [
        (&bob, Measure::Mute { until: None }),
        (&bob, Measure::Unmute),
        (&carol, Measure::Kick),
        (&carol, Measure::Ban { until: None, purge_since: None }),
        (&carol, Measure::Unban),
    ] {
        platform.fixture().does(&measure(&room, Some(platform.space()), user, taken)).await;
    }
    let told = |name: EventName, user: &UserId| {
        let user = user.clone();
        let is_about = move |event: &Event| event.user.as_ref().is_some_and(|of| of.id == user);
        let fixture = platform.fixture();
        async move { fixture.wait(name, since, is_about).await }
    };
    if !P::NEVER.iter().any(|(name, _)| *name == EventName::MessageDelete) {
        let kind = told(EventName::MessageDelete, &bob).await.kind;
        let EventKind::MessageDelete { message: gone, before, .. } = kind else { unreachable!("it was awaited") };
        assert_eq!((gone.as_str(), before.map(|before| before.content.text)), (&*message, Some("nonsense".to_owned())));
    }
    let muted = told(EventName::MemberUpdate, &bob).await;
    assert!(muted.member.is_some_and(|member| member.muted));
    let kicked = told(EventName::Leave, &carol).await.kind;
    let banned = told(EventName::Ban, &carol).await.kind;
    for kind in [kicked, banned] {
        let (EventKind::Leave { by, reason } | EventKind::Ban { by, reason }) = kind else { unreachable!("see above") };
        let flood = (!P::LACKS.contains(&Lack::Reasons)).then_some("flood");
        assert_eq!((by.is_some_and(|by| by.bot), reason.as_deref()), (true, flood));
    }
    told(EventName::Unban, &carol).await;
    scene::fence(&mut platform).await;
    for name in [EventName::Ban, EventName::Unban] {
        let all = platform.fixture().since(since, |event| event.kind.name() == name);
        assert_eq!(all.len(), 1, "who is kicked is not banned: {all:#?}");
    }
}

/// Tests that each kind is either caused or listed as impossible with a reason, and not both.
pub(crate) fn every_kind_is_accounted_for<P: Platform>() {
    for (name, reason) in P::NEVER {
        assert!(group(*name).is_some(), "{name:?} is the engine's, and needs no mention");
        assert!(!reason.is_empty(), "{name:?} never happens for a reason");
        assert_eq!(P::NEVER.iter().filter(|(other, _)| other == name).count(), 1, "{name:?} is named twice");
    }
}
