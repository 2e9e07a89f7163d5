//! Percent-encoding for addresses and headers.

/// Encodes everything except unreserved characters as `%XX` (RFC 3986, section 2.1).
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
