//! What end-to-end tests start and speak with: the real daemon, and a client on a real socket.

mod client;
mod daemon;
pub mod discord;

pub use client::{Client, ClientError};
pub use daemon::{Daemon, Project, palabre};
