//! Full-text search of messages.
//!
//! The index is derived from the store and follows its durable changes in the background (`feed`, `follower`). Each
//! hit is compared with the stored message before it is shown, so that the index decides what is found quickly, and
//! never what is shown.

#[cfg(feature = "search")]
mod applying;
pub(crate) mod feed;
#[cfg(feature = "search")]
pub(crate) mod follower;
#[cfg(feature = "search")]
mod index;
#[cfg(feature = "search")]
mod index_error;
#[cfg(feature = "search")]
mod progress;
#[cfg(feature = "search")]
pub(crate) mod query;
#[cfg(feature = "search")]
pub(crate) mod request;
#[cfg(feature = "search")]
mod schema;
#[cfg(feature = "search")]
pub(crate) mod state;
#[cfg(feature = "search")]
pub(crate) mod view;
