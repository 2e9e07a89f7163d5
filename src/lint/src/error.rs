//! Errors of the linter itself.

/// The reason why a linter could not be created.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    /// Selene does not contain its list.
    #[error("cannot create the linter: selene has no list of Luau's built-in names")]
    NoBase,
    /// Selene rejects the settings.
    #[error("cannot create the linter: selene rejects its settings: {0}")]
    Setup(String),
}
