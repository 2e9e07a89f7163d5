//! Queries and waits of tests.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::server::changes::WAIT_MAX;

use super::counters::{Counters, Violation};
use super::post::{Action, MessageRef, Post, text};
use super::query::CallbackAnswer;
use super::stand_in::StandIn;
use super::state::State;

impl StandIn {
    /// Returns all posts of the bot in a chat or topic (`Forum/ideas`) with their current state.
    #[must_use]
    pub fn posted(&self, chat: &str) -> Vec<Post> {
        let mut state = self.shared.lock();
        let place = state.somewhere(chat);
        state.posts_in(place).map(|post| state.current(post)).collect()
    }

    /// Returns the current texts and captions of the bot's posts in a chat, without deleted ones.
    #[must_use]
    pub fn texts(&self, chat: &str) -> Vec<String> {
        let posts = self.posted(chat);
        posts.iter().filter(|post| !post.is_deleted()).map(|post| post.text().to_owned()).collect()
    }

    /// Returns the current state of all messages of a chat.
    #[must_use]
    pub fn messages(&self, chat: &str) -> Vec<Value> {
        let mut state = self.shared.lock();
        let (chat, thread) = state.somewhere(chat);
        let all = state.chats[&chat].messages.values();
        all.filter(|message| thread.is_none_or(|thread| message["message_thread_id"].as_i64().unwrap_or(1) == thread))
            .cloned()
            .collect()
    }

    /// Returns the current state of a message; null if it does not exist.
    #[must_use]
    pub fn message(&self, at: MessageRef) -> Value {
        self.shared.lock().message(at.chat, at.id).cloned().unwrap_or_default()
    }

    /// Returns the reactions to a message: user name and emoji.
    #[must_use]
    pub fn reactions(&self, at: MessageRef) -> Vec<(String, String)> {
        let state = self.shared.lock();
        let all = state.chats[&at.chat].reactions.get(&at.id).into_iter().flatten();
        let named = |(user, reactions): (&i64, &Vec<Value>)| {
            let name = state.users[user].name.clone();
            reactions
                .iter()
                .map(move |one| (name.clone(), one["emoji"].as_str().unwrap_or_default().to_owned()))
                .collect::<Vec<_>>()
        };
        all.flat_map(named).collect()
    }

    /// Returns the pinned messages of a chat, the newest last.
    #[must_use]
    pub fn pinned(&self, chat: &str) -> Vec<i64> {
        let mut state = self.shared.lock();
        let chat = state.somewhere(chat).0;
        state.chats[&chat].pinned.clone()
    }

    /// Returns the current `ChatMember` of a user, whose `status` is `kicked` after a ban.
    #[must_use]
    pub fn member_now(&self, who: &str, chat: &str) -> Value {
        let mut state = self.shared.lock();
        let (user, chat) = (state.who(who), state.somewhere(chat).0);
        state.member_frame(chat, user)
    }

    /// Whether a user is banned.
    #[must_use]
    pub fn is_banned(&self, who: &str, chat: &str) -> bool {
        self.member_now(who, chat)["status"] == "kicked"
    }

    /// Whether a user may write in a chat.
    #[must_use]
    pub fn can_speak(&self, who: &str, chat: &str) -> bool {
        let mut state = self.shared.lock();
        let (user, chat) = (state.who(who), state.somewhere(chat).0);
        state.is_permitted(chat, user, "can_send_messages")
    }

    /// Returns the current `ChatFullInfo` of a chat.
    #[must_use]
    pub fn chat_now(&self, chat: &str) -> Value {
        let mut state = self.shared.lock();
        let chat = state.somewhere(chat).0;
        state.full_frame(chat)
    }

    /// Returns the topics of a forum by id: name, and whether it is closed.
    #[must_use]
    pub fn topics(&self, forum: &str) -> Vec<(i64, String, bool)> {
        let mut state = self.shared.lock();
        let forum = state.somewhere(forum).0;
        state.chats[&forum].topics.iter().map(|(id, topic)| (*id, topic.name.clone(), topic.is_closed)).collect()
    }

    /// Returns the registered commands of a scope and a language (`""` for all other languages).
    ///
    /// The scope is written as `default`, `all_group_chats`, `chat:-1001`, `chat_member:-1001:5`.
    #[must_use]
    pub fn commands(&self, scope: &str, language: &str) -> Vec<Value> {
        let key = (scope.to_owned(), language.to_owned());
        self.shared.lock().commands.lists.get(&key).cloned().unwrap_or_default()
    }

