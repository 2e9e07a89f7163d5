//! Actions of users on Telegram.

use palabre_telegram::text::to_telegram;
use palabre_types::Measure;
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
        let (telegram, place) = (&self.telegram, self.place());
        match deed {
            Deed::Says { who, text } => return telegram.posts(who, &place, typed(text)).id.to_string(),
            Deed::Replies { who, to, text } => {
                let mut fields = typed(text);
                fields["reply_to_message_id"] = self.at(to).id.into();
                return telegram.posts(who, &place, fields).id.to_string();
            }
            Deed::Attaches { who, text, name, data } => {
                let file = ("document", name, "text/plain", data.as_bytes());
                return telegram.posts_files(who, &place, json!({ "caption": text }), &[file])[0].id.to_string();
            }
            Deed::SendsDirect { who, text } => return telegram.sends_direct(who, text).id.to_string(),
            Deed::Edits { message, text, .. } => telegram.edits_to(self.at(message), typed(text)),
            Deed::Deletes { message, .. } => telegram.deletes(self.at(message)),
            Deed::Reacts { who, message, emoji } => telegram.reacts(who, self.at(message), emoji),
            Deed::Unreacts { who, message, emoji } => telegram.unreacts(who, self.at(message), emoji),
            Deed::Presses { who, message, action } => self.presses(who, message, action),
            Deed::Chooses { who, message, values, .. } => self.chooses(who, message, values).await,
            Deed::Submits { who, values, .. } => self.fills_in(who, values).await,
            Deed::Joins { who } => drop(telegram.joins(who, &place)),
            Deed::Leaves { who } => telegram.leaves(who, &place),
            Deed::IsGivenRole { who, role } => {
                // Users assign such roles in their own clients, which causes the same update.
                let taken = Measure::AddRole(role.to_owned());
                self.fixture.does(&measure(&self.room(), Some(self.space()), &self.user(who), taken)).await;
            }
            Deed::IsBanned { who, .. } => telegram.bans("olivia", who, &place),
            Deed::IsUnbanned { who } => telegram.unbans("olivia", who, &place),
            Deed::Pins { message } => telegram.pins("olivia", self.at(message)),
            Deed::MakesRoom { name } => telegram.adds_bot("olivia", name),
            Deed::RemovesRoom { name } => telegram.throws_bot_out(name),
            Deed::RenamesRoom { name } => telegram.retitles("olivia", &place, name),
            Deed::AsksToJoin { who, invited_by } => {
                let link = telegram.invites(invited_by, &place);
                telegram.asks_to_join_by(who, &place, &link);
                return link;
            }
            Deed::Queries { who, text } => {
                let query = telegram.inline_query(who, text);
                self.queried.insert(who.to_owned(), query.clone());
                return query;
            }
            Deed::DoesSomethingElse => drop(telegram.service("olivia", &place, json!({ "delete_chat_photo": true }))),
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
        let press = self.telegram.presses(who, self.at(message), button);
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
            self.telegram.until("the choice to be marked", |telegram| look(&telegram.message(at))).await;
        }
        self.presses(who, message, "✔️");
    }

    /// Answers each question of a form when it is asked.
    async fn fills_in(&self, who: &str, values: &[(&str, &str)]) {
        let place = self.place();
        for (index, (name, value)) in values.iter().enumerate() {
            let question = format!("{}/{} · {}", index + 1, values.len(), name.to_uppercase());
            let is_asked = |telegram: &palabre_tests::telegram::StandIn| {
                telegram.posted(&place).pop().filter(|post| post.text().contains(&question))
            };
            let asked = self.telegram.until("a field to be asked", is_asked).await;
            self.telegram.replies(who, asked.at, if value.is_empty() { "/skip" } else { value });
        }
    }
}
