//! The host interface of one script: reads see its own writes before they are durable.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire};

use palabre_model::{
    ActionKey, CommandSpec, ContentLimits, Event, Impact, Member, MessageId, Millis, Permission, RoomId, ScriptName,
    UserId,
};
use palabre_script::{Change, Denied, Effects, HostApi, Input, Limit, Meters, MetricChange, Stored, Vm};
use palabre_store::{Direction, Snapshot, Store, TableId};
use serde_json::Value;

use crate::clock_watch::WentBack;
use crate::hierarchy::Hierarchy;
use crate::metrics::Metrics;
use crate::operators::{BotSettings, Settings};
use crate::peers::Peers;
use crate::places::Place;
use crate::router::Declared;
use crate::status::Published;
use crate::supervisor::Platforms;
use crate::tables::{DEFERRED_EVENTS, SENDERS, task_runs, value_key};
use crate::timers::TimerUsage;

/// Maximum number of cached values, not counting those that are not durable yet.
///
/// Only this script's worker writes them, so the cache is always right.
const CACHED_VALUES_MAX: usize = 65_536;

/// A script whose functions were called, its VM, and the number of its step.
type Called = (ScriptName, Rc<RefCell<Vm>>, u32);

/// The first number of steps that are done for a run of another script.
const CALL_STEPS_FIRST: u32 = 1 << 30;

/// Whether a step was done for a run of another script, by its number.
pub(crate) fn is_call(part: u32) -> bool {
    // The limit: the largest fold, and more steps than any run has. Numbers above are of
    // interrupted runs.
    (CALL_STEPS_FIRST..CALL_STEPS_FIRST + (3 << 28)).contains(&part)
}

/// Returns a number below 2^29 for a script's name.
fn fold(name: &str) -> u64 {
    // FNV-1a (Fowler, Noll, Vo), truncated.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash % (1 << 19)) << 10
}

/// The bytes of keys and values that a script stores.
///
/// The sum of the store's own count, which covers what is durable and what was swept, and of the
/// changes in run batches that are not durable yet.
struct Usage {
    stored: Arc<AtomicU64>,
    undurable: RefCell<VecDeque<(u64, i64)>>,
}

impl Usage {
    fn add(&self, run_batch: u64, after: u64, before: u64) {
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let change = size(after) - size(before);
        let mut undurable = self.undurable.borrow_mut();
        match undurable.back_mut() {
            Some((last, sum)) if *last == run_batch => *sum += change,
            _ => undurable.push_back((run_batch, change)),
        }
    }

    /// Returns the bytes, given the last run batch that is durable.
    fn bytes(&self, durable: u64) -> u64 {
        let mut undurable = self.undurable.borrow_mut();
        while undurable.front().is_some_and(|(run_batch, _)| *run_batch <= durable) {
            undurable.pop_front();
        }
        let growth: i64 = undurable.iter().map(|(_, change)| change).sum();
        self.stored.load(Acquire).saturating_add_signed(growth)
    }
}

pub(crate) type KeyMap<V> = HashMap<Arc<[u8]>, V, foldhash::fast::RandomState>;

/// The host interface of one script, for all its versions.
pub(crate) struct ScriptStore {
    script: ScriptName,
    store: Store,
    platforms: Arc<Platforms>,
    grants: Vec<String>,
    /// The value, and the run batch that wrote it (0: read from the store).
    cached: RefCell<KeyMap<(Option<Stored>, u64)>>,
    /// Keys of run batches that the snapshot may not contain, in order, for scans.
    unflushed: RefCell<VecDeque<(u64, Arc<[u8]>)>>,
    snapshot: RefCell<Option<Snapshot>>,
    usage: Usage,
    durable: Arc<AtomicU64>,
    timers: Arc<TimerUsage>,
    settings: Arc<Settings>,
    declared: Arc<Published<Arc<Declared>>>,
    peers: Peers,
    metrics: Arc<Metrics>,
    meters: Meters,
    /// Scripts whose functions the current step has called, with their VMs.
    called: RefCell<Vec<Called>>,
}

