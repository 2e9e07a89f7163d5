//! The host interface of one script, for all its versions.

mod values;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use palabre_outbox::OutboxLimits;
use palabre_script::{HostApi, Input, Limit, Meters, Stored};
use palabre_state::{DEFERRED_EVENTS, SCRIPT_HEADS, SENDERS, WentBack, task_runs};
use palabre_store::{Direction, Error, Result as StoreResult};
use palabre_types::{
    ActionKey, Change, CommandSpec, Content, Denied, Event, Impact, Member, MessageId, MetricChange, Millis,
    Permission, RoomId, ScriptName, UserId,
};
use serde_json::Value;

use self::values::Values;
use crate::bot_settings::BotSettings;
use crate::context::RunnerContext;
use crate::hierarchy::Hierarchy;
use crate::instance_spec::InstanceSpec;
use crate::peers::Peers;
use crate::places::Place;
use crate::timer_usage::TimerUsage;

/// The host interface of one script.
pub(crate) struct ScriptStore {
    script: ScriptName,
    cx: RunnerContext,
    grants: Vec<String>,
    values: Values,
    timers: Arc<TimerUsage>,
    peers: Peers,
    meters: Meters,
}

impl ScriptStore {
    pub(crate) fn new(spec: &InstanceSpec, cx: RunnerContext, peers: Peers) -> Self {
        Self {
            script: spec.name.clone(),
            values: Values::new(spec.name.clone(), cx.store.clone()),
            cx,
            grants: spec.grants.clone(),
            timers: Arc::clone(&spec.timers),
            peers,
            meters: Meters::default(),
        }
    }

    /// Returns the number of the last durable run batch; the commit of entry batches advances it.
    pub(crate) fn durable(&self) -> Arc<AtomicU64> {
        Arc::clone(self.values.durable())
    }

    /// Applies a write of a successful step, so that later steps read it.
    pub(crate) fn apply(&self, key: &Bytes, change: &Change, run_batch: u64) {
        self.values.apply(key, change, run_batch);
    }

    /// Drops the snapshot of the values: while one is open, the store's file grows.
    pub(crate) fn drop_snapshot(&self) {
        self.values.drop_snapshot();
    }

    /// Drops what can be read from the store again. Called between run batches.
    pub(crate) fn tidy(&self) {
        self.values.tidy();
    }

    /// Corrects expiry times after the clock went back.
    pub(crate) fn went_back(&self, back: &WentBack) {
        self.values.went_back(back);
    }

    /// Returns the message for the script about an error of the store.
    ///
    /// If it is the store that cannot be read, and not just one row, the current step is run again.
    fn failed(&self, error: &Error) -> String {
        if !matches!(error, Error::Row { .. }) {
            self.peers.record_unreadable();
        }
        error.to_string()
    }

    /// Returns the head of the script in the store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn head(&self) -> StoreResult<u64> {
        Ok(SCRIPT_HEADS.get(&self.cx.store.snapshot(0)?, &self.script.to_string())?.unwrap_or(0))
    }

    /// Returns the places with deferred events, and the number of those.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn deferred_places(&self) -> StoreResult<HashMap<Place, u64>> {
        let snapshot = self.cx.store.snapshot(0)?;
        let mut places: HashMap<Place, u64> = HashMap::new();
        for row in DEFERRED_EVENTS.scan(&snapshot, &self.script.to_string(), Direction::Forward)? {
            let ((_, place, _), _) = row?;
            *places.entry(place.into()).or_default() += 1;
        }
        Ok(places)
    }

    /// Returns the first deferred events of a place, after the last one that was handled.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn deferred_events(
        &self,
        place: &Place,
        done_through: u64,
        limit: usize,
    ) -> StoreResult<Vec<(u64, Arc<Event>)>> {
        let snapshot = self.cx.store.snapshot(0)?;
        let prefix = (self.script.to_string(), place.to_string());
        let last = (self.script.to_string(), place.to_string(), done_through);
        let rows = DEFERRED_EVENTS.scan_after(&snapshot, &prefix, &last, Direction::Forward)?.take(limit);
        rows.map(|row| row.map(|((_, _, seq), event)| (seq, Arc::new(event)))).collect()
    }

    /// Whether the store can be read at present.
    pub(crate) fn is_readable(&self) -> bool {
        self.cx.store.snapshot(0).is_ok()
    }
}

