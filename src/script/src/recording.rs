//! A host interface that records what a step observes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use palabre_types::{
    ActionKey, CommandSpec, Content, Denied, Event, Impact, Member, MessageId, MetricChange, Millis, Observation,
    Permission, RoomId, ScriptName, UserId,
};
use serde_json::Value;

use crate::host_api::{HostApi, Input, Stored};
use crate::limits::{Limit, OUTPUT_BYTES};
use crate::meter::Meters;
use crate::watch::Watch;

/// Passes calls on to the host of a VM, and records their results.
///
/// Nothing is allocated for a step that observes nothing.
pub(crate) struct Recording {
    host: Rc<dyn HostApi>,
    watch: Arc<Watch>,
    observations: RefCell<Vec<Observation>>,
    /// The number of reads and checks of the step so far, whose success is not recorded.
    unrecorded: Cell<u32>,
    /// The size of observations that do not count as output yet, in bytes.
    unspent: Cell<usize>,
}

impl Recording {
    pub(crate) fn new(host: Rc<dyn HostApi>, watch: Arc<Watch>) -> Self {
        let (observations, unrecorded, unspent) = Default::default();
        Self { host, watch, observations, unrecorded, unspent }
    }

    /// Forgets what was observed so far. Called when a step begins.
    pub(crate) fn clear(&self) {
        self.observations.borrow_mut().clear();
        self.unrecorded.set(0);
        self.unspent.set(0);
    }

    /// Returns what was observed so far, and forgets it.
    pub(crate) fn take(&self) -> Vec<Observation> {
        std::mem::take(&mut *self.observations.borrow_mut())
    }

    /// Returns the size of the observations since the last call, in bytes.
    pub(crate) fn take_bytes(&self) -> usize {
        self.unspent.take()
    }

    /// Whether the observations alone exceed the output limit. The step is then being stopped.
    pub(crate) fn is_full(&self) -> bool {
        self.unspent.get() > OUTPUT_BYTES
    }

    fn record(&self, observation: Observation) {
        self.unspent.set(self.unspent.get().saturating_add(observation.weight()));
        if self.is_full() {
            // A step that ends with a limit is not executed again, so the rest is not needed.
            self.watch.expire();
        } else {
            self.observations.borrow_mut().push(observation);
        }
    }

    /// Passes on the result of a read or check, whose success is not recorded.
    fn unless_failed<T>(&self, result: Result<T, String>) -> Result<T, String> {
        let number = self.unrecorded.get();
        self.unrecorded.set(number.saturating_add(1));
        if let Err(problem) = &result {
            self.record(Observation::Failed(number, problem.clone()));
        }
        result
    }
}

impl HostApi for Recording {
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
        self.unless_failed(self.host.get(key, now))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        self.unless_failed(self.host.scan(prefix, after, backward, limit, now))
    }

    fn stored_bytes(&self) -> u64 {
        self.host.stored_bytes()
    }

    fn waiting_timers(&self) -> usize {
        self.host.waiting_timers()
    }

    fn outbox_limit(&self, bot: &str, is_moderation: bool) -> Option<Limit> {
        self.host.outbox_limit(bot, is_moderation)
    }

    fn timer_bytes(&self) -> u64 {
        self.host.timer_bytes()
    }

    fn can(&self, bot: &str, what: &str) -> bool {
        let can = self.host.can(bot, what);
        self.record(Observation::Can(bot.to_owned(), what.to_owned(), can));
        can
    }

    fn check_content(&self, bot: &str, content: &Content) -> Result<(), String> {
        self.unless_failed(self.host.check_content(bot, content))
    }

    fn mentioned(&self, context: &Event, mention: &str) -> Option<String> {
        let name = self.host.mentioned(context, mention);
        self.record(Observation::Mentioned(mention.to_owned(), name.clone()));
        name
    }

    fn is_granted(&self, what: &str) -> bool {
        self.host.is_granted(what)
    }

    fn permission(&self, event: &Event) -> Permission {
        let permission = self.host.permission(event);
        self.record(Observation::Permission(permission));
        permission
    }

    fn user_named(&self, bot: &str, context: &Event, name: &str) -> Option<(String, String)> {
        let user = self.host.user_named(bot, context, name);
        self.record(Observation::UserNamed(bot.to_owned(), name.to_owned(), user.clone()));
        user
    }

    fn member(&self, context: &Event, user: &UserId) -> Option<Member> {
        let member = self.host.member(context, user);
        self.record(Observation::Member(user.clone(), member.clone()));
        member
    }

    fn may_act(&self, context: &Event, actor: Option<&UserId>, target: &UserId, impact: Impact) -> Result<(), Denied> {
        let verdict = self.host.may_act(context, actor, target, impact);
        let room = context.room.as_ref().map(|room| room.id.clone());
        self.record(Observation::MayAct(room, actor.cloned(), target.clone(), impact, verdict.err()));
        verdict
    }

    fn sent_as(&self, room: &RoomId, message: &MessageId) -> Option<ActionKey> {
        let key = self.host.sent_as(room, message);
        self.record(Observation::SentAs(room.clone(), message.clone(), key.clone()));
        key
    }

    fn is_sending(&self, room: &RoomId) -> bool {
        let is_sending = self.host.is_sending(room);
        self.record(Observation::IsSending(room.clone(), is_sending));
        is_sending
    }

    fn has_answered(&self, is_known: bool) -> bool {
        let has_answered = self.host.has_answered(is_known);
        self.record(Observation::HasAnswered(has_answered));
        has_answered
    }

    fn language(&self, bot: &str) -> Option<String> {
        let language = self.host.language(bot);
        self.record(Observation::Language(bot.to_owned(), language.clone()));
        language
    }

    fn commands(&self) -> Arc<Vec<(ScriptName, CommandSpec)>> {
        let commands = self.host.commands();
        self.record(Observation::Commands(Arc::clone(&commands)));
        commands
    }

    fn task_runs(&self, task: &str, limit: usize, now: Millis) -> Result<Vec<Value>, String> {
        let runs = self.host.task_runs(task, limit, now);
        self.record(Observation::TaskRuns(task.to_owned(), limit, runs.clone()));
        runs
    }

    fn meters(&self) -> Meters {
        self.host.meters()
    }

    fn reserve_metric(&self, change: &MetricChange, series_max: usize) -> Result<(), String> {
        self.unless_failed(self.host.reserve_metric(change, series_max))
    }

    fn call(&self, script: &str, function: &str, arguments: &Value, input: &Input) -> Result<Value, String> {
        let result = self.host.call(script, function, arguments, input);
        let (script, function) = (script.to_owned(), function.to_owned());
        self.record(Observation::Call(script, function, arguments.clone(), result.clone()));
        result
    }

    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId> {
        let id = self.host.message_id(room, key);
        self.record(Observation::MessageId(room.clone(), key.clone(), id.clone()));
        id
    }
}
