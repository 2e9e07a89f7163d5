//! Reactions, votes and pins of users.

use serde_json::json;

use crate::telegram::post::MessageRef;
use crate::telegram::stand_in::StandIn;

impl StandIn {
    /// Sets a user's reaction, which replaces previous ones.
    pub fn reacts(&self, who: &str, message: MessageRef, emoji: &str) {
        self.reacts_with(who, message, &[emoji]);
    }

    /// Removes a reaction.
    pub fn unreacts(&self, who: &str, message: MessageRef, emoji: &str) {
        let theirs = self.reactions(message).into_iter().filter(|(name, one)| name == who && one != emoji);
        let left: Vec<String> = theirs.map(|(_, one)| one).collect();
        self.reacts_with(who, message, &left.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Sets all reactions of a user to a message; an empty list removes them.
    ///
    /// # Panics
    /// If an emoji is not allowed by Telegram.
    pub fn reacts_with(&self, who: &str, message: MessageRef, emoji: &[&str]) {
        self.change(|state| {
            let user = state.who(who);
            state.known(message);
            emoji.iter().for_each(|one| {
                assert!(state.reaction_emoji().iter().any(|known| known == one), "{one} is no reaction")
            });
            let reactions = emoji.iter().map(|one| json!({ "type": "emoji", "emoji": one })).collect();
            state.react(message.chat, message.id, user, reactions);
        });
    }

    /// Votes for options of a poll, numbered from 0; an empty list retracts the vote.
    ///
    /// # Panics
    /// If the poll is closed or does not exist.
    pub fn votes(&self, who: &str, message: MessageRef, options: &[usize]) {
        self.change(|state| {
            let user = state.who(who);
            let poll = state.known(message)["poll"].clone();
            assert!(poll["is_closed"] == false, "there is no open poll in {message}");
            let id = poll["id"].as_str().unwrap_or_default().to_owned();
            let ballot = state.ballots.get_mut(&id).expect("a poll that was sent is counted");
            if options.is_empty() {
                ballot.votes.remove(&user);
            } else {
                ballot.votes.insert(user, options.to_vec());
            }
            let poll = state.count_votes(&id, false);
            // A bot receives votes only for its own polls that are not anonymous.
            if poll["is_anonymous"] == false && state.author_of(message) == state.bot {
                let ids: Vec<String> = options.iter().map(|index| format!("option{index}")).collect();
                let answer = json!({
                    "poll_id": id, "user": state.user_frame(user), "option_ids": options, "option_persistent_ids": ids,
                });
                state.give("poll_answer", answer);
            }
        });
    }

    /// Pins a message.
    pub fn pins(&self, who: &str, message: MessageRef) {
        self.change(|state| {
            let user = state.who(who);
            state.known(message);
            state.pin(message.chat, user, message.id);
        });
    }

    /// Unpins a message, about which Telegram sends no update.
    pub fn unpins(&self, message: MessageRef) {
        self.change(|state| state.place(message.chat).pinned.retain(|pinned| *pinned != message.id));
    }
}
