//! Tables of accounts.

use palabre_store::{Result, Snapshot, Table};
use palabre_text::{composed, skeleton};
use palabre_types::{Millis, Permission, TableId};
use serde::{Deserialize, Serialize};

use super::second_factor::OtpRow;

/// Accounts by id.
pub(crate) const ACCOUNTS: Table<String, AccountRow> = Table::new(TableId::Accounts);
/// Account ids by the skeleton of the name, so that no two names can be mistaken for each other.
pub(crate) const NAMES: Table<String, String> = Table::new(TableId::AccountNames);
/// Account ids by e-mail address, in lower case.
pub(crate) const EMAILS: Table<String, String> = Table::new(TableId::AccountEmails);
/// Sessions and access tokens, by account and the hash of the token.
pub(crate) const CREDENTIALS: Table<(String, String), CredentialRow> = Table::new(TableId::AccountCredentials);

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccountRow {
    pub(crate) username: String,
    pub(crate) email: String,
    /// The hash of the password, with its parameters, as a PHC string.
    pub(crate) password: String,
    pub(crate) created: Millis,
    /// Increases with each change of the password. Credentials of an earlier one are not valid.
    #[serde(default)]
    pub(crate) generation: u32,
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub(crate) profile: Profile,
    /// The role in the whole service, `Member` or higher.
    #[serde(default = "member", skip_serializing_if = "is_member")]
    pub(crate) role: Permission,
    /// The second factor, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) otp: Option<OtpRow>,
    /// The account that it belongs to, if it is a bot account. Nobody can sign in as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bot_owner: Option<String>,
    /// Its deletion has begun, and is completed after a restart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_deleted: bool,
}

const fn member() -> Permission {
    Permission::Member
}

fn is_member(role: &Permission) -> bool {
    *role == Permission::Member
}

/// The self-description of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The name that others see; the username if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// The language, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// The time zone, as an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    /// A line of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
}

impl Profile {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A session or an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialRow {
    pub(crate) kind: CredentialKind,
    /// The name of the token, or the program with which a session was opened.
    pub(crate) label: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) created: Millis,
    pub(crate) last_use: Millis,
    pub(crate) expires: Option<Millis>,
    /// The generation of the account in which it was created.
    #[serde(default)]
    pub(crate) generation: u32,
}

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CredentialKind {
    /// Opened by a login; ends when it is not used.
    Session,
    /// Created for a program.
    Token,
}

/// A permission of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Reading rooms, messages and people.
    Read,
    /// Sending and changing messages.
    Write,
    /// Changing the account itself: password, profile, sessions and tokens.
    Account,
}

impl Scope {
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Account];

    /// Returns the name in requests.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Account => "account",
        }
    }
}

/// Length of an account's id: 16 hexadecimal digits.
const ACCOUNT_ID_LENGTH: usize = 16;

/// Whether a text has the form of an account's id.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == ACCOUNT_ID_LENGTH && is_hexadecimal(text)
}

/// Whether a text has only the digits of our hexadecimal numbers.
pub(crate) fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// An account with its id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) row: AccountRow,
}

impl Account {
    /// Whether it is a bot account, which belongs to another account.
    pub(crate) fn is_bot(&self) -> bool {
        self.row.bot_owner.is_some()
    }

    /// Returns the account with an id.
    pub(crate) fn find(snapshot: &Snapshot, id: &str) -> Result<Option<Self>> {
        let id = id.to_owned();
        let row = ACCOUNTS.get(snapshot, &id)?.filter(|row| !row.is_deleted);
        Ok(row.map(|row| Self { id, row }))
    }

    /// Returns the account with this username, in any case.
    pub(crate) fn find_by_name(snapshot: &Snapshot, name: &str) -> Result<Option<Self>> {
        let Some(id) = NAMES.get(snapshot, &skeleton(name))? else { return Ok(None) };
        // A confusable name finds the same row, and is not the name of the account.
        let found = Self::find(snapshot, &id)?;
        Ok(found.filter(|account| account.row.username.to_lowercase() == name.to_lowercase()))
    }

    /// Returns the account with this username or e-mail address.
    pub(crate) fn find_by_login(snapshot: &Snapshot, login: &str) -> Result<Option<Self>> {
        if let Some(found) = Self::find_by_name(snapshot, &composed(login.trim()))? {
            return Ok(Some(found));
        }
        match EMAILS.get(snapshot, &login.trim().to_lowercase())? {
            Some(id) => Self::find(snapshot, &id),
            None => Ok(None),
        }
    }
}
