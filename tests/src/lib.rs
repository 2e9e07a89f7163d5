//! What end-to-end tests start and speak with: the real daemon, and a client on a real socket.

mod changes;
mod client;
mod daemon;
pub mod discord;
pub mod http;
mod json;
mod mutation;
mod platforms;
pub mod telegram;

pub use client::{Client, ClientError};
pub use daemon::{Daemon, Project, palabre};
pub use mutation::mutate;
