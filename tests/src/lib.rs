//! The harness of end-to-end tests: the real daemon, a real client, and stand-ins for platforms.

mod client;
mod daemon;
pub mod discord;
mod event_stream;
pub mod http;
mod json;
mod mutation;
mod platforms;
mod rebuilt;
mod reexecution;
mod room_service;
mod rows;
mod seed;
mod server;
mod site;
pub mod telegram;
mod waiting;

pub use client::{Client, ClientError};
pub use daemon::{Daemon, Project, palabre};
pub use event_stream::{EventStream, StreamEvent};
pub use mutation::mutate;
pub use rebuilt::assert_rebuilt;
pub use reexecution::assert_reexecutable;
pub use room_service::RoomService;
pub use rows::commit_rows;
pub use seed::random;
pub use server::app::App;
pub use site::{Site, registration, text};
pub use waiting::eventually;
