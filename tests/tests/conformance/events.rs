//! Each kind of event: caused as people cause it, it arrives once, with who and where, and with what belongs to it alone.

use std::ops::Range;

use palabre_model::{Event, EventKind, EventName, RoomKind};
use serde_json::json;

use crate::platform::{Deed, Lack, Platform};
use crate::scene::{self, EMOJI};

/// Which test causes a kind; `None` for those that the engine makes of other things, on every platform alike.
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
        | EventName::Typing => Some(Group::Messages),
        EventName::Command | EventName::Button | EventName::Select | EventName::Form => Some(Group::Components),
        EventName::Connect
        | EventName::Disconnect
        | EventName::Join
        | EventName::Leave
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

/// What came about, as the event has to tell it.
struct Cause {
    /// Only events from here on count.
    since: usize,
    /// Who did it, or to whom it was done.
    who: Option<&'static str>,
    place: Place,
    /// The message that it is about.
    message: String,
}

/// Where an event says that it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nowhere in particular.
    Nowhere,
    /// In the space, or wherever somebody is.
    Anywhere,
    /// In the space.
    Space,
    /// In the room.
    Room,
    /// In another room of the space.
    OtherRoom,
}

/// Causes every kind of a group that can happen here.
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
        let event = platform.stage().wait(name, cause.since, is_it).await;
        scene::fence(&mut platform).await;
        let all = platform.stage().since(cause.since, is_it);
        assert_eq!(all.len(), 1, "{name:?} comes once: {all:#?}");
        check_common(&platform, &event, &cause);
        check_own(&platform, &event, &cause);
    }
}

