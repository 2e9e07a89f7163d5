//! What went wrong with bots on Telegram when people used them, each with the input that showed it and some that are like it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on says so"
)]

mod alone;
mod away;
mod long;
mod moderation;
mod moved;
mod people;
