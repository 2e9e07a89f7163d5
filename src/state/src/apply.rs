//! Turns an entry into the rows that it changes and the effects that follow inside the process.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::{Action, ActionKey, Batch, Change, EventKind, Millis, Op, RoomId, ScriptName, TableId, Write};

use crate::effect::Effect;
use crate::entry::{
    ActionRecord, ActionResult, DeferredChange, Entry, EventRecord, Notice, Progress, RunRecord, Spilled,
};
use crate::entry_batch::ScriptVersion;
use crate::placement::{Class, Position, Stored};
use crate::rows::OutboxRow;
use crate::tables::{
    BEGUN_ATTEMPTS, DEAD_LETTERS, DEFERRED_EVENTS, OUTBOX, QUEUE_CURSORS, SCRIPT_CURSORS, SCRIPT_HEADS, SENDERS,
    SENT_MESSAGES, WAITING_RUNS, value_key,
};
use crate::timers::Timers;

/// Retention of the platform's ids of sent messages, in milliseconds.
const SENT_RETENTION: Millis = 7 * 86_400_000;

/// A map over the keys of stored values.
pub type KeyMap<V> = HashMap<Bytes, V, foldhash::fast::RandomState>;

/// The batch that an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The number of the batch.
    pub number: u64,
    /// The time when the batch was opened.
    pub at: Millis,
}

/// The state that entries depend on and change. Every field can be rebuilt from rows.
#[derive(Debug, Default)]
pub struct State {
    /// The pending timers.
    pub timers: Timers,
    /// The cursor of each script: the last event that it has processed.
    cursors: HashMap<ScriptName, u64>,
    /// The head of each script: the number of its steps and edits so far.
    heads: HashMap<ScriptName, u64>,
    /// The batch of the last entry with actions, and the number of its actions so far.
    actions: (u64, u32),
}

impl State {
    /// Reads the state from the store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn load(snapshot: &Snapshot) -> Result<Self> {
        let mut state = Self { timers: Timers::load(snapshot)?, ..Self::default() };
        for row in SCRIPT_CURSORS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let (script, cursor) = row?;
            state.cursors.insert(script.into(), cursor);
        }
        for row in SCRIPT_HEADS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let (script, head) = row?;
            state.heads.insert(script.into(), head);
        }
        Ok(state)
    }

    /// Returns the head of a script: the number of its steps and edits so far.
    #[must_use]
    pub fn head(&self, script: &ScriptName) -> u64 {
        self.heads.get(script).copied().unwrap_or(0)
    }

    /// Returns the position of the next action of a batch.
    #[must_use]
    pub fn next_action(&self, number: u64) -> Position {
        let (of, count) = self.actions;
        Position { block: number, index: if of == number { count } else { 0 } }
    }

    fn count_actions(&mut self, number: u64, count: usize) {
        let next = self.next_action(number).index;
        self.actions = (number, next.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)));
    }
}

/// The rows and effects of the entries of a batch.
#[derive(Debug, Default)]
pub struct Applied {
    /// Rows in the order of the entries.
    pub rows: Batch,
    /// Effects in the order of the entries.
    pub effects: Vec<Effect>,
    /// The last change of each value of a script.
    values: BTreeMap<ScriptName, KeyMap<Change>>,
    script_cursors: BTreeMap<ScriptName, u64>,
    script_heads: BTreeMap<ScriptName, u64>,
    queue_cursors: HashMap<(RoomId, Class), Position>,
}

