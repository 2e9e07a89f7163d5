//! The topics of forums.

use serde_json::{Value, json};

use crate::telegram::chat::Topic;
use crate::telegram::state::State;

/// The allowed icon colours.
pub(in crate::telegram) const COLORS: [u64; 6] = [7_322_096, 16_766_590, 13_338_331, 9_367_192, 16_749_490, 16_478_047];

impl State {
    /// Opens a topic with the service message whose id it has.
    ///
    /// The first one of a forum is the general topic, which has no such message.
    pub(in crate::telegram) fn open_topic(&mut self, chat: i64, name: &str, by: i64) -> i64 {
        let topic = Topic { name: name.to_owned(), color: COLORS[0], icon: None, is_closed: false };
        let is_general = self.chats[&chat].topics.is_empty();
        let id = if is_general { 1 } else { self.chats[&chat].last_message + 1 };
        if is_general {
            self.place(chat).last_message = 1;
        }
        self.place(chat).topics.insert(id, topic);
        if !is_general {
            let created = json!({ "forum_topic_created": { "name": name, "icon_color": COLORS[0] } });
            self.post_service(chat, by, Some(id), created);
        }
        id
    }

    /// Changes a topic, and posts a service message in it.
    pub(in crate::telegram) fn change_topic(
        &mut self,
        chat: i64,
        id: i64,
        by: i64,
        what: &str,
        fields: Value,
        change: impl Fn(&mut Topic),
    ) {
        change(self.place(chat).topics.get_mut(&id).expect("the topic was found before"));
        self.post_service(chat, by, Some(id), json!({ what: fields }));
    }
}
