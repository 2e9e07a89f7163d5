//! The built-in room service: rooms, their history, the Socket.IO protocol and the web page.
//!
//! A message and its event are one commit. The message is acknowledged once that is durable, and
//! everybody in a room sees the same order.

mod accounts;
mod adapter;
mod answers;
mod bot_identity;
mod change_log;
mod config;
mod connection;
mod conversation;
mod counts;
mod decode;
mod direct;
mod directory;
mod encode;
mod endpoints;
mod erasure;
mod feedback;
mod files;
mod frames;
mod gateway;
mod groups;
mod guests;
mod handshake;
mod history;
mod http;
mod json_size;
mod limiter;
mod limits;
mod members;
mod metrics;
mod outgoing;
mod peer;
mod permits;
mod place;
mod presence;
mod read_markers;
mod refusal;
mod room;
mod room_names;
mod search;
mod service;
mod session;
mod sessions;
mod sweep;
mod transport;
mod unread;
mod uploads;
mod webhooks;
mod wire;

pub use config::{Config, Retention};
pub use endpoints::ENDPOINTS;
pub use limits::{Limits, Rate};
pub use service::Rooms;
