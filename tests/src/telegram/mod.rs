//! A stand-in for Telegram: the Bot API over real HTTP.
//!
//! It enforces the rules that Telegram publishes and documents. It refuses what Telegram would
//! refuse, and records it as a violation.
//!
//! It begins with the bot, `@palabre_bot`, the owner olivia, alice and bob, and with four chats:
//! the supergroup *Village*, the group *Hamlet*, where the bot is a plain member, the supergroup
//! *Forum* with the topics `General` and `ideas`, and the channel *News*. A chat can be given by
//! title or id; `@alice` is the bot's private chat with alice, and `Forum/ideas` a topic.

mod api;
mod chat;
mod commands;
mod counters;
mod delivery;
mod description;
mod entities;
mod faults;
mod files;
mod html;
mod kind;
mod limits;
mod markup;
mod member;
mod message;
mod options;
mod people;
mod poll;
mod post;
mod query;
mod queue;
mod refusal;
mod rules;
mod shared;
mod stand_in;
mod state;
mod user;
mod watching;
mod webhook;

pub use crate::server::limits::Limit;
pub use crate::server::upload::Upload;
pub use counters::{Counters, Violation};
pub use faults::Fault;
pub use limits::Limits;
pub use options::Options;
pub use post::{Action, MessageRef, Post};
pub use query::CallbackAnswer;
pub use stand_in::StandIn;
