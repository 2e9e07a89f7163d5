//! Who is on a connection: the guest whose token it has brought, or a new one, and the names that they may go by.

use std::sync::{Mutex, PoisonError};

use palabre_model::Millis;
use palabre_text::skeleton;
use serde_json::Value;

use crate::guests::{self, Guest, TOKEN_MAX};
use crate::service::Rooms;

/// The use of a token is written down at most this often.
const RECORD_INTERVAL: Millis = 3_600_000;
const DAY: Millis = 86_400_000;

/// The person on one connection.
pub(crate) struct Session {
    pub(crate) guest: Guest,
    /// When the store last heard that the token is used.
    recorded: Mutex<Option<Millis>>,
    /// The token is the operator's, in bots.yaml: the store has nothing to do with it.
    is_reserved: bool,
    /// The connection comes from this machine.
    is_local: bool,
}

impl Session {
    fn new(guest: Guest, recorded: Option<Millis>) -> Self {
        Self { guest, recorded: Mutex::new(recorded), is_reserved: false, is_local: false }
    }
}

impl Rooms {
    /// Returns the guest whose token is in `auth`. Without a token, or with one that is unknown or has expired, it is a new one.
    ///
    /// # Errors
    /// When the store cannot be read: a new identity would take the place of the one that the client has.
    pub(crate) async fn identify(&self, auth: Option<&Value>, is_local: bool) -> Result<Session, String> {
        Ok(Session { is_local, ..self.session_of(auth).await? })
    }

    async fn session_of(&self, auth: Option<&Value>) -> Result<Session, String> {
        let token = auth.and_then(|auth| auth.get("token")?.as_str()).filter(|token| {
            (1..=TOKEN_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let Some(token) = token else { return Ok(Session::new(Guest::fresh(&*self.entropy), None)) };
        let guest = Guest::holding(token);
        // Hashes are compared, so that the time it takes tells nothing of a token.
        if self.config.name_tokens.values().any(|reserved| Guest::holding(reserved).id == guest.id) {
            return Ok(Session { is_reserved: true, ..Session::new(guest, None) });
        }
        let (store, id, now) = (self.store.clone(), guest.id.clone(), self.clock.now());
        let read = tokio::task::spawn_blocking(move || guests::last_use(&store, &id, now)).await;
        match read {
            Ok(Ok(Some(last_use))) => Ok(Session::new(guest, Some(last_use))),
            // Given out a moment ago, on a connection that may be dead already.
            Ok(Ok(None)) if self.directory.is_online(&guest.id) => Ok(Session::new(guest, None)),
            Ok(Ok(None)) => Ok(Session::new(Guest::fresh(&*self.entropy), None)),
            Ok(Err(error)) => Err(format!("your guest token cannot be looked up, try again in a moment: {error}")),
            Err(error) => Err(format!("your guest token cannot be looked up, try again in a moment: {error}")),
        }
    }

    /// Writes down that the token of a session is used, unless it was written down a short while ago.
    pub(crate) fn record_use(&self, session: &Session) {
        let now = self.clock.now();
        let mut recorded = session.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if session.is_reserved || recorded.is_some_and(|recorded| now.saturating_sub(recorded) < RECORD_INTERVAL) {
            return;
        }
        *recorded = Some(now);
        let life = self.config.retention.guest_days.saturating_mul(DAY);
        // Nobody waits for it: until it is durable, the guest is known by being here.
        drop(self.store.commit(guests::record_use(&session.guest, now, life)));
    }

    /// Writes down that a connection ends whose token was in use.
    pub(crate) fn record_end(&self, session: &Session) {
        let was_used = session.recorded.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if was_used {
            self.record_use(session);
        }
    }

    /// Checks that a name belongs neither to the bots nor, in bots.yaml, to somebody else.
    pub(crate) fn check_name(&self, username: &str, session: &Session) -> Result<(), String> {
        let shape = skeleton(username);
        let nickname = &self.config.nickname;
        if shape == skeleton(nickname) {
            return Err(format!("the name {nickname} belongs to the bots"));
        }
        let reserved = self.config.name_tokens.iter().find(|(name, _)| skeleton(name) == shape);
        match reserved {
            Some((name, token)) if Guest::holding(token).id != session.guest.id => Err(format!(
                "the name {name} is reserved: whoever it belongs to enters with the token that the operator has given them"
            )),
            Some(_) => Ok(()),
            // Otherwise everybody on the net could be a moderator by choosing the name of one.
            None if !session.is_local && self.config.privileged.iter().any(|name| skeleton(name) == shape) => {
                Err(format!(
                    "the name {username} has rights in bots.yaml, so it can be taken from the machine of the server alone; \
                 the operator can reserve it for you with a token (name_tokens)"
                ))
            }
            None => Ok(()),
        }
    }
}
