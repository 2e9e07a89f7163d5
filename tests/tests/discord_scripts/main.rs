//! The shipped scripts on the room service and on Discord.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a test that cannot continue panics, and reports its progress"
)]

mod guild;
mod on_discord;
#[path = "../transcripts/mod.rs"]
mod transcripts;

use guild::Guild as Other;