impl HostApi for ScriptStore {
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
        self.values.get(key, now).map_err(|error| self.failed(&error))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        self.values.scan(prefix, after, backward, limit, now).map_err(|error| self.failed(&error))
    }

    fn stored_bytes(&self) -> u64 {
        self.values.bytes()
    }

    fn waiting_timers(&self) -> usize {
        self.timers.count()
    }

    fn timer_bytes(&self) -> u64 {
        self.timers.bytes()
    }

    fn outbox_limit(&self, bot: &str, is_moderation: bool) -> Option<Limit> {
        let outbox = self.cx.bots.outbox(bot);
        let OutboxLimits { actions, bytes, .. } = outbox.limits();
        outbox.is_full(is_moderation).then(|| Limit::Outbox { bot: bot.to_owned(), actions, mb: bytes >> 20 })
    }

    fn can(&self, bot: &str, what: &str) -> bool {
        self.cx.bots.adapter(bot).is_some_and(|adapter| adapter.capabilities().can(what))
    }

    fn check_content(&self, bot: &str, content: &Content) -> Result<(), String> {
        self.cx.bots.adapter(bot).map_or(Ok(()), |adapter| adapter.content_limits().check(content))
    }

    fn mentioned(&self, event: &Event, mention: &str) -> Option<String> {
        self.cx.bots.adapter(event.bot.name.as_str())?.mentioned(event, mention)
    }

    fn is_granted(&self, what: &str) -> bool {
        self.grants.iter().any(|grant| grant == what)
    }

    fn permission(&self, event: &Event) -> Permission {
        let settings = self.cx.settings.get(&event.bot.name);
        settings.map_or_else(|| BotSettings::default().permission(event), |settings| settings.permission(event))
    }

    fn user_named(&self, bot: &str, event: &Event, name: &str) -> Option<(String, String)> {
        let user = self.cx.bots.adapter(bot)?.user_named(event, name)?;
        Some((user.id.to_string(), user.name))
    }

    fn member(&self, event: &Event, user: &UserId) -> Option<Member> {
        self.cx.bots.adapter(event.bot.name.as_str())?.member(event, user)
    }

    fn may_act(&self, event: &Event, actor: Option<&UserId>, target: &UserId, impact: Impact) -> Result<(), Denied> {
        let hierarchy = Hierarchy { settings: &self.cx.settings, bots: &self.cx.bots, event };
        hierarchy.may_act(actor, target, impact)
    }

    fn sent_as(&self, room: &RoomId, message: &MessageId) -> Option<ActionKey> {
        // On a platform where we assign the ids, the id is the key.
        let named = || message.as_str().parse().ok().filter(|key| self.message_id(room, key).as_ref() == Some(message));
        let recent = || self.cx.recent_deliveries.key(room, message);
        let stored = || {
            let place = (room.to_string(), message.to_string());
            // If it cannot be looked up, the message counts as nobody's.
            SENDERS.get(&self.cx.store.snapshot(0).ok()?, &place).ok()??.parse().ok()
        };
        named().or_else(recent).or_else(stored).filter(|key: &ActionKey| key.script == self.script)
    }

    fn is_sending(&self, room: &RoomId) -> bool {
        self.cx.recent_deliveries.is_sending(&self.script, room)
    }

    fn language(&self, bot: &str) -> Option<String> {
        // A task belongs to no bot: it uses the language of the first bot that has one.
        let first =
            || self.cx.settings.iter().filter(|(_, of)| of.language.is_some()).min_by_key(|(name, _)| name.as_str());
        let settings = self.cx.settings.get(bot).or_else(|| first().map(|(_, settings)| settings));
        settings?.language.clone()
    }

    fn commands(&self) -> Arc<Vec<(ScriptName, CommandSpec)>> {
        Arc::clone(&self.cx.declared.read().commands)
    }

    fn task_runs(&self, task: &str, limit: usize, now: Millis) -> Result<Vec<Value>, String> {
        // Not the snapshot of the script's own values: these rows are written by others.
        let snapshot = self.cx.store.snapshot(now).map_err(|error| self.failed(&error))?;
        let runs = task_runs(&snapshot, &self.script, task).map_err(|error| self.failed(&error))?;
        let shown = runs.take(limit).map(|run| {
            let run = run.map_err(|error| self.failed(&error))?;
            serde_json::to_value(run).map_err(|error| error.to_string())
        });
        shown.collect()
    }

    fn meters(&self) -> Meters {
        self.meters.clone()
    }

    fn reserve_metric(&self, change: &MetricChange, series_max: usize) -> Result<(), String> {
        self.cx.owner.reserve_metric(&self.script, change, series_max)
    }

    fn call(&self, script: &str, function: &str, arguments: &Value, input: &Input) -> Result<Value, String> {
        let no = |why: &str| Err(format!("{script}.{function} cannot be called: {why}"));
        if script == self.script.as_str() {
            return no("a script does not import itself");
        }
        let Some(vm) = self.peers.get(script) else {
            return no("the script is not running");
        };
        let Ok(mut callee) = vm.try_borrow_mut() else {
            return no("it is already part of this chain of calls, which must not be circular");
        };
        let inner = Input { run: input.run.call(&self.script), ..input.clone() };
        self.peers.record_called(script, &vm, &inner.run);
        callee.call(function, arguments, inner).map_err(|problem| format!("{script}.{function}: {problem}"))
    }

    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId> {
        self.cx.bots.adapter(room.bot())?.message_id(key)
    }
}
