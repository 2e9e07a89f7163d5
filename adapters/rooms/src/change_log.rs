//! The change log: what happened in all rooms during the last day, in one order, for streams of events.
//!
//! It is kept only while somebody follows streams. A change is committed together with the rows that
//! it is about, so that a stream shows what is durable, and can be resumed over a restart.

pub(crate) mod pages;
pub(crate) mod recorder;
pub(crate) mod retention;
pub(crate) mod rows;
