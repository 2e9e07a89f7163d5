//! Profiles: what others see of an account, and what it says about itself.

use palabre_platform::EmitError;
use palabre_store::Direction;
use palabre_text::is_bidi_control;
use palabre_types::{Batch, iso8601};
use serde_json::{Value, json};

use super::error::AccountError;
use super::rows::{ACCOUNTS, Account, AccountRow, Profile};
use crate::service::Rooms;

/// Maximum length of a field of a profile, in characters.
const FIELD_MAX: usize = 100;
/// Maximum number of accounts in a page.
const PAGE_MAX: usize = 200;

impl Account {
    /// Returns what everybody may see.
    pub(crate) fn public(&self) -> Value {
        let Profile { display_name, status, .. } = &self.row.profile;
        let mut described = json!({
            "id": self.id,
            "username": self.row.username,
            "display_name": display_name.as_deref().unwrap_or(&self.row.username),
            "status": status,
            "role": self.row.role,
            "bot": self.is_bot(),
        });
        if let Some(owner) = &self.row.bot_owner {
            described["owner"] = json!(owner);
        }
        described
    }

    /// Returns what the person may see.
    pub(crate) fn private(&self) -> Value {
        let AccountRow { username, email, created, profile, .. } = &self.row;
        json!({
            "id": self.id,
            "username": username,
            "email": email,
            "created": iso8601(*created),
            "otp": self.row.otp.as_ref().is_some_and(|otp| otp.is_confirmed),
            "display_name": profile.display_name.as_deref().unwrap_or(username),
            "language": profile.language,
            "time_zone": profile.time_zone,
            "status": profile.status,
            "role": self.row.role,
        })
    }
}

impl Rooms {
    /// Replaces the profile of an account, and returns the account.
    pub(crate) async fn change_profile(&self, account: Account, profile: Profile) -> Result<Account, AccountError> {
        let Profile { display_name, language, time_zone, status } = &profile;
        let fields =
            [("display_name", display_name), ("language", language), ("time_zone", time_zone), ("status", status)];
        for (name, field) in fields {
            let Some(text) = field else { continue };
            let length = text.chars().count();
            if text.trim().is_empty() || length > FIELD_MAX || text.chars().any(char::is_control) {
                return Err(AccountError::Invalid(format!(
                    "{name} must have 1 to {FIELD_MAX} characters, and no control characters; leave it out to clear it"
                )));
            }
        }
        if let Some(name) = &profile.display_name
            && (name.chars().any(is_bidi_control) || self.is_reserved(name))
        {
            return Err(AccountError::Invalid(
                "the display_name is reserved, or has characters that mislead".to_owned(),
            ));
        }
        let changed = Account { row: AccountRow { profile, ..account.row.clone() }, ..account.clone() };
        let mut rows = Batch::default();
        ACCOUNTS.require_equals(&mut rows, &account.id, &account.row);
        ACCOUNTS.put(&mut rows, &account.id, &changed.row);
        match self.write("another profile", rows).await {
            Ok(()) => Ok(changed),
            Err(EmitError::Refused) => Err(AccountError::changed_elsewhere()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns accounts in the order of their ids, after one of them, and whether there are more.
    pub(crate) async fn accounts(
        &self,
        after: Option<String>,
        limit: Option<usize>,
    ) -> Result<(Vec<Account>, bool), AccountError> {
        let limit = limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        self.read_store(move |snapshot| {
            let after = after.unwrap_or_default();
            let later = ACCOUNTS.scan_after(snapshot, &Vec::new(), &after, Direction::Forward)?;
            let mut page: Vec<Account> = later
                .filter(|row| row.as_ref().map_or(true, |(_, row)| !row.is_deleted))
                .take(limit + 1)
                .map(|row| row.map(|(id, row)| Account { id, row }))
                .collect::<palabre_store::Result<_>>()?;
            let has_more = page.len() > limit;
            page.truncate(limit);
            Ok((page, has_more))
        })
        .await
    }
}
