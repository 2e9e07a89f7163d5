//! Checks of the bot's permissions.

use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;

use super::refusal::Refusal;

impl State {
    /// Checks that the bot may write in a channel.
    pub(super) fn may_write(&self, channel: Id) -> Result<(), Refusal> {
        let place = self.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
        match place["type"].as_u64() {
            Some(1) => {
                let recipient = Id::of(&place["recipients"][0], "id").and_then(|id| self.users.get(&id));
                let open = recipient.is_some_and(|user| user.open_to_direct && !user.bot);
                if open { Ok(()) } else { Err(Refusal::cannot_direct()) }
            }
            Some(4 | 15 | 16) => Err(Refusal::new(400, 50008, "Cannot send messages in a non-text channel")),
            Some(10..=12) if place["thread_metadata"]["locked"] == true => {
                self.need_in(channel, Permission::MANAGE_THREADS)
            }
            Some(10..=12) => self.need_in(channel, Permission::SEND_MESSAGES_IN_THREADS),
            _ => self.need_in(channel, Permission::SEND_MESSAGES),
        }
    }

    /// Checks that the bot can see a channel and has a permission there.
    pub(super) fn need_in(&self, channel: Id, permission: Permission) -> Result<(), Refusal> {
        if !self.channels.contains_key(&channel) {
            return Err(Refusal::unknown_channel());
        }
        let Some(guild) = self.guild_of(channel) else { return Ok(()) };
        let bits = self.permissions(guild, self.bot, Some(channel));
        if bits & Permission::VIEW_CHANNEL.0 == 0 {
            return Err(Refusal::missing_access());
        }
        if bits & permission.0 == 0 { Err(Refusal::missing_permissions()) } else { Ok(()) }
    }

    /// Checks that the bot has a permission in a guild.
    pub(super) fn need(&self, guild: Id, permission: Permission) -> Result<(), Refusal> {
        if !self.guilds.get(&guild).is_some_and(|home| home.members.contains_key(&self.bot)) {
            return Err(if self.guilds.contains_key(&guild) {
                Refusal::missing_access()
            } else {
                Refusal::unknown_guild()
            });
        }
        let has = self.permissions(guild, self.bot, None) & permission.0 != 0;
        if has { Ok(()) } else { Err(Refusal::missing_permissions()) }
    }

    /// Checks that the bot's highest role is above that of a member, as required for moderation.
    pub(super) fn outranks(&self, guild: Id, other: Id) -> Result<(), Refusal> {
        let admin = self.permissions(guild, other, None) & Permission::ADMINISTRATOR.0 != 0;
        let above = self.rank(guild, self.bot) > self.rank(guild, other);
        if above && !admin { Ok(()) } else { Err(Refusal::missing_permissions()) }
    }
}
