//! Injected faults, and how each treats a call.

use std::time::Duration;

use crate::telegram::faults::Fault;
use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

/// The waiting time of an injected 429, in seconds.
pub(super) const RETRY_AFTER_SECONDS: u64 = 1;

/// The treatment of a call.
#[derive(Debug)]
pub(super) enum Chosen {
    Instead(Refusal),
    BadGateway,
    Before,
    After,
    Truncated,
    Nulls,
    Unanswered,
    Late(Duration),
}

impl State {
    pub(super) fn choose_fault(&mut self, method: &str) -> Option<Chosen> {
        let fault = self.faults.choose(|wanted| wanted.eq_ignore_ascii_case(method))?;
        self.counters.faults += 1;
        Some(match fault {
            Fault::TooMany => Chosen::Instead(Refusal::too_many(RETRY_AFTER_SECONDS)),
            Fault::Broken => Chosen::Instead(Refusal::internal()),
            Fault::BadGateway => Chosen::BadGateway,
            Fault::Slow => Chosen::Late(self.faults.delay()),
            Fault::CutBefore => Chosen::Before,
            Fault::CutAfter => Chosen::After,
            Fault::Truncated => Chosen::Truncated,
            Fault::Unauthorized => Chosen::Instead(Refusal::unauthorized()),
            Fault::NotFound => Chosen::Instead(Refusal::not_found()),
            Fault::Nulls => Chosen::Nulls,
            Fault::Unanswered => Chosen::Unanswered,
        })
    }
}
