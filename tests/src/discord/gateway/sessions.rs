//! Starts, resumes and ends sessions.

use rand::RngExt;
use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::intents::{GUILDS, application_flags};
use crate::discord::state::State;

use super::identify::Identify;
use super::session::Session;

/// The reason why a resume is refused.
pub(super) enum Refused {
    /// The session, or the missed dispatches, are gone.
    Gone,
    /// The sequence number is higher than any that was sent.
    Ahead,
}

impl State {
    /// Whether a shard identifies too soon after another of its group.
    pub(super) fn is_hasty(&mut self, shard: u64) -> bool {
        let now = self.now();
        let key = shard % u64::from(self.options.max_concurrency);
        let window = u64::try_from(self.options.identify_window.as_millis()).unwrap_or(u64::MAX);
        let last = self.identifies.last.get(&key).copied();
        let hasty = last.is_some_and(|last| now < last + window);
        if hasty {
            self.counters.hasty_identifies += 1;
        } else {
            self.identifies.last.insert(key, now);
        }
        hasty
    }

    /// Starts a session: `READY`, then the guilds.
    pub(super) fn begin_session(&mut self, identify: &Identify, connection: u64) -> String {
        self.counters.identifies += 1;
        self.forget_old_sessions();
        let id = format!("{:032x}", self.random.random::<u128>());
        let mut session = Session::new(identify.shard, identify.intents, connection);
        let guilds: Vec<Id> = self.guilds.keys().copied().filter(|guild| session.covers(Some(*guild))).collect();
        let mut ready = json!({
            "v": 10, "user": self.user_frame(self.bot), "session_id": id, "resume_gateway_url": self.gateway,
            "guilds": guilds.iter().map(|guild| json!({ "id": guild, "unavailable": true })).collect::<Vec<_>>(),
            "application": { "id": self.bot, "flags": application_flags(self.options.privileged) },
            "session_type": "normal", "private_channels": [], "relationships": [], "presences": [], "user_settings": {},
            "_trace": ["[\"stand-in\",{}]"],
        });
        ready["user"]["verified"] = json!(true);
        ready["user"]["mfa_enabled"] = json!(true);
        if identify.sharded {
            ready["shard"] = json!([identify.shard.0, identify.shard.1]);
        }
        self.greet(&mut session, "READY", ready);
        if identify.intents & GUILDS != 0 {
            for guild in guilds {
                let frame = self.guild_create_frame(guild, identify.intents, identify.large);
                self.greet(&mut session, "GUILD_CREATE", frame);
            }
        }
        self.sessions.insert(id.clone(), session);
        id
    }

    fn greet(&mut self, session: &mut Session, name: &str, mut data: Value) {
        self.rough.roughen("", &mut data);
        session.push(name, &data.to_string(), self.options.session_frames);
    }

    /// Moves a session to another connection, which receives the missed dispatches and then `RESUMED`.
    pub(super) fn resume_session(&mut self, id: &str, seq: u64, connection: u64) -> Result<(), Refused> {
        self.forget_old_sessions();
        let session = self.sessions.get_mut(id).ok_or(Refused::Gone);
        let outcome = session.and_then(|session| match seq {
            _ if seq > session.seq => Err(Refused::Ahead),
            _ if !session.reaches(seq) => Err(Refused::Gone),
            _ => {
                session.connection = Some(connection);
                session.lost = None;
                session.push("RESUMED", r#"{"_trace":[]}"#, self.options.session_frames);
                Ok(())
            }
        });
        if outcome.is_ok() {
            self.counters.resumes += 1;
        } else {
            self.counters.refused_resumes += 1;
        }
        outcome
    }

    /// Detaches the connection of a session. The session is kept for a while if it is resumable.
    pub(super) fn lose_session(&mut self, id: &str, connection: u64, resumable: bool) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.connection == Some(connection)) else {
            return;
        };
        if resumable {
            session.connection = None;
            session.lost = Some(now);
        } else {
            self.sessions.remove(id);
        }
    }

    fn forget_old_sessions(&mut self) {
        let life = u64::try_from(self.options.session_life.as_millis()).unwrap_or(u64::MAX);
        let now = self.now();
        self.sessions.retain(|_, session| session.lost.is_none_or(|lost| now <= lost.saturating_add(life)));
    }
}
