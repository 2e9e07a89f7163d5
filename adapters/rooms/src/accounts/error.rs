//! Refusals of requests about accounts.

use std::time::Duration;

use palabre_platform::EmitError;

/// The reason why a request about an account was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// A field is not valid, or taken.
    #[error("{0}")]
    Invalid(String),
    /// The same text for an unknown name and a wrong password: neither says which accounts exist.
    #[error("the username or the password is wrong")]
    WrongCredentials,
    /// The account has a second factor, and no code was given.
    #[error("this account needs a one-time code of its authenticator app, or a recovery code")]
    CodeRequired,
    /// The one-time code is wrong or was used before.
    #[error("the one-time code is wrong, or was used already")]
    WrongCode,
    /// There is no such session, token or account.
    #[error("{0}")]
    NotFound(&'static str),
    /// Something else has taken the place, or a limit is reached.
    #[error("{0}")]
    Conflict(String),
    /// The account may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Too many attempts.
    #[error("too many attempts; try again in {} s", .0.as_secs().max(1))]
    TooMany(Duration),
    /// Too many passwords are being checked.
    #[error("the server is busy; try again in a moment")]
    Busy,
    /// The store cannot be read, or refuses writes.
    #[error("accounts cannot be read or changed at present, try again in a moment: {0}")]
    Unavailable(String),
}

impl AccountError {
    /// Returns the refusal of a change whose basis has changed meanwhile.
    pub(crate) fn changed_elsewhere() -> Self {
        Self::Conflict("it was changed elsewhere at the same time; try again".to_owned())
    }
}

impl From<palabre_store::Error> for AccountError {
    fn from(error: palabre_store::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<EmitError> for AccountError {
    fn from(error: EmitError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<tokio::task::JoinError> for AccountError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
