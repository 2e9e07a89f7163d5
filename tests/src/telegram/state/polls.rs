//! The polls and their votes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::telegram::poll::Ballot;
use crate::telegram::state::State;

impl State {
    /// A poll as messages contain it. `options` are `InputPollOption`s; the rest is as in `sendPoll`.
    pub(in crate::telegram) fn poll_frame(&mut self, fields: &Value) -> Value {
        let options = fields["options"].as_array().into_iter().flatten().enumerate();
        let options: Vec<Value> = options
            .map(|(index, one)| {
                let text = one["text"].as_str().or(one.as_str()).unwrap_or_default();
                json!({ "persistent_id": format!("option{index}"), "text": text, "voter_count": 0 })
            })
            .collect();
        let is_quiz = fields["type"] == "quiz";
        let mut poll = json!({
            "id": self.fresh_id(), "question": fields["question"], "options": options, "total_voter_count": 0,
            "is_closed": fields["is_closed"] == true, "is_anonymous": fields["is_anonymous"] != false,
            "type": if is_quiz { "quiz" } else { "regular" },
            "allows_multiple_answers": fields["allows_multiple_answers"] == true,
            "allows_revoting": fields["allows_revoting"].as_bool().unwrap_or(!is_quiz),
            "members_only": fields["members_only"] == true,
        });
        for name in ["correct_option_ids", "explanation", "open_period", "close_date", "description"] {
            if !fields[name].is_null() {
                poll[name] = fields[name].clone();
            }
        }
        poll
    }

    /// Starts counting the votes for a message's poll.
    pub(in crate::telegram) fn open_ballot(&mut self, message: &Value) {
        let (chat, number) = (message["chat"]["id"].as_i64(), message["message_id"].as_i64());
        if let (Some(id), Some(chat), Some(message)) = (message["poll"]["id"].as_str(), chat, number) {
            self.ballots.insert(id.to_owned(), Ballot { chat, message, votes: BTreeMap::new() });
        }
    }

    /// Updates the poll in its message and sends the update; returns the poll.
    pub(in crate::telegram) fn count_votes(&mut self, id: &str, close: bool) -> Value {
        let (ballot, bot) = (self.ballots[id].clone(), self.bot);
        let message = self.place(ballot.chat).messages.get_mut(&ballot.message).expect("the message was found before");
        let poll = &mut message["poll"];
        poll["total_voter_count"] = json!(ballot.votes.len());
        for (index, option) in poll["options"].as_array_mut().into_iter().flatten().enumerate() {
            option["voter_count"] = json!(ballot.votes.values().filter(|chosen| chosen.contains(&index)).count());
        }
        if close {
            poll["is_closed"] = json!(true);
        }
        let (poll, is_own) = (poll.clone(), message["from"]["id"] == bot || message["from"].is_null());
        // A bot receives its own polls, and other polls when they close.
        if is_own || close {
            self.give("poll", poll.clone());
        }
        poll
    }
}
