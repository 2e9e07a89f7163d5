//! What a test looks at and waits for.

use std::time::Duration;

use serde_json::Value;

use crate::changes::PATIENCE;

use super::StandIn;
use super::counters::{Counters, Violation};
use super::id::Id;
use super::post::Post;
use super::world::World;

impl StandIn {
    /// All that the bot said in a channel so far, as it is now.
    #[must_use]
    pub fn posted(&self, channel: &str) -> Vec<Post> {
        let channel = self.channel(channel);
        let world = self.shared.lock();
        world.posts.iter().filter(|post| post.channel == channel).map(|post| world.current(post)).collect()
    }

    /// The texts of what the bot said in a channel and has not deleted, as they are now.
    #[must_use]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        let channel = self.channel(channel);
        let world = self.shared.lock();
        let here = world.posts.iter().filter(|post| post.channel == channel);
        let now = here.filter_map(|post| world.message(channel, post.id)?["content"].as_str());
        now.map(ToOwned::to_owned).collect()
    }

    /// How often things happened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }

    /// The last calls, the oldest first: the operation, the reason for the audit log, the body (null where there is none).
    #[must_use]
    pub fn asked(&self) -> Vec<(String, Option<String>, Value)> {
        self.shared.lock().asked.iter().cloned().collect()
    }

    /// The calls that do not fit what Discord describes and documents.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.lock().counters.violations.clone()
    }

    /// Where the stand-in's own answers do not fit the description; see `Options::check_answers`.
    #[must_use]
    pub fn own_misfits(&self) -> Vec<String> {
        self.shared.lock().counters.own_misfits.clone()
    }

    /// The commands that are registered, for a guild or for all.
    #[must_use]
    pub fn commands(&self, guild: Option<Id>) -> Vec<Value> {
        let world = self.shared.lock();
        world.commands.by_scope.get(&guild).into_iter().flat_map(|all| all.values().cloned()).collect()
    }

    /// A message as it is now; null if it is not there.
    #[must_use]
    pub fn message(&self, id: Id) -> Value {
        let world = self.shared.lock();
        world.messages.values().find_map(|all| all.get(&id)).cloned().unwrap_or_default()
    }

    /// A channel as it is now.
    #[must_use]
    pub fn channel_now(&self, channel: &str) -> Value {
        let channel = self.channel(channel);
        self.shared.lock().channels.get(&channel).cloned().unwrap_or_default()
    }

    /// A member as it is now; null if they are none.
    #[must_use]
    pub fn member_now(&self, who: &str) -> Value {
        let user = self.user(who);
        self.shared.lock().member_frame(self.guild, user).unwrap_or_default()
    }

    /// Whether somebody is banned.
    #[must_use]
    pub fn is_banned(&self, who: &str) -> bool {
        let user = self.user(who);
        self.shared.lock().guild_mut(self.guild).bans.contains_key(&user)
    }

    /// The audit log, the newest last.
    #[must_use]
    pub fn audit_log(&self) -> Vec<Value> {
        self.shared.lock().guild_mut(self.guild).audit.clone()
    }

    /// The token of an interaction, for tests that answer it themselves.
    #[must_use]
    pub fn token_of(&self, interaction: Id) -> String {
        self.shared.lock().interactions.get(&interaction).map(|one| one.token.clone()).unwrap_or_default()
    }

    /// The callback with which the bot answered an interaction: its `type` and `data`.
    pub async fn answer(&self, interaction: Id) -> Value {
        self.until("a callback", |stand_in| {
            stand_in.shared.lock().interactions.get(&interaction)?.answers.first().cloned()
        })
        .await
    }

    /// What the bot said as the answer to an interaction, once it no longer thinks about it.
    pub async fn answered(&self, interaction: Id) -> Post {
        self.until("an answer", |stand_in| {
            let world = stand_in.shared.lock();
            let original = world.interactions.get(&interaction)?.original?;
            let post = world.posts.iter().find(|post| post.id == original)?;
            Some(world.current(post)).filter(|post| post.flags() & 128 == 0)
        })
        .await
    }

    /// What the bot said after the answer to an interaction.
    #[must_use]
    pub fn follow_ups(&self, interaction: Id) -> Vec<Post> {
        let world = self.shared.lock();
        let Some(found) = world.interactions.get(&interaction) else { return Vec::new() };
        let after = found.said.iter().filter(|id| Some(**id) != found.original);
        after.filter_map(|id| world.posts.iter().find(|post| post.id == *id)).map(|post| world.current(post)).collect()
    }

    /// Waits until the bot says something in a channel that has `part` in it.
    pub async fn hears(&self, channel: &str, part: &str) -> Post {
        let what = format!("{part:?} in {channel}");
        let id = self.channel(channel);
        let look = |stand_in: &Self| {
            let world = stand_in.shared.lock();
            let fits = |post: &&Post| {
                let text = || world.message(id, post.id)?["content"].as_str();
                post.channel == id && text().is_some_and(|text| text.contains(part))
            };
            world.posts.iter().find(fits).map(|post| world.current(post))
        };
        self.until(&what, look).await
    }

    /// Waits until the bot has said `count` things in a channel.
    pub async fn hears_many(&self, channel: &str, count: usize) -> Vec<Post> {
        let what = format!("{count} posts in {channel}");
        let id = self.channel(channel);
        let said = |stand_in: &Self| stand_in.shared.lock().posts.iter().filter(|post| post.channel == id).count();
        self.until(&what, |stand_in| (said(stand_in) >= count).then_some(())).await;
        self.posted(channel)
    }

    /// Waits until the bot has identified so many times.
    pub async fn identified(&self, times: u64) {
        let look = |stand_in: &Self| (stand_in.shared.lock().counters.identifies >= times).then_some(());
        self.until("the bot on the gateway", look).await;
    }

    /// Waits until the counters fit.
    pub async fn counts(&self, what: &str, fits: impl Fn(&Counters) -> bool) -> Counters {
        self.until(what, |stand_in| Some(stand_in.counters()).filter(|counters| fits(counters))).await
    }

    /// Looks again at every change until there is something.
    ///
    /// # Panics
    /// When nothing has come in 20 seconds.
    pub async fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        self.until_within(PATIENCE, what, look).await
    }

    /// As [`StandIn::until`], with a patience of one's own.
    ///
    /// # Panics
    /// When nothing has come by then.
    pub async fn until_within<T>(&self, patience: Duration, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let tell = || self.shared.lock().tell_of_now();
        self.shared.changes.until(patience, what, || look(self), tell).await
    }
}

impl World {
    /// What a test that waits in vain would like to know.
    fn tell_of_now(&self) -> String {
        let Counters { identifies, resumes, calls, violations, closes, .. } = &self.counters;
        format!(
            "identifies: {identifies}, resumes: {resumes}, closes: {closes:?}, calls: {calls:?}, violations: {violations:#?}"
        )
    }
}
