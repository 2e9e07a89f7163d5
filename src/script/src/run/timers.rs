//! Timers that the run sets and cancels.

use palabre_types::TimerChange;

use super::Run;
use crate::limits::Limit;
use crate::reply::Problem;

impl Run {
    pub(crate) fn set_timer(&mut self, change: TimerChange) -> Result<(), Problem> {
        let size = change.weight();
        self.spend_output(size)?;
        let is_set = matches!(change, TimerChange::Set { .. });
        // At the limit, timers can still be cancelled.
        let waiting = if is_set { self.host.waiting_timers() } else { 0 };
        let limit = self.limits.timers;
        if waiting + self.timers.len() >= limit {
            return Err(self.trip(Limit::Timers(limit)));
        }
        if is_set {
            self.timer_bytes += size;
            let limit = self.limits.timers_mb;
            if self.host.timer_bytes().saturating_add(self.timer_bytes as u64) > limit.saturating_mul(1 << 20) {
                return Err(self.trip(Limit::TimerBytes(limit)));
            }
        }
        let (now, limit) = (self.now(), self.limits.timers_per_minute);
        if !self.timer_meter.count(now, limit) {
            return Err(self.trip(Limit::TimersPerMinute(limit)));
        }
        self.timers.push(change);
        Ok(())
    }

    pub(crate) fn timer_count(&self) -> usize {
        self.timers.len()
    }
}
