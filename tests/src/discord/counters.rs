//! Counters for tests.

use std::collections::BTreeMap;

use serde_json::Value;

/// A call that does not conform to Discord's description or documentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// `POST`
    pub method: String,
    /// `/channels/1/messages`
    pub path: String,
    /// The violated rule, and the place.
    pub reason: String,
    /// The body of the call.
    pub body: Value,
}

/// Counters since the start.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Identifies that were answered with `READY`.
    pub identifies: u64,
    /// Identifies that came too soon after another.
    pub hasty_identifies: u64,
    /// Resumes that were answered with `RESUMED`.
    pub resumes: u64,
    /// Resumes that were refused.
    pub refused_resumes: u64,
    /// Connections to the gateway so far.
    pub connections: u64,
    /// Calls that exceeded a limit, or were made before a 429 allowed them.
    pub overruns: u64,
    /// Answers of 401, 403 and 429, of which Discord allows 10,000 in 10 minutes.
    pub invalid: u64,
    /// Injected faults.
    pub faults: u64,
    /// Calls by operation, as Discord's description names them: `create_message`.
    pub calls: BTreeMap<String, u64>,
    /// Commands that were created, changed or deleted.
    pub command_writes: u64,
    /// Codes with which the gateway closed connections.
    pub closes: Vec<u16>,
}
