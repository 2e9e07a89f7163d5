//! Messages as users see them on Telegram.

use palabre_telegram::text::{Entity, to_commonmark};
use palabre_tests::telegram::Post;
use palabre_types::{Button, ButtonStyle};
use serde_json::Value;

use super::OnTelegram;
use crate::platform::{Seen, SeenMember};

/// The first character of button data that refers to something stored by the bot.
const KEPT: char = '\u{1}';
/// The data of a disabled button.
const OFF: &str = "\u{1}off:0";
/// The suffix of the data of the button that confirms a choice.
const DONE: &str = ":done";

impl OnTelegram {
    /// Converts a message, with the others of its album, to what users see.
    pub(super) fn seen(&self, message: &Value) -> Seen {
        let chat = message["chat"]["id"].to_string();
        let id = message["message_id"].as_i64().unwrap_or_default();
        let entities =
            |field: &str| -> Vec<Entity> { serde_json::from_value(message[field].clone()).unwrap_or_default() };
        let (raw, entities) = match message["caption"].as_str() {
            Some(caption) => (caption, entities("caption_entities")),
            None => (message["text"].as_str().unwrap_or_default(), entities("entities")),
        };
        let rows = message["reply_markup"]["inline_keyboard"].as_array();
        let all: Vec<&Value> = rows.into_iter().flatten().filter_map(Value::as_array).flatten().collect();
        let data = |button: &Value| button["callback_data"].as_str().unwrap_or_default().to_owned();
        let (of_list, buttons): (Vec<&Value>, Vec<&Value>) =
            all.into_iter().partition(|button| data(button).starts_with(KEPT) && data(button) != OFF);
        let options = of_list.iter().filter(|button| !data(button).ends_with(DONE));
        let options: Vec<String> = options.filter_map(|one| one["text"].as_str()).map(ToOwned::to_owned).collect();
        let posted = self.telegram.posted(&chat).into_iter().find(|post| post.at.id == id);
        let is_silent = |post: &Post| post.parameters["disable_notification"] == true;
        Seen {
            id: id.to_string(),
            author: message["from"]["username"].as_str().unwrap_or_default().to_owned(),
            text: to_commonmark(raw, &entities),
            buttons: buttons.into_iter().map(button).collect(),
            select: (!of_list.is_empty()).then_some(options),
            embeds: Vec::new(),
            files: self.files(&chat, message),
            reply_to: message["reply_to_message"]["message_id"].as_i64().map(|id| id.to_string()),
            reactions: self.own_reactions(id),
            pinned: self.telegram.pinned(&chat).contains(&id),
            silent: posted.as_ref().is_some_and(is_silent),
            notifies: notified(message),
        }
    }

    /// Returns the files of a message and of the others of its album.
    fn files(&self, chat: &str, message: &Value) -> Vec<(String, String)> {
        let album = &message["media_group_id"];
        let all = self.telegram.messages(chat);
        let same = all.iter().filter(|one| {
            one["message_id"] == message["message_id"] || (one["media_group_id"] == *album && !album.is_null())
        });
        let file = |one: &Value| {
            let document = &one["document"];
            let data = self.telegram.file(document["file_id"].as_str()?)?;
            Some((document["file_name"].as_str()?.to_owned(), String::from_utf8_lossy(&data).into_owned()))
        };
        same.filter_map(file).collect()
    }

    fn own_reactions(&self, id: i64) -> Vec<String> {
        let all = self.telegram.reactions(palabre_tests::telegram::MessageRef { chat: self.chat, id });
        all.into_iter().filter(|(who, _)| who == "palabre_bot").map(|(_, emoji)| emoji).collect()
    }

    /// Returns the bot's current messages in a chat; an album is one message.
    pub(super) fn posted(&self, chat: &str) -> Vec<Seen> {
        let posts = self.telegram.posted(chat).into_iter().filter(|post| !post.is_deleted());
        let mut all: Vec<Value> = posts.map(|post| post.message).collect();
        all.dedup_by(|one, before| {
            !one["media_group_id"].is_null() && one["media_group_id"] == before["media_group_id"]
        });
        all.iter().map(|message| self.seen(message)).collect()
    }

    /// Returns the pop-ups that a user who pressed a button was shown.
    pub(super) fn shown_over_the_chat(&self, who: &str) -> Vec<Seen> {
        let answers = self.telegram.asked("answerCallbackQuery").into_iter();
        let shown = answers.filter_map(|answer| {
            let press = answer["callback_query_id"].as_str()?;
            let text = answer["text"].as_str()?.to_owned();
            let is_theirs = self.pressed.get(press).is_some_and(|by| by == who);
            is_theirs.then(|| Seen { id: press.to_owned(), text, ..Seen::default() })
        });
        shown.collect()
    }

    /// Returns the form that a user is asked to fill in: its title, and the current field.
    pub(super) fn asked_in_form(&self, who: &str) -> Option<(String, Vec<String>)> {
        let id = self.telegram.user(who);
        let is_theirs = |post: &Post| {
            let entities = post.message["entities"].as_array().into_iter().flatten();
            post.parameters["reply_markup"]["force_reply"] == true
                && entities.clone().any(|entity| entity["user"]["id"] == id)
        };
        let asked = self.telegram.posted(&self.place()).into_iter().rfind(is_theirs)?;
        let title = asked.text().lines().find_map(|line| line.strip_prefix("✎ "))?;
        let label = asked.text().lines().find_map(|line| line.split_once(" · "))?.1;
        Some((title.to_owned(), vec![label.to_owned()]))
    }

    pub(super) fn member_now(&self, who: &str) -> SeenMember {
        let member = self.telegram.member_now(who, &self.place());
        let is_there = match member["status"].as_str().unwrap_or_default() {
            "restricted" => member["is_member"] == true,
            status => matches!(status, "creator" | "administrator" | "member"),
        };
        let title = member["custom_title"].as_str().or(member["tag"].as_str());
        SeenMember {
            is_there,
            is_muted: is_there && !self.telegram.can_speak(who, &self.place()),
            is_banned: self.telegram.is_banned(who, &self.place()),
            roles: title.map(ToOwned::to_owned).into_iter().collect(),
            nickname: None,
        }
    }
}

/// Returns the mentioned users of a message by native id, or by name if there is no such user.
fn notified(message: &Value) -> Vec<String> {
    let units: Vec<u16> = message["text"].as_str().unwrap_or_default().encode_utf16().collect();
    let part = |entity: &Value| {
        let offset = usize::try_from(entity["offset"].as_u64()?).ok()?;
        let length = usize::try_from(entity["length"].as_u64()?).ok()?;
        String::from_utf16(units.get(offset..offset + length)?).ok()
    };
    let entities = message["entities"].as_array().into_iter().flatten();
    let named = entities.filter_map(|entity| match entity["type"].as_str()? {
        "text_mention" => Some(entity["user"]["id"].to_string()),
        "mention" => Some(part(entity)?.trim_start_matches('@').to_owned()),
        _ => None,
    });
    named.collect()
}

fn button(button: &Value) -> Button {
    let text = |field: &str| button[field].as_str().map(ToOwned::to_owned);
    let data = text("callback_data").unwrap_or_default();
    let disabled = data == OFF;
    Button {
        label: text("text").unwrap_or_default(),
        action: if disabled { String::new() } else { data },
        style: match button["style"].as_str() {
            Some("primary") => Some(ButtonStyle::Primary),
            Some("danger") => Some(ButtonStyle::Danger),
            _ => None,
        },
        url: text("url"),
        disabled,
    }
}