impl Applied {
    /// Whether no row changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.values.is_empty()
            && self.script_cursors.is_empty()
            && self.script_heads.is_empty()
            && self.queue_cursors.is_empty()
    }

    /// Returns all rows as one batch.
    #[must_use]
    pub fn into_rows(self) -> Batch {
        let mut rows = self.rows;
        for (script, changes) in self.values {
            rows.ops.extend(changes.into_iter().map(|(key, change)| {
                let (table, key) = (TableId::ScriptValues, value_key(&script, &key));
                match change {
                    Change::Set { value, expires } => Op::Put { table, key, value, expires },
                    Change::Delete => Op::Delete { table, key },
                }
            }));
        }
        for (script, cursor) in self.script_cursors {
            SCRIPT_CURSORS.put(&mut rows, &script.to_string(), &cursor);
        }
        for (script, head) in self.script_heads {
            SCRIPT_HEADS.put(&mut rows, &script.to_string(), &head);
        }
        for ((room, class), position) in self.queue_cursors {
            QUEUE_CURSORS.put(&mut rows, &class.cursor_key(&room), &position);
        }
        rows
    }
}

/// Applies an entry of a batch with these scripts: adds its rows and effects to `out`.
pub fn apply(state: &mut State, header: Header, scripts: &[ScriptVersion], entry: &Entry, out: &mut Applied) {
    match entry {
        Entry::Ingress(record) => ingress(state, record, out),
        Entry::Rows(record) if record.rows.requires.is_empty() => out.rows.append(record.rows.clone()),
        // Refused alone: the other entries of the batch are applied in any case.
        Entry::Rows(record) => out.rows.ops.push(Op::Conditional(record.rows.clone())),
        Entry::Step(record) => step(state, header, scripts, record, out),
        Entry::Edit(record) => {
            move_head(state, &record.script, out);
            write_values(&record.script, &record.writes, out);
        }
        Entry::Progress(progress) => advance(state, scripts, progress, out),
        Entry::Notice(notice) => request_notice(state, header, notice, out),
        Entry::Action(record) => complete(header, record, out),
        Entry::WentBack(back) => {
            let moved = state.timers.went_back(back, &mut out.rows);
            out.effects.extend(moved);
        }
        Entry::GivenUp(given_up) => {
            move_cursor(state, &given_up.script, given_up.seq, out);
            if let Some((number, letter)) = &given_up.letter {
                DEAD_LETTERS.put(&mut out.rows, number, letter);
            }
        }
    }
}

fn ingress(state: &mut State, record: &EventRecord, out: &mut Applied) {
    out.rows.append(record.rows.clone());
    if let EventKind::Timer { key: Some(key), .. } = &record.event.kind
        && let Some(script) = &record.timer
    {
        state.timers.remove(script, key, &mut out.rows);
    }
}

fn step(state: &mut State, header: Header, scripts: &[ScriptVersion], record: &RunRecord, out: &mut Applied) {
    let Some(script) = scripts.get(usize::from(record.script)).map(|script| &script.name) else { return };
    let effects = &record.effects;
    move_head(state, script, out);
    write_values(script, &effects.writes, out);
    for change in &effects.timers {
        out.effects.push(state.timers.change(script, change, record.now, &mut out.rows));
    }
    let first = state.next_action(header.number);
    for spilled in &record.spilled {
        let Some(action) = usize::try_from(spilled.index).ok().and_then(|index| effects.actions.get(index)) else {
            continue;
        };
        let position = Position { index: first.index + spilled.index, ..first };
        spill(position, action, record.now, *spilled, out);
    }
    state.count_actions(header.number, effects.actions.len());
}

fn write_values(script: &ScriptName, writes: &[Write], out: &mut Applied) {
    if writes.is_empty() {
        return;
    }
    if !out.values.contains_key(script) {
        out.values.insert(script.clone(), KeyMap::default());
    }
    if let Some(values) = out.values.get_mut(script) {
        values.extend(writes.iter().map(|write| (write.key.clone(), write.change.clone())));
    }
}

fn advance(state: &mut State, scripts: &[ScriptVersion], progress: &Progress, out: &mut Applied) {
    let Some(script) = scripts.get(usize::from(progress.script)).map(|script| &script.name) else { return };
    for change in &progress.deferred {
        let key = |place: &String, seq| (script.to_string(), place.clone(), seq);
        match change {
            DeferredChange::Put { place, seq, event } => {
                DEFERRED_EVENTS.put(&mut out.rows, &key(place, *seq), event);
            }
            DeferredChange::Done { place, seq } => DEFERRED_EVENTS.delete(&mut out.rows, &key(place, *seq)),
        }
    }
    for (seq, waiting) in &progress.waits {
        let key = (script.to_string(), *seq);
        match waiting {
            Some(run) => WAITING_RUNS.put(&mut out.rows, &key, run),
            None => WAITING_RUNS.delete(&mut out.rows, &key),
        }
    }
    if let Some(cursor) = progress.cursor {
        move_cursor(state, script, cursor, out);
    }
}

