//! Incoming webhooks: addresses through which programs without an account post into one room.

pub(crate) mod changes;
mod discord;
pub(crate) mod payload;
pub(crate) mod reading;
pub(crate) mod registry;
pub(crate) mod rows;
mod slack;
