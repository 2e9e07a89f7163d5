//! Failures that users met with bots on Telegram, each with its original input and similar ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot continue panics"
)]

mod alone;
mod away;
mod long;
mod moderation;
mod moved;
mod people;
mod stalled;
