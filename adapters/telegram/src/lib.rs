//! The Telegram adapter: turns updates into events, and performs actions through the Bot API.
//!
//! Request types come from teloxide-core. Updates are read by the crate's own lenient types, and
//! texts are converted between CommonMark and Telegram's entities in [`text`].

mod adapter;
mod api;
mod buttons;
mod cache;
mod commands;
mod config;
mod decode;
mod encode;
mod forms;
mod frames;
mod in_flight;
mod lenient;
mod me;
mod online;
mod pace;
mod perform;
mod reading;
mod receive;
mod requests;
mod rights;
mod telegram;
pub mod text;
mod together;
mod waiting;

pub use config::{Config, Pace};
pub use online::{Online, online};
pub use reading::Updates;
pub use receive::webhook::WEBHOOK;
pub use telegram::{Setup, Telegram};
