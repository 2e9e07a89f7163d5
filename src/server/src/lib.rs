//! The HTTP server of the daemon.
//!
//! The caller provides the listener, the routes of platforms and the shutdown signal. All requests pass
//! the same guards, and all connections have the same limits.

mod accept;
mod access;
mod body;
mod budget;
mod caching;
mod connection;
mod connections;
mod counts;
mod description;
mod descriptors;
mod endpoints;
mod guard;
mod health;
mod hosts;
mod metrics;
mod schemas;
mod scripts;
mod server;
mod settings;
mod stream;
mod swagger;
mod watched;

pub use access::{Access, Token};
pub use axum::Router;
pub use descriptors::raise_file_limit;
pub use health::Load;
pub use server::{Mount, Setup, serve};
pub use settings::{Settings, check_origins};
