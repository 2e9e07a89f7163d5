//! The registered commands of the bot, by scope and language.

use std::collections::BTreeMap;

use serde_json::Value;

/// The registered lists, by the scope as `State::scope_key` formats it, and the language.
#[derive(Debug, Default)]
pub(super) struct Commands {
    pub(super) lists: BTreeMap<(String, String), Vec<Value>>,
}
