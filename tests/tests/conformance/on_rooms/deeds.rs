//! Actions of users in the room service.

use palabre_types::{Action, Measure, MessageRef, RoomChange};
use serde_json::{Map, Value, json};

use super::visitor::Visitor;
use super::{OnRooms, ROOM};
use crate::platform::{Deed, Platform};

impl OnRooms {
    pub(super) async fn does(&mut self, deed: Deed<'_>) -> String {
        match deed {
            Deed::Says { who, text } => self.asks(who, "send_message", json!({ "message": text })).await,
            Deed::Replies { who, to, text } => {
                self.asks(who, "send_message", json!({ "message": text, "reply_to": to })).await
            }
            Deed::Attaches { who, text, name, data } => self.attaches(who, text, name, data).await,
            Deed::Edits { who, message, text } => {
                self.asks(who, "edit_message", json!({ "id": message, "message": text })).await
            }
            Deed::Deletes { who, message } => self.asks(who, "delete_message", json!({ "id": message })).await,
            Deed::Reacts { who, message, emoji } => {
                self.asks(who, "react", json!({ "id": message, "emoji": emoji })).await
            }
            Deed::Unreacts { who, message, emoji } => {
                self.asks(who, "react", json!({ "id": message, "emoji": emoji, "remove": true })).await
            }
            Deed::Presses { who, message, action } => {
                self.asks(who, "button", json!({ "id": message, "action": action })).await
            }
            Deed::Chooses { who, message, action, values } => {
                self.asks(who, "select", json!({ "id": message, "action": action, "values": values })).await
            }
            Deed::Submits { who, values, .. } => self.submits(who, values).await,
            Deed::Types { who } => self.asks(who, "typing", json!({ "is_typing": true })).await,
            Deed::Connects { who } | Deed::Joins { who } => {
                let visitor = Visitor::enter(&self.app.address, who, ROOM).await;
                self.people.insert(who.to_owned(), visitor);
                String::new()
            }
            Deed::Disconnects { who } => {
                self.people.remove(who);
                String::new()
            }
            Deed::Leaves { who } => {
                self.asks(who, "leave_room", json!({})).await;
                self.people.remove(who);
                String::new()
            }
            Deed::IsGivenRole { .. }
            | Deed::IsBanned { .. }
            | Deed::IsUnbanned { .. }
            | Deed::Pins { .. }
            | Deed::ChangesTopic { .. } => {
                self.fixture.does(&self.moderation(deed)).await;
                String::new()
            }
            Deed::SendsDirect { .. }
            | Deed::Rolls { .. }
            | Deed::Idles { .. }
            | Deed::MakesRoom { .. }
            | Deed::RemovesRoom { .. }
            | Deed::Votes { .. }
            | Deed::EntersVoice { .. }
            | Deed::Invites { .. }
            | Deed::RenamesRoom { .. }
            | Deed::AsksToJoin { .. }
            | Deed::Queries { .. }
            | Deed::DoesSomethingElse => unreachable!("it cannot be done here: {deed:?}"),
        }
    }

    fn visitor(&mut self, who: &str) -> &mut Visitor {
        self.people.get_mut(who).expect("who does something is there")
    }

    /// Sends an event of a user, and returns the id in its acknowledgement.
    async fn asks(&mut self, who: &str, event: &str, data: Value) -> String {
        self.visitor(who).asks(event, data).await["id"].as_str().unwrap_or_default().to_owned()
    }

    async fn attaches(&mut self, who: &str, text: &str, name: &str, data: &str) -> String {
        let file = json!({ "name": name, "content_type": "text/plain" });
        let place = self.visitor(who).asks("upload", file).await;
        let url = format!("http://{}{}", self.app.address, place["url"].as_str().expect("there is a place for it"));
        let put = self.http.put(url).body(data.to_owned()).send().await.expect("the service is up");
        assert!(put.status().is_success(), "{put:?}");
        self.asks(who, "send_message", json!({ "message": text, "files": [place["id"]] })).await
    }

    async fn submits(&mut self, who: &str, values: &[(&str, &str)]) -> String {
        let visitor = self.visitor(who);
        visitor.looks().await;
        let form = visitor.form.take().expect("it is shown")["form"].take();
        let values: Map<_, _> = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        self.asks(who, "form", json!({ "form": form, "values": values })).await
    }

    /// Returns the action of a bot for a deed of a moderator: in the room service, users cannot moderate.
    fn moderation(&self, deed: Deed<'_>) -> Action {
        let room = self.room();
        let measure = |who: &str, measure, reason: Option<&str>| Action::Moderate {
            room: self.room(),
            space: None,
            user: self.user(who),
            measure,
            reason: reason.map(ToOwned::to_owned),
        };
        match deed {
            Deed::IsGivenRole { who, role } => measure(who, Measure::AddRole(role.to_owned()), None),
            Deed::IsBanned { who, reason } => {
                measure(who, Measure::Ban { until: None, purge_since: None }, Some(reason))
            }
            Deed::IsUnbanned { who } => measure(who, Measure::Unban, None),
            Deed::Pins { message } => Action::Pin { room, message: MessageRef::Id(message.into()), remove: false },
            Deed::ChangesTopic { topic } => Action::Arrange { room, change: RoomChange::Topic(topic.to_owned()) },
            _ => unreachable!("no moderator does this: {deed:?}"),
        }
    }
}
