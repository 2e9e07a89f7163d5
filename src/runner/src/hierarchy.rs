//! Decides who may act on whom: one rule for every platform, command and script.

use palabre_outbox::Bots;
use palabre_types::{Denied, Event, Impact, Member, Permission, Rank, UserId};

use crate::bot_settings::{BotSettings, Settings};

/// The rule and its input: bots.yaml, the platforms, and the event of the run that wants to act.
///
/// A person's level is the platform's or the one mapped in bots.yaml, whichever is higher. Nobody
/// acts against a moderator, or anybody higher, of their own level or above. Among people whom the
/// platform itself ranks, its order counts too. A script that acts on its own has the level of a
/// moderator.
pub(crate) struct Hierarchy<'h> {
    pub(crate) settings: &'h Settings,
    pub(crate) bots: &'h Bots,
    pub(crate) event: &'h Event,
}

/// A permission level, and whether it is the platform's.
struct Standing {
    level: Permission,
    is_of_platform: bool,
}

impl Hierarchy<'_> {
    /// Checks whether `actor` may do something of that impact to `target`.
    ///
    /// No actor means that the script acts on its own.
    pub(crate) fn may_act(&self, actor: Option<&UserId>, target: &UserId, impact: Impact) -> Result<(), Denied> {
        let is_oneself = actor == Some(target);
        match (actor, impact) {
            (_, Impact::Grants) | (None, Impact::Lifts) => return Ok(()),
            _ if self.is_bot(target) => return Err(Denied::TheBot),
            (_, Impact::Restricts | Impact::Lifts) if is_oneself => return Err(Denied::Oneself),
            (_, Impact::Changes) if is_oneself => return Ok(()),
            // People's own actions have consequences for them, such as a reaction that takes a role
            // away.
            (None, Impact::Changes) if self.is_author(target) => return Ok(()),
            _ => {}
        }
        let theirs = self.standing(target);
        let ours = actor.map(|actor| self.standing(actor));
        let level = ours.as_ref().map_or(Permission::Moderator, |ours| ours.level);
        if theirs.level >= Permission::Moderator && theirs.level >= level {
            return Err(if actor.is_some() { Denied::Level } else { Denied::Moderator });
        }
        let is_ranked = ours.is_some_and(|ours| ours.is_of_platform && ours.level >= Permission::Moderator);
        self.check_ranks(actor.filter(|_| is_ranked), target, impact)
    }

    /// Checks the platform's ranks, if it has any: of the actor, and of the bot that has to do it.
    fn check_ranks(&self, actor: Option<&UserId>, target: &UserId, impact: Impact) -> Result<(), Denied> {
        let Some(theirs) = self.rank(target, Some(target)) else { return Ok(()) };
        let is_no_higher = |user| self.rank(target, user).is_some_and(|own| own <= theirs);
        if actor.is_some() && is_no_higher(actor) {
            return Err(Denied::Rank);
        }
        if impact == Impact::Restricts && is_no_higher(None) {
            return Err(Denied::BotRank);
        }
        Ok(())
    }

    fn standing(&self, user: &UserId) -> Standing {
        let of_event = self.event.member.as_deref().filter(|_| self.is_author(user));
        let looked_up = if of_event.is_none() { self.member(user) } else { None };
        let member = of_event.or(looked_up.as_ref());
        let of_platform = member.and_then(|member| member.permission).unwrap_or(Permission::Member);
        let unset = BotSettings::default();
        let settings = self.settings.get(user.bot()).unwrap_or(&unset);
        let level = settings.level(user.bot(), Some(user), member);
        Standing { level, is_of_platform: level == of_platform }
    }

    /// Returns the platform's member record of a user, if the event comes from that platform.
    fn member(&self, user: &UserId) -> Option<Member> {
        let is_here = self.event.bot.name.as_str() == user.bot();
        self.bots.adapter(user.bot()).filter(|_| is_here)?.member(self.event, user)
    }

    /// Returns the rank of `user`, or of the bot, on the platform of `target`.
    fn rank(&self, target: &UserId, user: Option<&UserId>) -> Option<Rank> {
        let is_here = self.event.bot.name.as_str() == target.bot();
        self.bots.adapter(target.bot()).filter(|_| is_here)?.rank(self.event, user)
    }

    fn is_author(&self, user: &UserId) -> bool {
        self.event.user.as_ref().is_some_and(|author| author.id == *user)
    }

    fn is_bot(&self, user: &UserId) -> bool {
        self.bots.adapter(user.bot()).is_some_and(|adapter| adapter.is_own(user))
    }
}
