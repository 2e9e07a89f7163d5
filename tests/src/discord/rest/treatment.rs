//! The treatment of calls that are to fail.

use std::time::Duration;

use rand::RngExt;

use crate::discord::state::State;

use super::faults::Fault;
use super::refusal::Refusal;

/// The treatment of a call.
#[derive(Debug)]
pub(super) enum Treatment {
    Instead(Refusal),
    /// An HTML page instead of an answer.
    Page,
    Before,
    After,
    Late(Duration),
}

impl State {
    pub(super) fn choose_fault(&mut self, operation: &str) -> Option<Treatment> {
        let fault = self.faults.choose(operation)?;
        self.counters.faults += 1;
        let injected = &mut self.faults.injected;
        let random = &mut injected.random;
        Some(match fault {
            Fault::TooMany => {
                let seconds = f64::from(random.random_range(50..400_u32)) / 1_000.0;
                let scope = if random.random_bool(0.3) { "shared" } else { "user" };
                Treatment::Instead(Refusal::too_many(seconds, scope))
            }
            Fault::Broken => Treatment::Instead(match random.random_range(0..3) {
                0 => Refusal::new(500, 0, "500: Internal Server Error"),
                1 => Refusal::new(502, 0, "502: Bad Gateway"),
                _ => Refusal::new(503, 0, "503: Service Unavailable"),
            }),
            Fault::Slow => Treatment::Late(injected.delay()),
            Fault::CutBefore => Treatment::Before,
            Fault::CutAfter => Treatment::After,
            Fault::Unauthorized => Treatment::Instead(Refusal::unauthorized()),
            Fault::ShutOut => Treatment::Page,
        })
    }
}