    /// Returns the scopes and languages that have commands.
    #[must_use]
    pub fn command_scopes(&self) -> Vec<(String, String)> {
        self.shared.lock().commands.lists.keys().cloned().collect()
    }

    /// Returns the chat actions of the bot, in order.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        self.shared.lock().actions.clone()
    }

    /// Returns the parameters of all valid calls of a method, in order, except `getUpdates`.
    #[must_use]
    pub fn asked(&self, method: &str) -> Vec<Value> {
        let state = self.shared.lock();
        state.recording.calls().filter(|(name, _)| name == method).map(|(_, parameters)| parameters.clone()).collect()
    }

    /// Returns all calls with their parameters, in order, except `getUpdates`.
    #[must_use]
    pub fn all_asked(&self) -> Vec<(String, Value)> {
        self.shared.lock().recording.calls().cloned().collect()
    }

    /// Returns the content of a file by its `file_id`.
    #[must_use]
    pub fn file(&self, id: &str) -> Option<Bytes> {
        self.shared.lock().files.stored.get(id).map(|stored| stored.bytes.clone())
    }

    /// Returns the number of unconfirmed updates.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// Returns the result of `getWebhookInfo`.
    #[must_use]
    pub fn webhook(&self) -> Value {
        self.shared.lock().webhook_frame()
    }

    /// Returns the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }

    /// Returns the calls that do not conform to Telegram's description and documentation.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.lock().recording.violations.clone()
    }

    /// Returns the stand-in's own answers and updates that do not fit the description.
    ///
    /// See `Options::check_answers`.
    #[must_use]
    pub fn own_misfits(&self) -> Vec<String> {
        self.shared.lock().recording.own_misfits.clone()
    }

    /// Returns the bot's answer to a button press; none if there is none yet.
    #[must_use]
    pub fn answer_to(&self, query: &str) -> Option<CallbackAnswer> {
        self.shared.lock().presses.get(query)?.answer.clone()
    }

    /// Waits for the bot's answer to a button press.
    pub async fn answered(&self, query: &str) -> CallbackAnswer {
        self.until("an answer to a press", |stand_in| stand_in.answer_to(query)).await
    }

    /// Waits until the bot posts, or edits, a message so that it contains `part`.
    pub async fn hears(&self, chat: &str, part: &str) -> Post {
        let what = format!("{part:?} in {chat}");
        let place = self.shared.lock().somewhere(chat);
        let look = |stand_in: &Self| {
            let state = stand_in.shared.lock();
            let fits =
                |post: &&Post| state.message(post.at.chat, post.at.id).is_some_and(|one| text(one).contains(part));
            state.posts_in(place).find(fits).map(|post| state.current(post))
        };
        self.until(&what, look).await
    }

    /// Waits until the bot has posted `count` messages in a chat.
    pub async fn hears_many(&self, chat: &str, count: usize) -> Vec<Post> {
        let what = format!("{count} posts in {chat}");
        let place = self.shared.lock().somewhere(chat);
        let is_there =
            |stand_in: &Self| (stand_in.shared.lock().posts_in(place).take(count).count() == count).then_some(());
        self.until(&what, is_there).await;
        self.posted(chat)
    }

    /// Waits until the bot has confirmed all updates.
    pub async fn confirmed(&self) {
        self.until("all updates to be confirmed", |stand_in| (stand_in.pending() == 0).then_some(())).await;
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
    fn posts_in(&self, (chat, thread): (i64, Option<i64>)) -> impl Iterator<Item = &Post> {
        let is_in_topic = move |post: &&Post| thread.is_none_or(|thread| post.thread.unwrap_or(1) == thread);
        self.posts.iter().filter(move |post| post.at.chat == chat).filter(is_in_topic)
    }

    /// Describes the state for a failure message.
    fn describe_now(&self) -> String {
        let Counters { updates, given, confirmed, calls, .. } = &self.counters;
        let violations = &self.recording.violations;
        let last: Vec<_> =
            self.posts.iter().rev().take(5).map(|post| json!(text(&self.current(post).message))).collect();
        format!(
            "updates: {updates}, given: {given}, confirmed: {confirmed}, calls: {calls:?}, last said: {last:?}, \
             violations: {violations:#?}"
        )
    }
}
