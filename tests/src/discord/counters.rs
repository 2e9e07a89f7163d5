//! What a test counts.

use std::collections::BTreeMap;

use serde_json::Value;

/// A call that does not fit what Discord describes or documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// `POST`
    pub method: String,
    /// `/channels/1/messages`
    pub path: String,
    /// What is wrong, and where.
    pub reason: String,
    /// What was sent.
    pub body: Value,
}

/// How often things happened since the start.
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
    /// Connections to the gateway.
    pub connections: u64,
    /// Calls that went over a limit, or came before a 429 allowed them.
    pub overruns: u64,
    /// Answers of 401, 403 and 429, of which Discord allows 10,000 in 10 minutes.
    pub invalid: u64,
    /// Faults that were put in on purpose.
    pub faults: u64,
    /// Calls by operation, as Discord's description names them: `create_message`.
    pub calls: BTreeMap<String, u64>,
    /// Commands that were made, changed or removed.
    pub command_writes: u64,
    /// How the gateway closed connections.
    pub closes: Vec<u16>,
    pub(super) violations: Vec<Violation>,
    pub(super) own_misfits: Vec<String>,
}