impl ScriptStore {
    #[allow(clippy::too_many_arguments, reason = "called once, where a script is added")]
    pub(crate) fn new(
        script: ScriptName,
        store: Store,
        platforms: Arc<Platforms>,
        grants: Vec<String>,
        usage: Arc<AtomicU64>,
        timers: Arc<TimerUsage>,
        settings: Arc<Settings>,
        declared: Arc<Published<Arc<Declared>>>,
        peers: Peers,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            script,
            store,
            platforms,
            grants,
            cached: RefCell::default(),
            unflushed: RefCell::default(),
            snapshot: RefCell::new(None),
            usage: Usage { stored: usage, undurable: RefCell::default() },
            durable: Arc::default(),
            timers,
            settings,
            declared,
            peers,
            metrics,
            meters: Meters::default(),
            called: RefCell::default(),
        }
    }

    /// Ends the calls of the current step. Returns their effects if they are kept.
    pub(crate) fn end_calls(&self, is_kept: bool) -> Vec<(ScriptName, u32, Effects)> {
        let called = std::mem::take(&mut *self.called.borrow_mut());
        let mut ended = Vec::new();
        for (script, vm, part) in called {
            let mut vm = vm.borrow_mut();
            if is_kept {
                ended.push((script, part, vm.finish_call()));
            } else {
                vm.drop_call();
            }
        }
        ended
    }

    /// Returns the number of the last durable run batch; the commit of entry batches advances it.
    pub(crate) fn durable(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.durable)
    }

    /// Applies a write of a successful step, so that later steps read it.
    pub(crate) fn apply(&self, key: &Arc<[u8]>, change: &Change, run_batch: u64) {
        let new = match change {
            Change::Set { value, expires } => Some(Stored { value: Arc::clone(value), expires: *expires }),
            Change::Delete => None,
        };
        let size =
            |stored: &Option<Stored>| stored.as_ref().map_or(0, |stored| (key.len() + stored.value.len()) as u64);
        let after = size(&new);
        // A run reads what it overwrites, so the old value is in memory, unless the last tidying
        // dropped it: the store counts exactly as it writes.
        let before =
            self.cached.borrow_mut().insert(Arc::clone(key), (new, run_batch)).map_or(0, |(old, _)| size(&old));
        self.usage.add(run_batch, after, before);
        self.unflushed.borrow_mut().push_back((run_batch, Arc::clone(key)));
    }

    /// Drops the snapshot.
    ///
    /// While one is open, the store keeps every page that it shows, and its file grows.
    pub(crate) fn drop_snapshot(&self) {
        *self.snapshot.borrow_mut() = None;
    }

    /// Corrects expiry times after the clock went back.
    ///
    /// The store has corrected its rows, so they are read again; values that are not durable yet
    /// are corrected here.
    pub(crate) fn went_back(&self, back: &WentBack) {
        self.drop_snapshot();
        let durable = self.durable.load(Acquire);
        self.cached.borrow_mut().retain(|_, (stored, run_batch)| {
            if let Some(stored) = stored {
                stored.expires = stored.expires.map(|end| back.end(end));
            }
            *run_batch > durable
        });
    }

    /// Drops what can be read from the store again. Called between run batches.
    pub(crate) fn tidy(&self) {
        let durable = self.durable.load(Acquire);
        let mut unflushed = self.unflushed.borrow_mut();
        if unflushed.front().is_some_and(|(run_batch, _)| *run_batch <= durable) {
            // An older snapshot would miss the keys that are dropped here.
            self.drop_snapshot();
            while unflushed.front().is_some_and(|(run_batch, _)| *run_batch <= durable) {
                unflushed.pop_front();
            }
        }
        let mut cached = self.cached.borrow_mut();
        if cached.len() > CACHED_VALUES_MAX {
            cached.retain(|_, (_, run_batch)| *run_batch > durable);
        }
    }

    fn with_snapshot<T>(
        &self,
        now: Millis,
        read: impl FnOnce(&Snapshot) -> palabre_store::Result<T>,
    ) -> Result<T, String> {
        let mut current = self.snapshot.borrow_mut();
        let snapshot = match current.take() {
            Some(snapshot) => snapshot,
            None => self.store.snapshot(now).map_err(|error| self.failed(&error))?,
        };
        let outcome = read(&snapshot).map_err(|error| self.failed(&error));
        if outcome.is_ok() {
            *current = Some(snapshot);
        }
        outcome
    }

    /// Returns the message for the script about an error of the store.
    ///
    /// If it is the store that cannot be read, and not just one row, the current step is run again.
    fn failed(&self, error: &palabre_store::Error) -> String {
        if !matches!(error, palabre_store::Error::Row { .. }) {
            self.peers.record_unreadable();
        }
        error.to_string()
    }

    /// Returns the places with deferred events, and the number of those.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn deferred_places(&self) -> palabre_store::Result<HashMap<Place, u64>> {
        let snapshot = self.store.snapshot(0)?;
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
    ) -> palabre_store::Result<Vec<(u64, Arc<Event>)>> {
        let snapshot = self.store.snapshot(0)?;
        let prefix = (self.script.to_string(), place.to_string());
        let last = (self.script.to_string(), place.to_string(), done_through);
        let rows = DEFERRED_EVENTS.scan_after(&snapshot, &prefix, &last, Direction::Forward)?.take(limit);
        rows.map(|row| row.map(|((_, _, seq), event)| (seq, Arc::new(event)))).collect()
    }

    /// Whether the store can be read at present.
    pub(crate) fn is_readable(&self) -> bool {
        self.store.snapshot(0).is_ok()
    }
}

