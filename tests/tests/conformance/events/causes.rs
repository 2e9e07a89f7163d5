//! The causes of each event kind.

use palabre_model::EventName;

use super::{Cause, Place};
use crate::platform::{Deed, Lack, Platform};
use crate::scene::{self, EMOJI};

/// Causes an event of this kind.
pub(super) async fn cause<P: Platform>(platform: &mut P, name: EventName) -> Cause {
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
            (cause.who, cause.place, cause.since) = (None, Place::Nowhere, people.fixture().cursor());
            assert!(people.cut().await, "a platform that loses its connection lets it be cut");
        }
        EventName::Message | EventName::BeforeMessage => {
            let first = people.people(Deed::Says { who: "bob", text: "is **anybody** here?" }).await;
            people.fixture().hears("is **anybody** here?").await;
            cause.since = people.fixture().cursor();
            let text = if name == EventName::Message { "_I_ am" } else { "so am I" };
            cause.message = people.people(Deed::Replies { who: "alice", to: &first, text }).await;
        }
        EventName::MessageEdit => {
            cause.message = scene::said(people, "alice", "a tpyo").await;
            cause.since = people.fixture().cursor();
            people.people(Deed::Edits { who: "alice", message: &cause.message, text: "a typo" }).await;
        }
        EventName::MessageDelete => {
            cause.message = scene::said(people, "alice", "never mind").await;
            cause.since = people.fixture().cursor();
            people.people(Deed::Deletes { who: "alice", message: &cause.message }).await;
        }
        EventName::ReactionAdd | EventName::ReactionRemove => {
            cause.message = scene::said(people, "bob", "a joke").await;
            cause.since = people.fixture().cursor();
            let message = &*cause.message;
            people.people(Deed::Reacts { who: "alice", message, emoji: EMOJI }).await;
            if name == EventName::ReactionRemove {
                people.people(Deed::Unreacts { who: "alice", message, emoji: EMOJI }).await;
            }
        }
        EventName::Pin => {
            cause.message = scene::said(people, "alice", "the rules").await;
            (cause.who, cause.since) = (None, people.fixture().cursor());
            people.people(Deed::Pins { message: &cause.message }).await;
        }
        EventName::PollVote => {
            cause.since = people.fixture().cursor();
            cause.message = people.people(Deed::Votes { who: "alice" }).await;
        }
        EventName::Typing => {
            cause.since = people.fixture().cursor();
            people.people(Deed::Types { who: "alice" }).await;
        }
        EventName::Command => {
            cause.since = people.fixture().cursor();
            people.people(Deed::Rolls { who: "alice", sides: 20 }).await;
        }
        EventName::Button => {
            let asked = scene::offers_button(people).await;
            cause.since = people.fixture().cursor();
            people.people(Deed::Presses { who: "alice", message: asked.as_str(), action: "go" }).await;
            cause.message = asked.to_string();
        }
        EventName::Select => {
            let asked = scene::offers_list(people).await;
            cause.since = people.fixture().cursor();
            let values = &["red", "blue"];
            people.people(Deed::Chooses { who: "alice", message: asked.as_str(), action: "pick", values }).await;
            cause.message = asked.to_string();
        }
        EventName::Form => {
            scene::shows_form(people, "alice").await;
            cause.since = people.fixture().cursor();
            let values = &[("why", "it rains"), ("else", "")];
            people.people(Deed::Submits { who: "alice", action: "report", values }).await;
        }
        EventName::Connect | EventName::Disconnect => {
            (cause.who, cause.place, cause.since) = (Some("carol"), Place::Anywhere, people.fixture().cursor());
            people.people(Deed::Connects { who: "carol" }).await;
            if name == EventName::Disconnect {
                people.people(Deed::Disconnects { who: "carol" }).await;
            } else {
                people.fixture().wait(name, cause.since, |_| true).await;
                scene::fence(people).await;
                people.people(Deed::Disconnects { who: "carol" }).await;
                scene::is_gone(people, cause.since).await;
            }
        }
        EventName::Join | EventName::Leave => {
            (cause.who, cause.place, cause.since) = (Some("carol"), Place::Space, people.fixture().cursor());
            people.people(Deed::Joins { who: "carol" }).await;
            people.fixture().wait(EventName::Join, cause.since, |_| true).await;
            people.people(Deed::Leaves { who: "carol" }).await;
        }
        EventName::Presence => {
            (cause.place, cause.since) = (Place::Anywhere, people.fixture().cursor());
            people.people(Deed::Idles { who: "alice" }).await;
        }
        EventName::MemberUpdate => {
            (cause.who, cause.place) = (Some("bob"), Place::Space);
            cause.since = people.fixture().cursor();
            people.people(Deed::IsGivenRole { who: "bob", role: "Moderator" }).await;
        }
        EventName::Ban | EventName::Unban => {
            (cause.who, cause.place) = (Some("carol"), Place::Space);
            people.people(Deed::Joins { who: "carol" }).await;
            cause.since = people.fixture().cursor();
            people.people(Deed::IsBanned { who: "carol", reason: "spam" }).await;
            people.fixture().wait(EventName::Ban, cause.since, |_| true).await;
            people.people(Deed::IsUnbanned { who: "carol" }).await;
        }
        EventName::RoomCreate | EventName::RoomDelete => {
            (cause.who, cause.place, cause.since) = (None, Place::OtherRoom, people.fixture().cursor());
            people.people(Deed::MakesRoom { name: "attic" }).await;
            people.people(Deed::RemovesRoom { name: "attic" }).await;
        }
        EventName::RoomUpdate if P::LACKS.contains(&Lack::Topics) => {
            let before = people.fixture().cursor();
            people.people(Deed::RenamesRoom { name: "salon" }).await;
            people.fixture().wait(name, before, |_| true).await;
            (cause.who, cause.since) = (None, people.fixture().cursor());
            people.people(Deed::RenamesRoom { name: "general" }).await;
        }
        EventName::RoomUpdate => {
            (cause.who, cause.since) = (None, people.fixture().cursor());
            people.people(Deed::ChangesTopic { topic: "the weather" }).await;
        }
        EventName::Voice => {
            (cause.place, cause.since) = (Place::OtherRoom, people.fixture().cursor());
            people.people(Deed::EntersVoice { who: "alice" }).await;
        }
        EventName::InlineQuery => {
            (cause.place, cause.since) = (Place::Anywhere, people.fixture().cursor());
            cause.message = people.people(Deed::Queries { who: "alice", text: "dice" }).await;
        }
        EventName::JoinRequest => {
            (cause.who, cause.place, cause.since) = (Some("carol"), Place::Space, people.fixture().cursor());
            cause.message = people.people(Deed::AsksToJoin { who: "carol", invited_by: "alice" }).await;
        }
        EventName::Invite => {
            cause.since = people.fixture().cursor();
            cause.message = people.people(Deed::Invites { who: "alice" }).await;
        }
        EventName::Native => {
            (cause.who, cause.place, cause.since) = (None, Place::Anywhere, people.fixture().cursor());
            people.people(Deed::DoesSomethingElse).await;
        }
    }
    cause
}
