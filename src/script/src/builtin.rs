//! The scripts that are part of the runtime.

/// Scripts built into the runtime: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[("help", include_str!("builtin/help.luau"))];