impl HostApi for ScriptStore {
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
        if let Some((stored, _)) = self.cached.borrow().get(key) {
            return Ok(stored.clone().filter(|stored| stored.expires.is_none_or(|at| at > now)));
        }
        let full = value_key(&self.script, key);
        let stored = self.with_snapshot(now, |snapshot| {
            let row = snapshot.get(TableId::ScriptValues, &full)?;
            Ok(row.map(|row| Stored { value: row.value.into(), expires: row.expires }))
        })?;
        self.cached.borrow_mut().insert(key.into(), (stored.clone(), 0));
        Ok(stored)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        let skip = value_key(&self.script, &[]).len();
        let unflushed: BTreeSet<Arc<[u8]>> = self
            .unflushed
            .borrow()
            .iter()
            .filter(|(_, key)| key.starts_with(prefix))
            .map(|(_, key)| Arc::clone(key))
            .collect();
        let full_prefix = value_key(&self.script, prefix);
        let full_after = after.map(|after| value_key(&self.script, after));
        let direction = if backward { Direction::Backward } else { Direction::Forward };
        let mut rows: BTreeMap<Vec<u8>, Stored> = self.with_snapshot(now, |snapshot| {
            snapshot
                .scan(TableId::ScriptValues, &full_prefix, full_after.as_deref(), direction)?
                // Newer writes are taken from memory below.
                .filter(|row| row.as_ref().map_or(true, |(key, _)| !unflushed.contains(&key[skip..])))
                // The snapshot may be from before some of them expired.
                .filter(|row| row.as_ref().map_or(true, |(_, row)| row.expires.is_none_or(|at| at > now)))
                .take(limit)
                .map(|row| {
                    let (key, row) = row?;
                    Ok((key[skip..].to_vec(), Stored { value: row.value.into(), expires: row.expires }))
                })
                .collect()
        })?;
        for key in &unflushed {
            let within = after.is_none_or(|after| if backward { &**key < after } else { &**key > after });
            if within && let Some(stored) = self.get(key, now)? {
                rows.insert(key.to_vec(), stored);
            }
        }
        Ok(if backward { rows.into_iter().rev().take(limit).collect() } else { rows.into_iter().take(limit).collect() })
    }

    fn stored_bytes(&self) -> u64 {
        self.usage.bytes(self.durable.load(Acquire))
    }

    fn waiting_timers(&self) -> usize {
        self.timers.count()
    }

    fn timer_bytes(&self) -> u64 {
        self.timers.bytes()
    }

    fn outbox_limit(&self, bot: &str, is_moderation: bool) -> Option<Limit> {
        self.platforms.outbox(bot).check(bot, is_moderation)
    }

    fn can(&self, bot: &str, what: &str) -> bool {
        self.platforms.adapter(bot).is_some_and(|adapter| adapter.capabilities().can(what))
    }

    fn content_limits(&self, bot: &str) -> ContentLimits {
        self.platforms.adapter(bot).map_or(ContentLimits::NONE, |adapter| adapter.content_limits())
    }

    fn mentioned(&self, event: &Event, mention: &str) -> Option<String> {
        self.platforms.adapter(event.bot.name.as_str())?.mentioned(event, mention)
    }

    fn is_granted(&self, what: &str) -> bool {
        self.grants.iter().any(|grant| grant == what)
    }

    fn permission(&self, event: &Event) -> Permission {
        let settings = self.settings.get(&event.bot.name);
        settings.map_or_else(|| BotSettings::default().permission(event), |settings| settings.permission(event))
    }

    fn user_named(&self, bot: &str, event: &Event, name: &str) -> Option<(String, String)> {
        let user = self.platforms.adapter(bot)?.user_named(event, name)?;
        Some((user.id.to_string(), user.name))
    }

    fn member(&self, event: &Event, user: &UserId) -> Option<Member> {
        self.platforms.adapter(event.bot.name.as_str())?.member(event, user)
    }

    fn may_act(&self, event: &Event, actor: Option<&UserId>, target: &UserId, impact: Impact) -> Result<(), Denied> {
        let hierarchy = Hierarchy { settings: &self.settings, platforms: &self.platforms, event };
        hierarchy.may_act(actor, target, impact)
    }

    fn sent_as(&self, room: &RoomId, message: &MessageId) -> Option<ActionKey> {
        // On a platform where we assign the ids, the id is the key.
        let named = || message.as_str().parse().ok().filter(|key| self.message_id(room, key).as_ref() == Some(message));
        let recent = || self.platforms.recent_deliveries.key(room, message);
        let stored = || {
            let place = (room.to_string(), message.to_string());
            // If it cannot be looked up, the message counts as nobody's.
            SENDERS.get(&self.store.snapshot(0).ok()?, &place).ok()??.parse().ok()
        };
        named().or_else(recent).or_else(stored).filter(|key: &ActionKey| key.script == self.script)
    }

    fn is_sending(&self, room: &RoomId) -> bool {
        self.platforms.recent_deliveries.is_sending(&self.script, room)
    }

    fn language(&self, bot: &str) -> Option<String> {
        // A task belongs to no bot: it uses the language of the first bot that has one.
        let first =
            || self.settings.iter().filter(|(_, of)| of.language.is_some()).min_by_key(|(name, _)| name.as_str());
        let settings = self.settings.get(bot).or_else(|| first().map(|(_, settings)| settings));
        settings?.language.clone()
    }

    fn commands(&self) -> Arc<Vec<(ScriptName, CommandSpec)>> {
        Arc::clone(&self.declared.read().commands)
    }

    fn task_runs(&self, task: &str, limit: usize, now: Millis) -> Result<Vec<Value>, String> {
        // Not the snapshot of the script's own values: these rows are written by others.
        let snapshot = self.store.snapshot(now).map_err(|error| self.failed(&error))?;
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
        self.metrics.reserve(&self.script, change, series_max)
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
        // A separate number, since the called script may have a run of its own for the same event.
        let part = CALL_STEPS_FIRST + u32::try_from(fold(self.script.as_str())).unwrap_or(0) + input.part;
        let inner = Input { part, ..input.clone() };
        let name = ScriptName::from(script);
        let mut called = self.called.borrow_mut();
        if !called.iter().any(|(other, ..)| *other == name) {
            called.push((name, Rc::clone(&vm), part));
        }
        drop(called);
        callee.call(function, arguments, inner).map_err(|problem| format!("{script}.{function}: {problem}"))
    }

    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId> {
        self.platforms.adapter(room.bot())?.message_id(key)
    }
}
