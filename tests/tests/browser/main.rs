//! The page of the room service in real browsers.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot continue panics"
)]

mod browsing;
mod composer;
mod connection;
mod files;
mod language;
mod log;
mod messages;
mod notifications;
mod room;