/// Moves the cursor of a script, which never goes back.
///
/// An event that is not journalled has a sequence number too, and may be handled out of order.
fn move_cursor(state: &mut State, script: &ScriptName, seq: u64, out: &mut Applied) {
    let cursor = update(&mut state.cursors, script, |cursor| cursor.max(seq));
    record(&mut out.script_cursors, script, cursor);
}

/// Moves the head of a script by one step or edit.
fn move_head(state: &mut State, script: &ScriptName, out: &mut Applied) {
    let head = update(&mut state.heads, script, |head| head + 1);
    record(&mut out.script_heads, script, head);
}

/// Changes the number of a script, which is 0 at first. Returns the new one.
fn update(numbers: &mut HashMap<ScriptName, u64>, script: &ScriptName, change: impl FnOnce(u64) -> u64) -> u64 {
    // Only the first time is the name cloned.
    if let Some(number) = numbers.get_mut(script) {
        *number = change(*number);
        return *number;
    }
    *numbers.entry(script.clone()).or_insert(change(0))
}

fn record(rows: &mut BTreeMap<ScriptName, u64>, script: &ScriptName, number: u64) {
    match rows.get_mut(script) {
        Some(known) => *known = number,
        None => drop(rows.insert(script.clone(), number)),
    }
}

fn request_notice(state: &mut State, header: Header, notice: &Notice, out: &mut Applied) {
    let position = state.next_action(header.number);
    if let Some(spilled) = notice.spilled {
        spill(position, &(notice.key.clone(), notice.action.clone()), notice.now, spilled, out);
    }
    state.count_actions(header.number, 1);
}

/// Adds the row of an action for which the outbox had no room in memory.
fn spill(
    position: Position,
    (key, action): &(ActionKey, Action),
    requested: Millis,
    spilled: Spilled,
    out: &mut Applied,
) {
    let (action, class) = (action.clone(), Class::of(action));
    let row_key = position.outbox_key(action.room().bot(), class, Stored::Spilled);
    let (key, expires) = (key.clone(), spilled.expires);
    OUTBOX.put(&mut out.rows, &row_key, &OutboxRow { expires, ..OutboxRow::new(key, action, requested) });
}

fn complete(header: Header, record: &ActionRecord, out: &mut Applied) {
    let ActionRecord { position, key, room, class, stored, had_begun, result } = record;
    if *stored != Stored::Journal {
        OUTBOX.delete(&mut out.rows, &position.outbox_key(room.bot(), *class, *stored));
    }
    if *stored != Stored::Chain {
        out.queue_cursors.insert((room.clone(), *class), *position);
    }
    if *had_begun {
        BEGUN_ATTEMPTS.delete(&mut out.rows, &position.key());
    }
    match result {
        ActionResult::Done(Some(id)) => {
            let until = Some(header.at.saturating_add(SENT_RETENTION));
            SENT_MESSAGES.put_until(&mut out.rows, &key.to_string(), &id.to_string(), until);
            SENDERS.put_until(&mut out.rows, &(room.to_string(), id.to_string()), &key.to_string(), until);
        }
        ActionResult::Failed { letter: Some((number, letter)), .. } => DEAD_LETTERS.put(&mut out.rows, number, letter),
        ActionResult::Chained(row) => {
            OUTBOX.put(&mut out.rows, &position.outbox_key(room.bot(), *class, Stored::Chain), row);
        }
        ActionResult::Done(None) | ActionResult::Replaced { .. } | ActionResult::Failed { letter: None, .. } => {}
    }
}
