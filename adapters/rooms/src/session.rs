//! The guest of a connection, by the token it brought or a new one, and the names it may use.

use std::sync::{Arc, Mutex, PoisonError};

use palabre_text::skeleton;
use palabre_types::Millis;
use serde_json::Value;

use crate::accounts::credential::{Credential, Token};
use crate::accounts::rows::Scope;
use crate::guests::{self, Guest, TOKEN_MAX};
use crate::service::Rooms;

/// The use of a token is recorded at most this often, in milliseconds.
const RECORD_INTERVAL: Millis = 3_600_000;
const DAY: Millis = 86_400_000;

/// The guest of one connection.
pub(crate) struct Session {
    pub(crate) guest: Guest,
    /// Time at which the use of the token was last recorded in the store.
    recorded: Mutex<Option<Millis>>,
    /// Whether the token is one of `name_tokens` in bots.yaml, which are not in the store.
    is_reserved: bool,
    /// The account that is signed in.
    account: Option<Credential>,
    /// Whether the connection comes from this machine.
    is_local: bool,
}

impl Session {
    fn of_account(account: Credential, now: Millis) -> Self {
        let guest = Guest::of_account(&account.account.id);
        Self { account: Some(account), ..Self::new(guest, Some(now)) }
    }

    /// Returns the credential of the account that is signed in.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.account.as_ref()
    }

    fn new(guest: Guest, recorded: Option<Millis>) -> Self {
        Self { guest, recorded: Mutex::new(recorded), is_reserved: false, account: None, is_local: false }
    }
}

impl Rooms {
    /// Returns the account or the guest whose token is in `auth`, or the account of the session cookie.
    ///
    /// It is a new guest if the token is missing, unknown or expired.
    ///
    /// # Errors
    /// The store cannot be read, or the token of an account is not valid. A new guest would replace
    /// the identity that the client has.
    pub(crate) async fn identify(
        &self,
        auth: Option<&Value>,
        cookie: Option<&str>,
        is_local: bool,
    ) -> Result<Session, String> {
        let given = auth.and_then(|auth| auth.get("token")?.as_str());
        let session = match given.filter(|token| Token::parse(token).is_some()) {
            Some(token) => {
                let problem = "your session has ended or the token was revoked; sign in again";
                self.session_of_account(token).await?.ok_or(problem)?
            }
            None => match cookie {
                Some(token) => match self.session_of_account(token).await? {
                    Some(session) => session,
                    None => self.session_of_guest(given).await?,
                },
                None => self.session_of_guest(given).await?,
            },
        };
        Ok(Session { is_local, ..session })
    }

    async fn session_of_account(&self, token: &str) -> Result<Option<Session>, String> {
        let found = self.credential(token).await.map_err(|error| error.to_string())?;
        let Some(credential) = found else { return Ok(None) };
        if !credential.allows(Scope::Read) || !credential.allows(Scope::Write) {
            return Err("this token lacks the scopes read and write".to_owned());
        }
        Ok(Some(Session::of_account(credential, self.clock.now())))
    }

    async fn session_of_guest(&self, token: Option<&str>) -> Result<Session, String> {
        let token = token.filter(|token| {
            (1..=TOKEN_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let Some(token) = token else { return Ok(Session::new(Guest::fresh(&*self.entropy), None)) };
        let guest = Guest::holding(token);
        // Compares hashes, so that timing reveals nothing about a token.
        if self.config.name_tokens.values().any(|reserved| Guest::holding(reserved).id == guest.id) {
            return Ok(Session { is_reserved: true, ..Session::new(guest, None) });
        }
        let (store, id, now) = (self.store.clone(), guest.id.clone(), self.clock.now());
        let read = tokio::task::spawn_blocking(move || guests::last_use(&store, &id, now)).await;
        match read {
            Ok(Ok(Some(last_use))) => Ok(Session::new(guest, Some(last_use))),
            // Issued a moment ago, on a connection that may already be dead.
            Ok(Ok(None)) if self.directory.is_online(&guest.id) => Ok(Session::new(guest, None)),
            Ok(Ok(None)) => Ok(Session::new(Guest::fresh(&*self.entropy), None)),
            Ok(Err(error)) => Err(format!("cannot look up your guest token, try again in a moment: {error}")),
            Err(error) => Err(format!("cannot look up your guest token, try again in a moment: {error}")),
        }
    }

    /// Records the use of a session's token, unless that was done recently.
    pub(crate) fn record_use(&self, session: &Session) {
        let now = self.clock.now();
        let mut recorded = session.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if session.is_reserved
            || session.account.is_some()
            || recorded.is_some_and(|recorded| now.saturating_sub(recorded) < RECORD_INTERVAL)
        {
            return;
        }
        *recorded = Some(now);
        let life = self.config.retention.guest_days.saturating_mul(DAY);
        // Nobody waits for it: until it is durable, the guest is known by being online.
        self.write_deferred("the use of a guest token", guests::record_use(&session.guest, now, life));
    }

    /// Records the use of an account's session or token over a connection, unless that was done recently.
    pub(crate) fn record_account_use(self: &Arc<Self>, session: &Session) {
        let Some(credential) = session.credential() else { return };
        let now = self.clock.now();
        let mut recorded = session.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.is_none_or(|recorded| now.saturating_sub(recorded) >= RECORD_INTERVAL) {
            *recorded = Some(now);
            self.record_socket_use(credential.key());
        }
    }

    /// Records the use of a token at the end of its connection.
    pub(crate) fn record_end(&self, session: &Session) {
        let was_used = session.recorded.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if was_used {
            self.record_use(session);
        }
    }

    /// Whether a name is the bots', reserved in bots.yaml, or has special permissions there.
    pub(crate) fn is_reserved(&self, username: &str) -> bool {
        let shape = skeleton(username);
        let reserved = self.config.name_tokens.keys().chain(&self.config.privileged);
        reserved.chain([&self.config.nickname]).any(|name| skeleton(name) == shape)
    }

    /// Returns the name under which a person may join: that of the account, or the one that a guest asks for.
    ///
    /// # Errors
    /// The name is the bots', that of an account, or reserved for somebody else in bots.yaml.
    pub(crate) fn name_of(&self, username: String, session: &Session) -> Result<String, String> {
        if let Some(credential) = session.credential() {
            return Ok(credential.account.row.username.clone());
        }
        if self.account_names.contains(&username) {
            return Err(format!(
                "the name {username}, or one that looks like it, belongs to an account; sign in first"
            ));
        }
        self.check_name(&username, session)?;
        Ok(username)
    }

    /// Checks that a name is not the bots' and not reserved for somebody else in bots.yaml.
    fn check_name(&self, username: &str, session: &Session) -> Result<(), String> {
        let shape = skeleton(username);
        let nickname = &self.config.nickname;
        if shape == skeleton(nickname) {
            return Err(format!("the name {nickname} is reserved for bots; choose another one"));
        }
        let reserved = self.config.name_tokens.iter().find(|(name, _)| skeleton(name) == shape);
        match reserved {
            Some((name, token)) if Guest::holding(token).id != session.guest.id => Err(format!(
                "the name {name} is reserved; choose another one, or join with the token that the operator gave you"
            )),
            Some(_) => Ok(()),
            // Otherwise anybody on the network could become a moderator by taking the name of one.
            None if !session.is_local && self.config.privileged.iter().any(|name| skeleton(name) == shape) => {
                Err(format!(
                    "the name {username} has special permissions and can only be used on the server's own machine; \
                     ask the operator to reserve it for you with a token (name_tokens in bots.yaml)"
                ))
            }
            None => Ok(()),
        }
    }
}
