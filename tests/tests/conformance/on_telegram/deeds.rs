//! Actions of users on Telegram.

use palabre_model::Measure;
use palabre_telegram::text::to_telegram;
use serde_json::{Value, json};

use super::OnTelegram;
use crate::actions::measure;
use crate::platform::{Deed, Platform};

/// Formats a typed text as the user's client sends it.
fn typed(text: &str) -> Value {
    let rich = to_telegram(text);
    json!({ "text": rich.text, "entities": rich.entities })
}

impl OnTelegram {
    pub(super) async fn does(&mut self, deed: Deed<'_>) -> String {
        let (town, place) = (&self.town, self.place());
        match deed {
            Deed::Says { who, text } => return town.posts(who, &place, typed(text)).id.to_string(),
            Deed::Replies { who, to, text } => {
                let mut fields = typed(text);
                fields["reply_to_message_id"] = self.at(to).id.into();
                return town.posts(who, &place, fields).id.to_string();
            }
            Deed::Attaches { who, text, name, data } => {
                let file = ("document", name, "text/plain", data.as_bytes());
                return town.posts_files(who, &place, json!({ "caption": text }), &[file])[0].id.to_string();
            }
            Deed::Whispers { who, text } => return town.whispers(who, text).id.to_string(),
            Deed::Edits { message, text, .. } => town.edits_to(self.at(message), typed(text)),
            Deed::Deletes { message, .. } => town.deletes(self.at(message)),
            Deed::Reacts { who, message, emoji } => town.reacts(who, self.at(message), emoji),
            Deed::Unreacts { who, message, emoji } => town.unreacts(who, self.at(message), emoji),
            Deed::Presses { who, message, action } => self.presses(who, message, action),
            Deed::Chooses { who, message, values, .. } => self.chooses(who, message, values).await,
            Deed::Submits { who, values, .. } => self.fills_in(who, values).await,
            Deed::Joins { who } => drop(town.joins(who, &place)),
            Deed::Leaves { who } => town.leaves(who, &place),
            Deed::IsGivenRole { who, role } => {
                // Users assign such roles in their own clients, which causes the same update.
                let taken = Measure::AddRole(role.to_owned());
                self.stage.does(&measure(&self.room(), Some(self.space()), &self.user(who), taken)).await;
            }
            Deed::IsBanned { who, .. } => town.bans("olivia", who, &place),
            Deed::IsUnbanned { who } => town.unbans("olivia", who, &place),
            Deed::Pins { message } => town.pins("olivia", self.at(message)),
            Deed::MakesRoom { name } => town.adds_bot("olivia", name),
            Deed::RemovesRoom { name } => town.throws_bot_out(name),
            Deed::RenamesRoom { name } => town.retitles("olivia", &place, name),
            Deed::AsksToJoin { who, invited_by } => {
                let link = town.invites(invited_by, &place);
                town.asks_to_join_by(who, &place, &link);
                return link;
            }
            Deed::Queries { who, text } => {
                let query = town.inline_query(who, text);
                self.queried.insert(who.to_owned(), query.clone());
                return query;
            }
            Deed::DoesSomethingElse => drop(town.service("olivia", &place, json!({ "delete_chat_photo": true }))),
            Deed::Rolls { .. }
            | Deed::Types { .. }
            | Deed::Connects { .. }
            | Deed::Disconnects { .. }
            | Deed::Idles { .. }
            | Deed::Votes { .. }
            | Deed::EntersVoice { .. }
            | Deed::Invites { .. }
            | Deed::ChangesTopic { .. } => unreachable!("no bot is told of it here: {deed:?}"),
        }
        String::new()
    }

    fn presses(&mut self, who: &str, message: &str, button: &str) {
        let press = self.town.presses(who, self.at(message), button);
        self.pressed.insert(press, who.to_owned());
    }

    /// Marks the values in a list one after the other, and confirms the choice.
    async fn chooses(&mut self, who: &str, message: &str, values: &[&str]) {
        for value in values {
            let label = value.to_uppercase();
            self.presses(who, message, &label);
            let (at, marked) = (self.at(message), format!("✅ {label}"));
            let is_marked = |keyboard: &Value| keyboard.to_string().contains(&marked);
            let look = |message: &Value| is_marked(&message["reply_markup"]).then_some(());
            self.town.until("the choice to be marked", |town| look(&town.message(at))).await;
        }
        self.presses(who, message, "✔️");
    }

    /// Answers each question of a form when it is asked.
    async fn fills_in(&self, who: &str, values: &[(&str, &str)]) {
        let place = self.place();
        for (index, (name, value)) in values.iter().enumerate() {
            let question = format!("{}/{} · {}", index + 1, values.len(), name.to_uppercase());
            let is_asked = |town: &palabre_tests::telegram::StandIn| {
                town.posted(&place).pop().filter(|post| post.text().contains(&question))
            };
            let asked = self.town.until("a field to be asked", is_asked).await;
            self.town.replies(who, asked.at, if value.is_empty() { "/skip" } else { value });
        }
    }
}
