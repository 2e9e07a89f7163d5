//! A line of a script's log.

use crate::limits::LOG_BYTES;

/// Writes a line in the script's name.
pub(crate) fn write(script: &str, level: &str, message: &str, fields: &str) {
    let message = cut(message);
    match (level, fields) {
        ("debug", "") => tracing::debug!(target: "script", script, "{message}"),
        ("debug", _) => tracing::debug!(target: "script", script, fields, "{message}"),
        ("warn", "") => tracing::warn!(target: "script", script, "{message}"),
        ("warn", _) => tracing::warn!(target: "script", script, fields, "{message}"),
        ("error", "") => tracing::error!(target: "script", script, "{message}"),
        ("error", _) => tracing::error!(target: "script", script, fields, "{message}"),
        (_, "") => tracing::info!(target: "script", script, "{message}"),
        (_, _) => tracing::info!(target: "script", script, fields, "{message}"),
    }
}

/// At most so much of a line, and no line breaks or control characters: a script must not write lines of others' into the log.
pub(crate) fn cut(message: &str) -> String {
    let mut end = message.len().min(LOG_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect()
}
