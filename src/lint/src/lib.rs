//! The linter for scripts: selene's lints with Palabre's global names, and our own for hooks.
//!
//! ```
//! let linter = palabre_lint::Linter::new()?;
//! let findings = linter.check("x.luau", "function on_mesage(event)\nend\n", false);
//! assert_eq!(
//!     findings[0].to_string(),
//!     "x.luau:1:10: warning[unknown_hook]: there is no hook on_mesage; did you mean on_message?"
//! );
//! # Ok::<(), palabre_lint::LintError>(())
//! ```

mod error;
mod finding;
mod hooks;
mod known;
mod library;
mod linter;
mod names;
mod parse;
mod settings;
mod similarity;
mod wording;

pub use error::LintError;
pub use finding::{Finding, Severity};
pub use linter::Linter;
