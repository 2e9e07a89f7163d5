//! Members on request, in chunks of 1,000.

use serde_json::{Value, json};

use crate::discord::counters::Violation;
use crate::discord::id::Id;
use crate::discord::intents::PRESENCES;
use crate::discord::state::State;

const CHUNK_MAX: usize = 1_000;

impl State {
    /// Answers op 8 with `GUILD_MEMBERS_CHUNK`s to the session that asked.
    pub(super) fn send_members(&mut self, session: &str, asked: &Value) {
        let intents = self.sessions.get(session).map_or(0, |session| session.intents);
        let Some(guild) = Id::of(asked, "guild_id").filter(|guild| self.guilds.contains_key(guild)) else { return };
        let query = asked["query"].as_str();
        let whole = query == Some("") && asked["limit"] == 0;
        if whole && !Self::may_list_members(intents) {
            self.complain(asked, "all members are only given with the intent GUILD_MEMBERS");
            return;
        }
        let (found, missing) = match Id::of(asked, "user_ids") {
            Some(one) => self.members_by_id(guild, &[one]),
            None if asked["user_ids"].is_array() => self.members_by_id(guild, &Id::list(&asked["user_ids"])),
            None if query.is_some() => {
                (self.members_by_name(guild, query.unwrap_or_default(), &asked["limit"]), Vec::new())
            }
            None => return self.complain(asked, "either query or user_ids is needed"),
        };
        let pieces: Vec<&[Id]> = if found.is_empty() { vec![&[]] } else { found.chunks(CHUNK_MAX).collect() };
        for (index, piece) in pieces.iter().enumerate() {
            let members: Vec<_> = piece.iter().filter_map(|user| self.member_frame(guild, *user)).collect();
            let mut chunk = json!({
                "guild_id": guild, "members": members, "chunk_index": index, "chunk_count": pieces.len(),
            });
            if index == 0 && !missing.is_empty() {
                chunk["not_found"] = json!(missing);
            }
            if asked["presences"] == true && intents & PRESENCES != 0 {
                let presences = &self.guilds[&guild].presences;
                chunk["presences"] = piece.iter().filter_map(|user| presences.get(user).cloned()).collect();
            }
            if let Some(nonce) = asked["nonce"].as_str() {
                chunk["nonce"] = json!(nonce);
            }
            self.rough.roughen("", &mut chunk);
            let frames_max = self.options.session_frames;
            if let Some(session) = self.sessions.get_mut(session) {
                session.push("GUILD_MEMBERS_CHUNK", &chunk.to_string(), frames_max);
            }
        }
    }

    fn members_by_id(&self, guild: Id, wanted: &[Id]) -> (Vec<Id>, Vec<Id>) {
        let members = &self.guilds[&guild].members;
        wanted.iter().take(100).partition(|id| members.contains_key(id))
    }

    fn members_by_name(&self, guild: Id, start: &str, limit: &Value) -> Vec<Id> {
        let limit = limit.as_u64().and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
        let limit = if start.is_empty() { limit.unwrap_or(usize::MAX) } else { limit.unwrap_or(1).min(100) };
        let members = self.guilds[&guild].members.iter();
        let fits = |(id, member): &(&Id, &crate::discord::guild::Member)| {
            let name = self.users.get(id).map_or("", |user| &user.name);
            name.starts_with(start) || member.nick.as_ref().is_some_and(|nick| nick.starts_with(start))
        };
        members.filter(fits).map(|(id, _)| *id).take(limit).collect()
    }

    /// Records a violation by the client.
    pub(super) fn complain(&mut self, sent: &Value, reason: &str) {
        self.recording.violations.push(Violation {
            method: "GATEWAY".to_owned(),
            path: "op 8".to_owned(),
            reason: reason.to_owned(),
            body: sent.clone(),
        });
    }
}
