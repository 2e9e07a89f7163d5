//! Injected faults, derived from a seed.

use crate::server::faults;

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with a short waiting time; nothing is performed.
    TooMany,
    /// 500, 502 or 503; nothing is performed.
    Broken,
    /// Performed, up to 1.5 seconds later.
    Slow,
    /// The connection is closed; nothing is performed.
    CutBefore,
    /// Performed, but the connection is closed instead of an answer.
    CutAfter,
    /// 401, as for an invalid token; nothing is performed.
    Unauthorized,
    /// 403 in HTML from a proxy in front of Discord, with a waiting time of a second; nothing is performed.
    ShutOut,
}

impl Fault {
    /// All faults that a client must tolerate.
    pub const ALL: [Self; 5] = [Self::TooMany, Self::Broken, Self::Slow, Self::CutBefore, Self::CutAfter];
}

/// The faults of calls: injected ones, and those that last until a test ends them.
pub(in crate::discord) struct Faults {
    pub(in crate::discord) injected: faults::Faults<Fault>,
    /// Whether all calls with the token are answered with 401.
    pub(in crate::discord) refuses_token: bool,
    /// Names that are refused for webhooks, although no rule says so.
    pub(in crate::discord) refused_names: Vec<String>,
    /// Operations of which all calls are answered with 500.
    pub(in crate::discord) broken: Vec<String>,
}

impl Faults {
    pub(in crate::discord) fn new(seed: u64) -> Self {
        Self {
            injected: faults::Faults::new(seed),
            refuses_token: false,
            refused_names: Vec::new(),
            broken: Vec::new(),
        }
    }

    pub(super) fn choose(&mut self, operation: &str) -> Option<Fault> {
        if self.refuses_token {
            return Some(Fault::Unauthorized);
        }
        if self.broken.iter().any(|broken| broken == operation) {
            return Some(Fault::Broken);
        }
        self.injected.choose(|wanted| wanted == operation)
    }
}
