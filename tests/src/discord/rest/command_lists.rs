//! The registered commands of an application.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::discord::id::Id;

/// The commands of each guild, and the global ones, by id.
#[derive(Debug, Default)]
pub(in crate::discord) struct CommandLists {
    pub(in crate::discord) by_scope: BTreeMap<Option<Id>, BTreeMap<Id, Value>>,
}

impl CommandLists {
    /// Finds the command of a name and kind that users see in a guild.
    pub(in crate::discord) fn find(&self, guild: Option<Id>, name: &str, kind: u64) -> Option<&Value> {
        let own = guild.and_then(|guild| self.by_scope.get(&Some(guild)));
        let everywhere = self.by_scope.get(&None);
        let fits = |command: &&Value| command["name"] == name && command["type"] == kind;
        own.into_iter().chain(everywhere).flat_map(BTreeMap::values).find(fits)
    }
}