/// Says for each kind how it comes about.
async fn cause<P: Platform>(platform: &mut P, name: EventName) -> Cause {
    let mut cause = Cause { since: 0, who: Some("alice"), place: Place::Room, message: String::new() };
    let people = platform;
    match name {
        EventName::Load
        | EventName::Unload
        | EventName::Error
        | EventName::Timer
        | EventName::Heard
        | EventName::Task
        | EventName::Request => unreachable!("the engine makes it"),
        EventName::Ready => (cause.who, cause.place) = (None, Place::Nowhere),
        EventName::Lost => {
            (cause.who, cause.place, cause.since) = (None, Place::Nowhere, people.stage().mark());
            assert!(people.cut().await, "a platform that loses its connection lets it be cut");
        }
        EventName::Message | EventName::BeforeMessage => {
            let first = people.people(Deed::Says { who: "bob", text: "is **anybody** here?" }).await;
            people.stage().hears("is **anybody** here?").await;
            cause.since = people.stage().mark();
            let text = if name == EventName::Message { "*I* am" } else { "so am I" };
            cause.message = people.people(Deed::Replies { who: "alice", to: &first, text }).await;
        }
        EventName::MessageEdit => {
            cause.message = scene::said(people, "alice", "a tpyo").await;
            cause.since = people.stage().mark();
            people.people(Deed::Edits { who: "alice", message: &cause.message, text: "a typo" }).await;
        }
        EventName::MessageDelete => {
            cause.message = scene::said(people, "alice", "never mind").await;
            cause.since = people.stage().mark();
            people.people(Deed::Deletes { who: "alice", message: &cause.message }).await;
        }
        EventName::ReactionAdd | EventName::ReactionRemove => {
            cause.message = scene::said(people, "bob", "a joke").await;
            cause.since = people.stage().mark();
            let message = &*cause.message;
            people.people(Deed::Reacts { who: "alice", message, emoji: EMOJI }).await;
            if name == EventName::ReactionRemove {
                people.people(Deed::Unreacts { who: "alice", message, emoji: EMOJI }).await;
            }
        }
        EventName::Pin => {
            cause.message = scene::said(people, "alice", "the rules").await;
            (cause.who, cause.since) = (None, people.stage().mark());
            people.people(Deed::Pins { message: &cause.message }).await;
        }
        EventName::PollVote => {
            cause.since = people.stage().mark();
            cause.message = people.people(Deed::Votes { who: "alice" }).await;
        }
        EventName::Typing => {
            cause.since = people.stage().mark();
            people.people(Deed::Types { who: "alice" }).await;
        }
        EventName::Command => {
            cause.since = people.stage().mark();
            people.people(Deed::Rolls { who: "alice", sides: 20 }).await;
        }
        EventName::Button => {
            let asked = scene::offers_button(people).await;
            cause.since = people.stage().mark();
            people.people(Deed::Presses { who: "alice", message: asked.as_str(), action: "go" }).await;
            cause.message = asked.to_string();
        }
        EventName::Select => {
            let asked = scene::offers_list(people).await;
            cause.since = people.stage().mark();
            let values = &["red", "blue"];
            people.people(Deed::Chooses { who: "alice", message: asked.as_str(), action: "pick", values }).await;
            cause.message = asked.to_string();
        }
        EventName::Form => {
            scene::shows_form(people, "alice").await;
            cause.since = people.stage().mark();
            let values = &[("why", "it rains"), ("else", "")];
            people.people(Deed::Submits { who: "alice", action: "report", values }).await;
        }
        EventName::Connect | EventName::Disconnect => {
            (cause.who, cause.place, cause.since) = (Some("carol"), Place::Anywhere, people.stage().mark());
            people.people(Deed::Connects { who: "carol" }).await;
            if name == EventName::Disconnect {
                people.people(Deed::Disconnects { who: "carol" }).await;
            } else {
                people.stage().wait(name, cause.since, |_| true).await;
                scene::fence(people).await;
                people.people(Deed::Disconnects { who: "carol" }).await;
                scene::is_gone(people, cause.since).await;
            }
        }
        EventName::Join | EventName::Leave => {
            (cause.who, cause.place, cause.since) = (Some("carol"), Place::Space, people.stage().mark());
            people.people(Deed::Joins { who: "carol" }).await;
            people.stage().wait(EventName::Join, cause.since, |_| true).await;
            people.people(Deed::Leaves { who: "carol" }).await;
        }
        EventName::Presence => {
            (cause.place, cause.since) = (Place::Anywhere, people.stage().mark());
            people.people(Deed::Idles { who: "alice" }).await;
        }
        EventName::MemberUpdate => {
            (cause.who, cause.place) = (Some("bob"), Place::Space);
            cause.since = people.stage().mark();
            people.people(Deed::IsGivenRole { who: "bob", role: "Moderator" }).await;
        }
        EventName::Ban | EventName::Unban => {
            (cause.who, cause.place) = (Some("carol"), Place::Space);
            people.people(Deed::Joins { who: "carol" }).await;
            cause.since = people.stage().mark();
            people.people(Deed::IsBanned { who: "carol", reason: "spam" }).await;
            people.stage().wait(EventName::Ban, cause.since, |_| true).await;
            people.people(Deed::IsUnbanned { who: "carol" }).await;
        }
        EventName::RoomCreate | EventName::RoomDelete => {
            (cause.who, cause.place, cause.since) = (None, Place::OtherRoom, people.stage().mark());
            people.people(Deed::MakesRoom { name: "attic" }).await;
            people.people(Deed::RemovesRoom { name: "attic" }).await;
        }
        EventName::RoomUpdate => {
            (cause.who, cause.since) = (None, people.stage().mark());
            people.people(Deed::ChangesTopic { topic: "the weather" }).await;
        }
        EventName::Voice => {
            (cause.place, cause.since) = (Place::OtherRoom, people.stage().mark());
            people.people(Deed::EntersVoice { who: "alice" }).await;
        }
        EventName::Invite => {
            cause.since = people.stage().mark();
            cause.message = people.people(Deed::Invites { who: "alice" }).await;
        }
        EventName::Native => {
            (cause.who, cause.place, cause.since) = (None, Place::Anywhere, people.stage().mark());
            people.people(Deed::DoesSomethingElse).await;
        }
    }
    cause
}

