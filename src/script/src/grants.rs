//! The grants that an operator can give a script.

/// The grants that bots.yaml can give a script, in addition to `http:HOST`.
pub const GRANTS: &[&str] = &["moderation", "rooms", "direct", "routes", "files", "personas", "mentions"];
