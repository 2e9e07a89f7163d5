//! Settings of the bots in bots.yaml: permissions, languages, limits.

use std::collections::HashMap;

use palabre_outbox::OutboxLimits;
use palabre_types::{BotName, Event, Member, Permission, UserId};

/// Settings of one bot.
#[derive(Debug, Clone, Default)]
pub struct BotSettings {
    /// The prefix of commands in addition to `/`.
    pub prefix: Option<String>,
    /// The language for users whose own language is unknown.
    pub language: Option<String>,
    /// Permission levels, each with the roles and people that have it.
    ///
    /// People are named by an id of the platform or as `bot/id`. A name in the form of an id never
    /// means a role.
    pub permissions: Vec<(Permission, Vec<String>)>,
    /// Whether people choose their own roles on this platform, so that roles give no permission.
    pub roles_are_self_assigned: bool,
    /// Limits of the bot's outbox.
    pub outbox: OutboxLimits,
}

/// The settings of all bots, by name.
pub type Settings = HashMap<BotName, BotSettings>;

impl BotSettings {
    /// Returns the author's permission: the platform's, or a higher one mapped in bots.yaml.
    pub(crate) fn permission(&self, event: &Event) -> Permission {
        let user = event.user.as_ref().map(|user| &user.id);
        self.level(event.bot.name.as_str(), user, event.member.as_deref())
    }

    /// Returns a user's permission: the platform's, or a higher one mapped in bots.yaml.
    pub(crate) fn level(&self, bot: &str, user: Option<&UserId>, member: Option<&Member>) -> Permission {
        let of_platform = member.and_then(|member| member.permission).unwrap_or(Permission::Member);
        let is_one_of = |names: &Vec<String>| {
            names.iter().any(|name| {
                // Otherwise anyone who can name a role could name it after a user id and gain that
                // user's permission.
                let is_id = name.strip_prefix(bot).is_some_and(|rest| rest.starts_with('/'))
                    || name.bytes().all(|byte| byte.is_ascii_digit());
                let roles = member.iter().filter(|_| !self.roles_are_self_assigned).flat_map(|member| &member.roles);
                (!is_id && roles.into_iter().any(|role| role == name))
                    || user.is_some_and(|user| user.native() == name || user.as_str() == name)
            })
        };
        let mapped = self.permissions.iter().filter(|(_, names)| is_one_of(names)).map(|(level, _)| *level).max();
        of_platform.max(mapped.unwrap_or_default())
    }
}
