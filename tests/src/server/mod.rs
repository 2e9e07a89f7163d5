//! The base of the stand-ins for platforms: sockets, shared state, records, faults, and waits of tests.
//!
//! What one platform does differently from another is in the modules of its stand-in.

pub(crate) mod app;
pub(crate) mod changes;
pub(crate) mod faults;
pub(crate) mod limits;
pub(crate) mod listener;
pub(crate) mod recording;
pub(crate) mod responses;
pub(crate) mod shared;
pub(crate) mod upload;
