//! Queries and waits of tests.

use std::time::Duration;

use serde_json::Value;

use crate::server::changes::WAIT_MAX;

use super::counters::{Counters, Violation};
use super::id::Id;
use super::post::Post;
use super::stand_in::StandIn;
use super::state::State;

impl StandIn {
    /// Returns all posts of the bot in a channel with their current state.
    #[must_use]
    pub fn posted(&self, channel: &str) -> Vec<Post> {
        let channel = self.channel(channel);
        let state = self.shared.lock();
        state.posts.iter().filter(|post| post.channel == channel).map(|post| state.current(post)).collect()
    }

    /// Returns the current texts of the bot's posts in a channel, without deleted ones.
    #[must_use]
    pub fn texts(&self, channel: &str) -> Vec<String> {
        let channel = self.channel(channel);
        let state = self.shared.lock();
        let here = state.posts.iter().filter(|post| post.channel == channel);
        let now = here.filter_map(|post| state.message(channel, post.id)?["content"].as_str());
        now.map(ToOwned::to_owned).collect()
    }

    /// Returns the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }

    /// Returns the last calls, the oldest first: operation, reason for the audit log, body or null.
    #[must_use]
    pub fn asked(&self) -> Vec<(String, Option<String>, Value)> {
        self.shared.lock().recording.calls().cloned().collect()
    }

    /// Returns the calls that do not conform to Discord's description and documentation.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.lock().recording.violations.clone()
    }

    /// Returns the stand-in's own answers that do not fit the description; see `Options::check_answers`.
    #[must_use]
    pub fn own_misfits(&self) -> Vec<String> {
        self.shared.lock().recording.own_misfits.clone()
    }

    /// Returns the registered commands of a guild, or the global ones.
    #[must_use]
    pub fn commands(&self, guild: Option<Id>) -> Vec<Value> {
        let state = self.shared.lock();
        state.commands.by_scope.get(&guild).into_iter().flat_map(|all| all.values().cloned()).collect()
    }

    /// Returns the current state of a message; null if it does not exist.
    #[must_use]
    pub fn message(&self, id: Id) -> Value {
        let state = self.shared.lock();
        state.messages.values().find_map(|all| all.get(&id)).cloned().unwrap_or_default()
    }

    /// Returns the current state of a channel.
    #[must_use]
    pub fn channel_now(&self, channel: &str) -> Value {
        let channel = self.channel(channel);
        self.shared.lock().channels.get(&channel).cloned().unwrap_or_default()
    }

    /// Returns the current state of a member; null if there is none.
    #[must_use]
    pub fn member_now(&self, who: &str) -> Value {
        let user = self.user(who);
        self.shared.lock().member_frame(self.guild, user).unwrap_or_default()
    }

    /// Whether a user is banned.
    #[must_use]
    pub fn is_banned(&self, who: &str) -> bool {
        let user = self.user(who);
        self.shared.lock().guild_mut(self.guild).bans.contains_key(&user)
    }

    /// Returns the audit log, the newest entry last.
    #[must_use]
    pub fn audit_log(&self) -> Vec<Value> {
        self.shared.lock().guild_mut(self.guild).audit.clone()
    }

    /// Returns the token of an interaction, for tests that answer it themselves.
    #[must_use]
    pub fn token_of(&self, interaction: Id) -> String {
        self.shared.lock().interactions.get(&interaction).map(|one| one.token.clone()).unwrap_or_default()
    }

    /// Waits for the callback that answers an interaction: its `type` and `data`.
    pub async fn answer(&self, interaction: Id) -> Value {
        self.until("a callback", |stand_in| {
            stand_in.shared.lock().interactions.get(&interaction)?.answers.first().cloned()
        })
        .await
    }

    /// Waits for the bot's answer to an interaction, which is no longer deferred.
    pub async fn answered(&self, interaction: Id) -> Post {
        self.until("an answer", |stand_in| {
            let state = stand_in.shared.lock();
            let original = state.interactions.get(&interaction)?.original?;
            let post = state.posts.iter().find(|post| post.id == original)?;
            Some(state.current(post)).filter(|post| post.flags() & 128 == 0)
        })
        .await
    }

    /// Returns the bot's messages after the answer to an interaction.
    #[must_use]
    pub fn follow_ups(&self, interaction: Id) -> Vec<Post> {
        let state = self.shared.lock();
        let Some(found) = state.interactions.get(&interaction) else { return Vec::new() };
        let after = found.said.iter().filter(|id| Some(**id) != found.original);
        after.filter_map(|id| state.posts.iter().find(|post| post.id == *id)).map(|post| state.current(post)).collect()
    }

    /// Waits until the bot posts a message that contains `part` in a channel.
    pub async fn hears(&self, channel: &str, part: &str) -> Post {
        let what = format!("{part:?} in {channel}");
        let id = self.channel(channel);
        let look = |stand_in: &Self| {
            let state = stand_in.shared.lock();
            let fits = |post: &&Post| {
                let text = || state.message(id, post.id)?["content"].as_str();
                post.channel == id && text().is_some_and(|text| text.contains(part))
            };
            state.posts.iter().find(fits).map(|post| state.current(post))
        };
        self.until(&what, look).await
    }

    /// Waits until the bot has posted `count` messages in a channel.
    pub async fn hears_many(&self, channel: &str, count: usize) -> Vec<Post> {
        let what = format!("{count} posts in {channel}");
        let id = self.channel(channel);
        let said = |stand_in: &Self| stand_in.shared.lock().posts.iter().filter(|post| post.channel == id).count();
        self.until(&what, |stand_in| (said(stand_in) >= count).then_some(())).await;
        self.posted(channel)
    }

    /// Waits until the bot has identified this number of times.
    pub async fn identified(&self, times: u64) {
        let look = |stand_in: &Self| (stand_in.shared.lock().counters.identifies >= times).then_some(());
        self.until("the bot on the gateway", look).await;
    }

    /// Waits until the counters fit.
    pub async fn counts(&self, what: &str, fits: impl Fn(&Counters) -> bool) -> Counters {
        self.until(what, |stand_in| Some(stand_in.counters()).filter(|counters| fits(counters))).await
    }

    /// Evaluates `look` after every change until it returns a value.
    ///
    /// # Panics
    /// If there is no value within 20 seconds.
    pub async fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        self.until_within(WAIT_MAX, what, look).await
    }

    /// Like [`StandIn::until`], with another timeout.
    ///
    /// # Panics
    /// If there is no value within `timeout`.
    pub async fn until_within<T>(&self, timeout: Duration, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let describe = || self.shared.lock().describe_now();
        self.shared.changes.until(timeout, what, || look(self), describe).await
    }
}

impl State {
    /// Describes the state for a failure message.
    fn describe_now(&self) -> String {
        let Counters { identifies, resumes, calls, closes, .. } = &self.counters;
        let violations = &self.recording.violations;
        format!(
            "identifies: {identifies}, resumes: {resumes}, closes: {closes:?}, calls: {calls:?}, \
             violations: {violations:#?}"
        )
    }
}
