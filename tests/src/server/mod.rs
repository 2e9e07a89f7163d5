//! The base of the stand-ins for platforms: sockets, shared state, records, faults, and waits of tests.
//!
//! The differences between platforms are in the modules of their stand-ins.

pub(crate) mod app;
pub(crate) mod changes;
pub(crate) mod faults;
pub(crate) mod limits;
pub(crate) mod listener;
pub(crate) mod recording;
pub(crate) mod responses;
pub(crate) mod shared;
pub(crate) mod upload;
