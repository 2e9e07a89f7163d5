//! The causes of each event kind.

use palabre_types::EventName;

use crate::platform::{Deed, Lack, Platform};
use crate::scene::{self, EMOJI};

/// A caused event, as it must be reported.
pub(super) struct Cause {
    /// Only events after this position count.
    pub(super) since: usize,
    /// The user who caused it, or who was affected.
    pub(super) who: Option<&'static str>,
    pub(super) place: Place,
    /// The message of the event.
    pub(super) message: String,
}

impl Cause {
    /// An event of alice in the room.
    const fn by_alice(since: usize) -> Self {
        Self { since, who: Some("alice"), place: Place::Room, message: String::new() }
    }

    /// An event of carol, who is not in the room.
    const fn by_carol(since: usize, place: Place) -> Self {
        Self { since, who: Some("carol"), place, message: String::new() }
    }

    /// An event that names no user.
    const fn by_nobody(since: usize, place: Place) -> Self {
        Self { since, who: None, place, message: String::new() }
    }
}

/// The place that an event must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// No place.
    Nowhere,
    /// The space, or the current place of the user.
    Anywhere,
    /// The space.
    Space,
    /// The room.
    Room,
    /// Another room of the space.
    OtherRoom,
}

/// Causes an event of this kind.
pub(super) async fn cause<P: Platform>(people: &mut P, name: EventName) -> Cause {
    match name {
        EventName::Load
        | EventName::Unload
        | EventName::Error
        | EventName::Timer
        | EventName::Heard
        | EventName::Task
        | EventName::Request => unreachable!("the engine makes it"),
        EventName::Ready => Cause::by_nobody(0, Place::Nowhere),
        EventName::Lost => lost(people).await,
        EventName::Message => reply(people, "_I_ am").await,
        EventName::BeforeMessage => reply(people, "so am I").await,
        EventName::MessageEdit => edit(people).await,
        EventName::MessageDelete => deletion(people).await,
        EventName::ReactionAdd | EventName::ReactionRemove => reaction(people, name).await,
        EventName::Pin => pin(people).await,
        EventName::PollVote => vote(people).await,
        EventName::Typing => typing(people).await,
        EventName::Command => command(people).await,
        EventName::Button => button(people).await,
        EventName::Select => select(people).await,
        EventName::Form => form(people).await,
        EventName::Connect => connect(people).await,
        EventName::Disconnect => disconnect(people).await,
        EventName::Join | EventName::Leave => join_and_leave(people).await,
        EventName::Presence => presence(people).await,
        EventName::MemberUpdate => role(people).await,
        EventName::Ban | EventName::Unban => ban_and_unban(people).await,
        EventName::RoomCreate | EventName::RoomDelete => room_made_and_removed(people).await,
        EventName::RoomUpdate if P::LACKS.contains(&Lack::Topics) => room_renamed(people).await,
        EventName::RoomUpdate => topic(people).await,
        EventName::Voice => voice(people).await,
        EventName::InlineQuery => inline_query(people).await,
        EventName::JoinRequest => join_request(people).await,
        EventName::Invite => invite(people).await,
        EventName::Native => native(people).await,
    }
}

async fn lost<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    assert!(people.cut().await, "a platform that loses its connection lets it be cut");
    Cause::by_nobody(since, Place::Nowhere)
}

async fn reply<P: Platform>(people: &mut P, text: &str) -> Cause {
    let first = scene::said(people, "bob", "is **anybody** here?").await;
    let since = people.fixture().cursor();
    let message = people.people(Deed::Replies { who: "alice", to: &first, text }).await;
    Cause { message, ..Cause::by_alice(since) }
}

async fn edit<P: Platform>(people: &mut P) -> Cause {
    let message = scene::said(people, "alice", "a tpyo").await;
    let since = people.fixture().cursor();
    people.people(Deed::Edits { who: "alice", message: &message, text: "a typo" }).await;
    Cause { message, ..Cause::by_alice(since) }
}

async fn deletion<P: Platform>(people: &mut P) -> Cause {
    let message = scene::said(people, "alice", "never mind").await;
    let since = people.fixture().cursor();
    people.people(Deed::Deletes { who: "alice", message: &message }).await;
    Cause { message, ..Cause::by_alice(since) }
}

/// Adds a reaction, and removes it if that is the event.
async fn reaction<P: Platform>(people: &mut P, name: EventName) -> Cause {
    let message = scene::said(people, "bob", "a joke").await;
    let since = people.fixture().cursor();
    people.people(Deed::Reacts { who: "alice", message: &message, emoji: EMOJI }).await;
    if name == EventName::ReactionRemove {
        people.people(Deed::Unreacts { who: "alice", message: &message, emoji: EMOJI }).await;
    }
    Cause { message, ..Cause::by_alice(since) }
}

