//! The shipped scripts on the room service and on Telegram.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a test that cannot continue panics, and reports its progress"
)]

mod groups;
mod on_telegram;
#[path = "../transcripts/mod.rs"]
mod transcripts;

use groups::Groups as Other;
