//! Sends events to the sessions that requested them.

use serde_json::Value;

use super::event::Event;
use super::id::Id;
use super::intents::{self, MESSAGE_CONTENT};
use super::mention;
use super::state::State;

impl State {
    /// Sends an event to the sessions on the guild's shard that requested it.
    ///
    /// Returns whether there was any.
    pub(super) fn dispatch(&mut self, name: &str, guild: Option<Id>, data: Value) {
        self.deliver(Event { name: name.to_owned(), guild, data, of_bot: false });
    }

    pub(super) fn deliver(&mut self, mut event: Event) {
        let kind = match event.name.split('_').next() {
            Some("MESSAGE") if event.name.ends_with("ATE") => "message",
            Some("CHANNEL" | "THREAD") => "channel",
            Some("GUILD") if event.name.starts_with("GUILD_MEMBER_") => "member",
            _ => "",
        };
        self.rough.roughen(kind, &mut event.data);
        let full = event.data.to_string();
        let needed = intents::needed(&event);
        // Built only if a session may not see the text.
        let mut bare = None;
        let hidden = matches!(event.name.as_str(), "MESSAGE_CREATE" | "MESSAGE_UPDATE")
            && event.guild.is_some()
            && !mention::is_open_to(&event.data, self.bot);
        for session in self.sessions.values_mut() {
            if !session.covers(event.guild) || needed != 0 && session.intents & needed == 0 {
                continue;
            }
            if hidden && session.intents & MESSAGE_CONTENT == 0 {
                let bare = bare.get_or_insert_with(|| mention::without_content(&event.data).to_string());
                session.push(&event.name, bare, self.options.session_frames);
            } else {
                session.push(&event.name, &full, self.options.session_frames);
            }
        }
    }
}