/// What every event has: which bot, when, where, who; ids under the bot's name.
fn check_common<P: Platform>(platform: &P, event: &Event, cause: &Cause) {
    let bot = &platform.stage().bot;
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
            assert!(room.is_some_and(|room| *room != here) && space == Some(&home), "{event:#?}");
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
    let user = event.user.as_ref().expect("somebody did it");
    assert_eq!((&user.id, user.bot), (&platform.user(who), false), "{event:#?}");
    assert!(user.name.eq_ignore_ascii_case(who), "{event:#?}");
    if let Some(member) = &event.member {
        assert_eq!(member.user, user.id, "{event:#?}");
    }
    if matches!(cause.place, Place::Room) {
        assert!(event.member.is_some(), "who does something in a room of the space is a member: {event:#?}");
    }
}

/// What belongs to the kind alone.
fn check_own<P: Platform>(platform: &P, event: &Event, cause: &Cause) {
    let about = &*cause.message;
    let alice = Some(platform.user("alice"));
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
        EventKind::Message { message } => {
            assert_eq!((message.id.as_str(), &message.author, &*message.content.text), (about, &alice, "*I* am"));
            assert!(message.reply_to.is_some() && is_recent(message.time), "{message:#?}");
        }
        EventKind::BeforeMessage { message } => {
            assert_eq!((&message.author, &*message.content.text), (&alice, "so am I"));
        }
        EventKind::MessageEdit { message, before, .. } => {
            assert_eq!((message.id.as_str(), &message.author, &*message.content.text), (about, &alice, "a typo"));
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
        EventKind::Join { by, .. } | EventKind::Leave { by, .. } => assert_eq!(*by, None, "by themselves"),
        EventKind::Presence { status } => assert_eq!(status.as_deref(), Some("idle")),
        EventKind::MemberUpdate { before } => {
            let now = event.member.as_ref().expect("it is about a member");
            assert_eq!(now.roles, ["Moderator"]);
            assert!(before.as_ref().is_none_or(|before| before.roles.is_empty()), "{event:#?}");
        }
        EventKind::Ban { by, reason } => assert_eq!((by.is_some(), reason.as_deref()), (true, Some("spam"))),
        EventKind::Unban { by, .. } => assert!(by.is_some()),
        EventKind::RoomUpdate { before } => {
            assert_eq!(event.room.as_ref().and_then(|room| room.topic.as_deref()), Some("the weather"));
            assert_eq!(before.as_ref().map(|before| (&before.id, &before.topic)), Some((&platform.room(), &None)));
        }
        EventKind::RoomDelete { before } => assert_eq!(before.as_ref().map(|room| &*room.name), Some("attic")),
        EventKind::Voice { status } => assert_eq!(status.as_deref(), Some("joined")),
        EventKind::Invite { code, by } => assert_eq!((code.as_deref(), by), (Some(about), &alice)),
        EventKind::Native { name, .. } => assert!(!name.is_empty()),
    }
}

/// Files that people send arrive with their names and the way to them.
pub(crate) async fn files_of_people_arrive<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::LACKS.contains(&Lack::Uploads) {
        return;
    }
    let deed = Deed::Attaches { who: "alice", text: "my notes", name: "notes.txt", data: "buy bread" };
    platform.people(deed).await;
    let event = platform.stage().hears("my notes").await;
    let EventKind::Message { message } = &event.kind else { unreachable!("messages are heard") };
    let [file] = &message.content.attachments[..] else { panic!("{message:#?}") };
    assert_eq!((&*file.name, file.size), ("notes.txt", Some(9)));
    assert!(!file.url.is_empty());
}

/// Every kind is either caused or said to be impossible, not both; and what is impossible has a reason.
pub(crate) fn every_kind_is_accounted_for<P: Platform>() {
    for (name, reason) in P::NEVER {
        assert!(group(*name).is_some(), "{name:?} is the engine's, and needs no mention");
        assert!(!reason.is_empty(), "{name:?} never happens for a reason");
        assert_eq!(P::NEVER.iter().filter(|(other, _)| other == name).count(), 1, "{name:?} is named twice");
    }
}

/// Milliseconds of the last hours, and not seconds or years.
fn is_recent(time: u64) -> bool {
    const HOUR: u64 = 3_600_000;
    let now = palabre_model::Clock::now(&palabre_model::SystemClock);
    let around: Range<u64> = now.saturating_sub(HOUR)..now + HOUR;
    around.contains(&time)
}
