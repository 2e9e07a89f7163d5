//! Log lines of the script, and of the runtime about it.

use super::Run;
use crate::limits::Limit;
use crate::log_line;

impl Run {
    /// Counts a log line.
    ///
    /// # Errors
    /// Returns the limit that it would exceed.
    pub(crate) fn count_log_line(&mut self) -> Result<(), Limit> {
        self.log_lines = self.log_lines.saturating_add(1);
        let limit = self.limits.log_lines_per_run;
        if self.log_lines > limit {
            return Err(Limit::LogOfRun(limit));
        }
        // There is no time yet while the script loads.
        let (limit, Some(now)) = (self.limits.log_lines_per_minute, self.input.as_ref().map(|input| input.now)) else {
            return Ok(());
        };
        if self.log_meter.count(now, limit) { Ok(()) } else { Err(Limit::Log(limit)) }
    }

    /// Logs the runtime's warnings about the script, each at most once a minute.
    ///
    /// They count like the script's own lines; beyond the limit they are dropped.
    pub(crate) fn warn(&mut self, texts: &[String]) {
        let now = self.now();
        for text in texts {
            // A warning may be of any length.
            if let Some(text) = self.repeat_limiter.due(now, &log_line::cut(text))
                && self.count_log_line().is_ok()
            {
                log_line::write(self.script.as_str(), "warn", &text, "");
            }
        }
    }
}
