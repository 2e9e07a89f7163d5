//! Lines in the log on behalf of a script.

use crate::limits::LOG_BYTES;

/// Writes a line with the script's name.
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

/// Cuts a message to its maximum length and replaces control characters and line breaks.
///
/// Otherwise a script could forge log lines of others.
pub(crate) fn cut(message: &str) -> String {
    let mut end = message.len().min(LOG_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect()
}
