//! The script API as data, read from the type definitions for editors.
//!
//! So the guide, the linter and the editors agree.

mod item;
mod markdown;
mod read;
mod statements;
mod tokens;
mod types;

pub use item::{ApiItem, ApiKind, Parameter};
pub use markdown::reference_markdown;
pub use read::{EDITOR_TYPES, Reading, api, read_types};
