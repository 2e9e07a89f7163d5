//! A stand-in for Discord: a gateway over real websockets and a REST API over real HTTP.
//!
//! It enforces the rules that Discord publishes and documents. It refuses what Discord would
//! refuse, and records it as a violation.
//!
//! It begins with one guild, *Village*: the channels `general` and `random`, `voice`, the forum
//! `ideas`; the roles Moderator, Admin and Palabre (the bot's); the owner olivia, alice and bob.
//! A channel can be given by name or id, and `@alice` is the bot's direct channel with alice.

mod counters;
mod creation;
mod dispatch;
mod draft;
mod event;
mod files;
mod frames;
mod gateway;
mod guild;
mod id;
mod intents;
mod interaction;
mod mention;
mod message;
mod metadata;
mod options;
mod people;
mod permissions;
mod post;
mod rest;
mod rough;
mod rules;
mod shared;
mod stand_in;
mod state;
mod timestamp;
mod watching;

pub use crate::server::limits::Limit;
pub use crate::server::upload::Upload;
pub use counters::{Counters, Violation};
pub use gateway::cut::Cut;
pub use id::Id;
pub use intents::{MESSAGE_CONTENT, PRIVILEGED};
pub use options::Options;
pub use permissions::Permission;
pub use post::Post;
pub use rest::faults::Fault;
pub use rest::limits::Limits;
pub use stand_in::StandIn;
