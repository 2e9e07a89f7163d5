//! Outgoing webhooks: addresses to which the events of a room are sent, each in order until it is accepted.

pub(crate) mod changes;
pub(crate) mod delivery;
pub(crate) mod registry;
pub(crate) mod rows;
mod signature;
