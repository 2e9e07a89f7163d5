//! Chats: groups, supergroups, forums, channels and private chats.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::kind::Kind;
use super::member::{Member, PERMISSIONS};

/// A topic of a forum. Its id is that of the message that opened it; 1 is the general topic.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) color: u64,
    pub(super) icon: Option<String>,
    pub(super) is_closed: bool,
}

/// A chat.
#[derive(Debug, Clone)]
pub(super) struct Chat {
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) username: Option<String>,
    pub(super) description: String,
    pub(super) is_forum: bool,
    pub(super) members: BTreeMap<i64, Member>,
    pub(super) permissions: BTreeSet<String>,
    pub(super) topics: BTreeMap<i64, Topic>,
    /// The current messages.
    pub(super) messages: BTreeMap<i64, Value>,
    pub(super) last_message: i64,
    /// The newest is last.
    pub(super) pinned: Vec<i64>,
    /// The reactions to each message, by user.
    pub(super) reactions: HashMap<i64, BTreeMap<i64, Vec<Value>>>,
    pub(super) invites: Vec<Value>,
    pub(super) requests: BTreeSet<i64>,
    /// The supergroup that it was upgraded to.
    pub(super) migrated_to: Option<i64>,
}

impl Chat {
    pub(super) fn new(kind: Kind, title: &str) -> Self {
        // Members of a new group have all permissions except managing it.
        let managing = ["can_change_info", "can_pin_messages", "can_manage_topics"];
        let permissions =
            PERMISSIONS.iter().filter(|one| !managing.contains(one)).map(|one| (*one).to_owned()).collect();
        Self {
            kind,
            title: title.to_owned(),
            username: None,
            description: String::new(),
            is_forum: false,
            members: BTreeMap::new(),
            permissions,
            topics: BTreeMap::new(),
            messages: BTreeMap::new(),
            last_message: 0,
            pinned: Vec::new(),
            reactions: HashMap::new(),
            invites: Vec::new(),
            requests: BTreeSet::new(),
            migrated_to: None,
        }
    }
}
