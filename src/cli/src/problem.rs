//! Errors of commands. Each text says what to do about it.

use std::path::PathBuf;
use std::process::ExitCode;

use palabre_engine::DeadLetterError;

/// The exit code for a damaged store: `EX_DATAERR` of sysexits.h.
pub(crate) const EXIT_DAMAGED: u8 = 65;

/// The error that ended a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "cannot find {}; create a project with `palabre new DIR`, or pass the file with --config FILE",
        path.display()
    )]
    NoConfig { path: PathBuf },
    /// An error in bots.yaml, already rendered with its position and lines.
    #[error("{0}")]
    Config(String),
    #[error(transparent)]
    Store(#[from] palabre_store::Error),
    #[error(transparent)]
    Engine(#[from] palabre_engine::EngineError),
    #[error(transparent)]
    DeadLetter(#[from] DeadLetterError),
    #[error(transparent)]
    Source(#[from] palabre_script::SourceError),
    #[error("cannot {doing} {}: {cause}", path.display())]
    File { doing: &'static str, path: PathBuf, cause: std::io::Error },
    #[error(
        "cannot listen on {address}: {cause}; stop the program that uses it, or set another `listen:` in bots.yaml"
    )]
    Listen { address: String, cause: std::io::Error },
    #[error(
        "the thread {0} died, which is a bug in Palabre; acknowledged events are safe, and the next start continues \
         with them"
    )]
    ThreadDied(String),
    #[error("{0}")]
    Damaged(String),
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// Returns the exit code.
    ///
    /// It is 2 for an invalid configuration, 65 for a damaged store, 70 for a thread of the daemon that
    /// died (65 and 70 are from sysexits.h), and 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoConfig { .. } | Self::Config(_) => ExitCode::from(2),
            Self::Damaged(_)
            | Self::Store(palabre_store::Error::Damaged { .. })
            | Self::DeadLetter(DeadLetterError::Store(palabre_store::Error::Damaged { .. })) => {
                ExitCode::from(EXIT_DAMAGED)
            }
            Self::ThreadDied(_) => ExitCode::from(70),
            Self::Store(_)
            | Self::Engine(_)
            | Self::DeadLetter(_)
            | Self::File { .. }
            | Self::Listen { .. }
            | Self::Source(_)
            | Self::Other(_) => ExitCode::from(1),
        }
    }
}
