//! Errors of the developer commands.

use std::io;
use std::path::PathBuf;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot {doing} {}: {cause}", path.display())]
    File { doing: &'static str, path: PathBuf, cause: io::Error },
    #[error("cannot run {program}: {cause}; is it installed?")]
    Program { program: String, cause: io::Error },
    #[error("`{0}` failed")]
    Failed(String),
    #[error("{}: {what}", path.display())]
    Unreadable { path: PathBuf, what: String },
    #[error("{0}")]
    Found(String),
}

impl Problem {
    /// Returns a function that turns an I/O error about `path` into a problem.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { doing, path, cause }
    }
}
