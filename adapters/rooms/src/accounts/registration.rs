//! Registration of an account.

use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_store::Snapshot;
use palabre_text::{is_plain_name, skeleton};
use palabre_types::{Batch, Permission};
use serde::Deserialize;

use super::error::AccountError;
use super::password;
use super::rows::{ACCOUNTS, Account, AccountRow, EMAILS, NAMES, Profile};
use crate::decode;
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::service::Rooms;

/// Maximum length of a username, in characters.
const USERNAME_MAX: usize = 32;
/// Maximum length of an e-mail address, in bytes (RFC 5321, section 4.5.3.1.3).
pub(super) const EMAIL_MAX: usize = 254;

/// A request for an account.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with username, email and password")]
pub(crate) struct Registration {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) password: String,
    /// The secret of the one-time link that creates the owner.
    #[serde(default)]
    pub(crate) owner: Option<String>,
}

impl Rooms {
    /// Creates an account.
    pub(super) async fn register_account(
        self: &Arc<Self>,
        registration: Registration,
        network: Network,
    ) -> Result<Account, AccountError> {
        let Registration { username, email, password, owner } = registration;
        let owner = owner.filter(|secret| !secret.is_empty());
        let username = self.check_username(&username)?;
        let email = check_email(&email)?;
        password::check(&password, &username)?;
        self.limit_registrations(network, &username)?;
        // Before the costly hash; the conditions of the batch decide.
        if let Some(problem) = self.taken(&username, &email).await? {
            return Err(AccountError::Invalid(problem));
        }
        let hash = self.passwords.hash(password, &*self.entropy).await?;
        let id = format!("{:016x}", self.entropy.next());
        let (created, profile) = (self.clock.now(), Profile::default());
        let role = if owner.is_some() { Permission::Owner } else { Permission::Member };
        let row = AccountRow {
            username,
            email,
            password: hash,
            created,
            generation: 0,
            profile,
            role,
            otp: None,
            bot_owner: None,
            is_deleted: false,
        };
        let (rooms, account) = (Arc::clone(self), Account { id, row });
        self.run_to_end(async move {
            match owner {
                Some(secret) => rooms.add_owner(account, &secret).await,
                None => rooms.add_account(account, None).await,
            }
        })
        .await
    }

    /// Writes the account of the owner. The link works once, and only as long as there is no owner.
    async fn add_owner(&self, account: Account, secret: &str) -> Result<Account, AccountError> {
        if !self.owner_link.take(secret) {
            return Err(AccountError::Forbidden(
                "the link for the owner has been used, or belongs to an earlier start",
            ));
        }
        let added = self.add_account(account, None).await;
        match &added {
            Ok(account) => self.authority.roles.set(&account.id, Permission::Owner),
            Err(_) => self.owner_link.put_back(secret),
        }
        added
    }

    /// Counts an attempt against the limits of its address, and of the name from there.
    ///
    /// Not of the name from anywhere, so that nobody keeps others from registering it.
    pub(super) fn limit_registrations(&self, network: Network, username: &str) -> Result<(), AccountError> {
        let who = [Who::Address(network), Who::Person(network, username.to_lowercase().into())];
        match self.limiter.take(Kind::Registration, &who) {
            Verdict::Refused(wait) => Err(AccountError::TooMany(wait)),
            Verdict::Pass | Verdict::Late(_) => Ok(()),
        }
    }

    /// Writes a new account. From the beginning, guests cannot take its name.
    ///
    /// `owner` is the account to which a bot account belongs, and which must not have changed.
    pub(super) async fn add_account(&self, account: Account, owner: Option<&Account>) -> Result<Account, AccountError> {
        let username = account.row.username.clone();
        let is_new = self.account_names.add(&username);
        let added = self.write_account(account, owner).await;
        match &added {
            Ok(_) => drop(self.account_names.add(&username)),
            Err(_) if is_new => self.account_names.remove(&username),
            Err(_) => {}
        }
        added
    }

    async fn write_account(&self, account: Account, owner: Option<&Account>) -> Result<Account, AccountError> {
        let (username, email) = (&account.row.username, &account.row.email);
        if self.directory.is_held(username) {
            let problem = "a guest is using this name, or one that looks like it; if that is you, leave the room first";
            return Err(AccountError::Invalid(problem.to_owned()));
        }
        let mut rows = rows_of(&account);
        if let Some(owner) = owner {
            ACCOUNTS.require_equals(&mut rows, &owner.id, &owner.row);
        }
        match self.write("registration of an account", rows).await {
            Ok(()) => Ok(account),
            Err(EmitError::Refused) => {
                let problem = self.taken(username, email).await?;
                Err(problem.map_or_else(AccountError::changed_elsewhere, AccountError::Invalid))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Checks a username and returns it trimmed, in its composed form.
    pub(super) fn check_username(&self, username: &str) -> Result<String, AccountError> {
        let username = decode::username(username).map_err(AccountError::Invalid)?;
        if username.chars().count() > USERNAME_MAX || !is_plain_name(&username) {
            let problem = format!(
                "the username must have at most {USERNAME_MAX} letters, digits, dots, hyphens and underscores, and no \
                 combining marks"
            );
            return Err(AccountError::Invalid(problem));
        }
        if self.is_reserved(&username) {
            return Err(AccountError::Invalid("the username is reserved; choose another one".to_owned()));
        }
        Ok(username)
    }

    /// Returns the problem if the name or the e-mail address is taken.
    pub(super) async fn taken(&self, username: &str, email: &str) -> Result<Option<String>, AccountError> {
        let (username, email) = (username.to_owned(), email.to_owned());
        self.read_store(move |snapshot| taken(snapshot, &username, &email)).await
    }
}

fn taken(snapshot: &Snapshot, username: &str, email: &str) -> palabre_store::Result<Option<String>> {
    if NAMES.get(snapshot, &skeleton(username))?.is_some() {
        return Ok(Some(format!("the username {username}, or one that looks like it, is taken")));
    }
    let is_known = EMAILS.get(snapshot, &email.to_owned())?.is_some();
    Ok(is_known.then(|| "there is an account with this e-mail address already".to_owned()))
}

fn rows_of(account: &Account) -> Batch {
    let Account { id, row } = account;
    let (name, email) = (skeleton(&row.username), row.email.clone());
    let mut rows = Batch::default();
    ACCOUNTS.require_absent(&mut rows, id);
    NAMES.require_absent(&mut rows, &name);
    ACCOUNTS.put(&mut rows, id, row);
    NAMES.put(&mut rows, &name, id);
    // Bot accounts have none.
    if !email.is_empty() {
        EMAILS.require_absent(&mut rows, &email);
        EMAILS.put(&mut rows, &email, id);
    }
    rows
}

/// Checks an e-mail address and returns it in lower case.
///
/// Only a message that arrives shows that it exists.
fn check_email(email: &str) -> Result<String, AccountError> {
    if email.len() > EMAIL_MAX {
        return Err(AccountError::Invalid(format!("an e-mail address has at most {EMAIL_MAX} bytes")));
    }
    let email = email.trim().to_lowercase();
    let is_plausible = email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && !host.contains('@') && host.split('.').all(|label| !label.is_empty())
    });
    let is_plain = !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if !is_plausible || !is_plain {
        return Err(AccountError::Invalid(format!("\"{email}\" is not an e-mail address")));
    }
    Ok(email)
}