async fn pin<P: Platform>(people: &mut P) -> Cause {
    let message = scene::said(people, "alice", "the rules").await;
    let since = people.fixture().cursor();
    people.people(Deed::Pins { message: &message }).await;
    Cause { message, ..Cause::by_nobody(since, Place::Room) }
}

async fn vote<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    let message = people.people(Deed::Votes { who: "alice" }).await;
    Cause { message, ..Cause::by_alice(since) }
}

async fn typing<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::Types { who: "alice" }).await;
    Cause::by_alice(since)
}

async fn command<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::Rolls { who: "alice", sides: 20 }).await;
    Cause::by_alice(since)
}

async fn button<P: Platform>(people: &mut P) -> Cause {
    let message = scene::offers_button(people).await.to_string();
    let since = people.fixture().cursor();
    people.people(Deed::Presses { who: "alice", message: &message, action: "go" }).await;
    Cause { message, ..Cause::by_alice(since) }
}

async fn select<P: Platform>(people: &mut P) -> Cause {
    let message = scene::offers_list(people).await.to_string();
    let since = people.fixture().cursor();
    let values = &["red", "blue"];
    people.people(Deed::Chooses { who: "alice", message: &message, action: "pick", values }).await;
    Cause { message, ..Cause::by_alice(since) }
}

async fn form<P: Platform>(people: &mut P) -> Cause {
    scene::shows_form(people, "alice").await;
    let since = people.fixture().cursor();
    let values = &[("why", "it rains"), ("else", "")];
    people.people(Deed::Submits { who: "alice", action: "report", values }).await;
    Cause::by_alice(since)
}

/// Lets carol connect, and disconnect once that has arrived.
async fn connect<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::Connects { who: "carol" }).await;
    people.fixture().wait(EventName::Connect, since, |_| true).await;
    scene::fence(people).await;
    people.people(Deed::Disconnects { who: "carol" }).await;
    scene::is_gone(people, since).await;
    Cause::by_carol(since, Place::Anywhere)
}

async fn disconnect<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::Connects { who: "carol" }).await;
    people.people(Deed::Disconnects { who: "carol" }).await;
    Cause::by_carol(since, Place::Anywhere)
}

async fn join_and_leave<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::Joins { who: "carol" }).await;
    people.fixture().wait(EventName::Join, since, |_| true).await;
    people.people(Deed::Leaves { who: "carol" }).await;
    Cause::by_carol(since, Place::Space)
}

async fn presence<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::Idles { who: "alice" }).await;
    Cause { place: Place::Anywhere, ..Cause::by_alice(since) }
}

async fn role<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::IsGivenRole { who: "bob", role: "Moderator" }).await;
    Cause { since, who: Some("bob"), place: Place::Space, message: String::new() }
}

async fn ban_and_unban<P: Platform>(people: &mut P) -> Cause {
    people.people(Deed::Joins { who: "carol" }).await;
    let since = people.fixture().cursor();
    people.people(Deed::IsBanned { who: "carol", reason: "spam" }).await;
    people.fixture().wait(EventName::Ban, since, |_| true).await;
    people.people(Deed::IsUnbanned { who: "carol" }).await;
    Cause::by_carol(since, Place::Space)
}

async fn room_made_and_removed<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::MakesRoom { name: "attic" }).await;
    people.people(Deed::RemovesRoom { name: "attic" }).await;
    Cause::by_nobody(since, Place::OtherRoom)
}

/// Renames the room, and gives it back its name, which is the event.
async fn room_renamed<P: Platform>(people: &mut P) -> Cause {
    let before = people.fixture().cursor();
    people.people(Deed::RenamesRoom { name: "salon" }).await;
    people.fixture().wait(EventName::RoomUpdate, before, |_| true).await;
    let since = people.fixture().cursor();
    people.people(Deed::RenamesRoom { name: "general" }).await;
    Cause::by_nobody(since, Place::Room)
}

async fn topic<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::ChangesTopic { topic: "the weather" }).await;
    Cause::by_nobody(since, Place::Room)
}

async fn voice<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::EntersVoice { who: "alice" }).await;
    Cause { place: Place::OtherRoom, ..Cause::by_alice(since) }
}

async fn inline_query<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    let message = people.people(Deed::Queries { who: "alice", text: "dice" }).await;
    Cause { message, place: Place::Anywhere, ..Cause::by_alice(since) }
}

async fn join_request<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    let message = people.people(Deed::AsksToJoin { who: "carol", invited_by: "alice" }).await;
    Cause { message, ..Cause::by_carol(since, Place::Space) }
}

async fn invite<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    let message = people.people(Deed::Invites { who: "alice" }).await;
    Cause { message, ..Cause::by_alice(since) }
}

async fn native<P: Platform>(people: &mut P) -> Cause {
    let since = people.fixture().cursor();
    people.people(Deed::DoesSomethingElse).await;
    Cause::by_nobody(since, Place::Anywhere)
}
