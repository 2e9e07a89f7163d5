//! Incoming events: of platforms, routes, timers, tasks and the runtime itself.

use std::collections::HashSet;
use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_runner::Task;
use palabre_state::{Entry, EventRecord, RowsRecord};
use palabre_types::{
    Action, ActionKey, Batch, Bot, Content, Event, EventKind, Millis, Room, RoomId, RoomKind, RunId, ScriptName,
};

use super::Sequencer;
use super::state::State;
use crate::backlog::{Queued, weight};
use crate::message::{ReceiptSender, ReplySender, RowsWrite};
use crate::route::Route;
use crate::scheduler::Due;

impl Sequencer {
    /// Ingests an event of a platform, with the commands and matches that are derived from it.
    pub(super) fn ingest(
        &mut self,
        state: &mut State,
        event: Event,
        rows: Batch,
        (receipt, is_urgent): (ReceiptSender, bool),
    ) {
        if state.is_stalled {
            let reason = self.progress.stalled.read().unwrap_or_default();
            drop(receipt.send(Err(EmitError::Stalled(reason))));
            return;
        }
        // A native slash command goes only to the script that owns it.
        let owner = self.router.owner(&event);
        let derived = self.router.derive(&event);
        let is_awaited = self.is_awaited(&event);
        let original = (is_awaited || !derived.is_empty()).then(|| Arc::new(event.clone()));
        let seq = self.emit(state, event, Origin::Platform(rows), Some((receipt, is_urgent)), owner.as_ref());
        let Some(event) = original else { return };
        let mut parts = Vec::new();
        parts.extend(seq.filter(|_| is_awaited).map(|seq| (seq, self.receivers(&event, owner.as_ref()))));
        for (script, kind) in derived {
            if !self.routes.iter().any(|route| route.name == script && route.is_attached(&event)) {
                continue;
            }
            let derived = Event { kind, ..Event::clone(&event) };
            let seq = self.emit(state, derived, Origin::Runtime, None, Some(&script));
            parts.extend(seq.filter(|_| is_awaited).map(|seq| (seq, self.receivers(&event, Some(&script)))));
        }
        if is_awaited {
            let unheard = state.interactions.begin_parts(&event, parts);
            self.notify_finished(unheard);
        }
    }

    /// Whether somebody waits for the answers to a message.
    fn is_awaited(&self, event: &Event) -> bool {
        matches!(event.kind, EventKind::Message { .. })
            && event.room.as_ref().is_some_and(|room| room.kind == RoomKind::Direct)
            && self.cx.platforms.adapter(event.bot.name.as_str()).is_some_and(|adapter| adapter.awaits_answers(event))
    }

    /// Returns the scripts that receive an event: its subscribers, or `only`.
    fn receivers(&self, event: &Event, only: Option<&ScriptName>) -> HashSet<usize> {
        let wanted = |route: &Route| match only {
            Some(script) => route.name == *script && route.is_attached(event),
            None => route.wants(event),
        };
        self.routes.iter().enumerate().filter(|(_, route)| wanted(route)).map(|(script_id, _)| script_id).collect()
    }

    /// Assigns a sequence number to an event and queues it for its subscribers, or for `only`.
    ///
    /// `receipt.1`: the sender is waiting for the receipt.
    pub(super) fn emit(
        &mut self,
        state: &mut State,
        event: Event,
        origin: Origin,
        receipt: Option<(ReceiptSender, bool)>,
        only: Option<&ScriptName>,
    ) -> Option<u64> {
        if state.is_stalled && only.is_none() {
            return None;
        }
        let seq = self.cx.assign_seq();
        let name = event.kind.name();
        let _span = tracing::debug_span!("event", seq, name = name.as_str(), bot = %event.bot.name).entered();
        let event = Arc::new(event);
        let mut targets = Vec::new();
        let number = self.number;
        let mut bytes = None;
        for route in &mut self.routes {
            let wanted = match only {
                Some(script) => route.name == *script && route.is_attached(&event),
                None => route.wants(&event),
            };
            if !wanted {
                continue;
            }
            if name.is_journalled() {
                targets.push(state.open.script(&route.name, &route.version));
                let bytes = *bytes.get_or_insert_with(|| weight(&event));
                let handed = route.window.len();
                route.offer(&Queued { seq, block: number, bytes, event: Arc::clone(&event) });
                *state.outstanding.entry(number).or_default() += route.window.len() - handed;
            } else if route.lag.is_none() && route.has_room() {
                // An event that is not journalled would be outdated when a lagging script gets to
                // it.
                route.pass_on(seq, &event);
            }
        }
        let unheard = state.interactions.begin(seq, &event, || self.receivers(&event, only));
        self.notify_finished(unheard);
        let timer = only.filter(|_| matches!(origin, Origin::Timer)).cloned();
        let rows = if let Origin::Platform(rows) = origin { rows } else { Batch::default() };
        if name.is_journalled() {
            state.open.touch(receipt.as_ref().is_none_or(|(_, is_urgent)| *is_urgent));
            self.append(state, Entry::Ingress(EventRecord { seq, targets, event, rows, timer }));
        } else if !rows.is_empty() {
            let source = event.bot.name.to_string();
            self.append_rows(state, source, "with an event that is not journalled", rows);
        }
        if let Some((receipt, is_urgent)) = receipt {
            if name.is_journalled() || !state.open.applied.is_empty() {
                state.open.touch(is_urgent);
                state.open.receipts.push((seq, receipt));
            } else {
                drop(receipt.send(Ok(seq)));
            }
        }
        Some(seq)
    }

    /// Adds rows that belong to no event to the open batch.
    pub(super) fn write(&mut self, state: &mut State, write: RowsWrite, receipt: ReceiptSender, is_urgent: bool) {
        if state.is_stalled {
            let reason = self.progress.stalled.read().unwrap_or_default();
            drop(receipt.send(Err(EmitError::Stalled(reason))));
            return;
        }
        let RowsWrite { source, reason, rows } = write;
        // Rows of other adapters belong to actions of earlier batches, or to none.
        if self.cx.platforms.adapter(&source).is_some_and(|adapter| adapter.is_local()) {
            state.open.rows_to_come = state.open.rows_to_come.saturating_sub(1);
        }
        state.open.touch(is_urgent);
        let receipts =
            if rows.requires.is_empty() { &mut state.open.receipts } else { &mut state.open.conditional_receipts };
        receipts.push((self.number, receipt));
        if !rows.is_empty() {
            self.append_rows(state, source, reason, rows);
        }
    }

    /// Adds rows of a component to the open batch.
    pub(super) fn append_rows(
        &mut self,
        state: &mut State,
        source: impl Into<String>,
        reason: &'static str,
        rows: Batch,
    ) {
        self.append(state, Entry::Rows(RowsRecord { source: source.into(), reason: reason.into(), rows }));
    }

    /// Calls a route of a script. The caller gets the result, or the reason why it cannot be called.
    pub(super) fn request(&mut self, state: &mut State, script: &ScriptName, event: Event, reply: ReplySender) {
        let is_there = self.routes.iter().any(|route| route.name == *script && route.is_ready);
        if state.is_stalled || !is_there {
            let why = if is_there { "the store cannot be written at present" } else { "the script is not running" };
            drop(reply.send(Err(why.to_owned())));
        } else if let Some(seq) = self.emit(state, event, Origin::Runtime, None, Some(script)) {
            state.asked.insert(seq, reply);
        }
    }

    /// Handles what is due.
    pub(super) fn due(&mut self, state: &mut State, due: Due, time: Millis) {
        match due {
            Due::Wake { script_id, run } => self.send_to_worker(script_id, Task::Wake { script_id, run }),
            Due::Resume { script_id } => self.send_to_worker(script_id, Task::Resume { script_id }),
            // Not before the script is ready: it then asks for the timers that it missed.
            Due::Timer { script, .. } if !self.routes.iter().any(|route| route.name == script && route.is_ready) => {}
            Due::Timer { script, key } => {
                let Some((due, row)) = self.machine.timers.get(&script, &key) else { return };
                if due > time {
                    // Postponed: the scheduler has just forgotten it.
                    return self.cx.scheduler.at(due, Due::Timer { script, key });
                }
                let (row, room) = (row.clone(), row.room.as_ref().map(named_by_id));
                let kind = EventKind::Timer { timer: row.name, key: Some(key), payload: row.payload };
                let event = self.own_event(room, kind);
                self.emit(state, event, Origin::Timer, None, Some(&script));
            }
            Due::Task { script, task, due, attempt, is_new, .. } => {
                // A task that is due before the script is ready is due again when it is.
                if !self.routes.iter().any(|route| route.name == script && route.is_ready) {
                    return;
                }
                let now = self.cx.clock.now();
                let Some(kind) = self.tasks.due(&script, &task, due, attempt, is_new, now) else { return };
                let event = self.own_event(None, kind.clone());
                if let Some(seq) = self.emit(state, event, Origin::Runtime, None, Some(&script)) {
                    let (now, mut rows) = (self.cx.clock.now(), Batch::default());
                    self.tasks.started(&script, &kind, seq, now, &mut rows);
                    self.append_rows(state, "tasks", "a task began", rows);
                }
            }
            Due::Edit(id) => self.edit_is_overdue(state, id),
            Due::Barrier(number) => self.pass_barrier(number),
            // The cleaner does the rest.
            Due::Housekeeping => self.record_clock(state, time),
        }
    }

    /// Creates an event that no platform sent, for the bot of the room that it is about.
    pub(super) fn own_event(&self, room: Option<Arc<Room>>, kind: EventKind) -> Event {
        let name = room.as_ref().map_or("palabre", |room| room.id.bot());
        let bots = self.cx.platforms.status();
        let platform = bots.iter().find(|bot| bot.name.as_str() == name).map_or("palabre", |bot| bot.platform.as_str());
        let bot = Bot { name: name.into(), platform: platform.into() };
        Event { time: self.cx.clock.now(), bot, space: None, room, user: None, member: None, kind }
    }

    /// Notifies the operator, in the room and by the webhook that bots.yaml names.
    pub(super) fn notify(&mut self, state: &mut State, text: &str) {
        self.operators.post(text, &self.http, &self.background);
        let Some(room) = self.operators.room.clone() else { return };
        let run = RunId::hook(self.cx.assign_seq(), 0);
        let action = Action::Send { room, content: Content::text(text), reply_to: None };
        let key = ActionKey { script: ScriptName::from("palabre"), run, index: 0 };
        self.add_notice(state, key, action);
        state.open.touch(true);
    }
}

/// The origin of an event.
pub(super) enum Origin {
    /// A platform, whose adapter writes these rows together with it.
    Platform(Batch),
    /// A pending timer that is due.
    Timer,
    /// The runtime itself.
    Runtime,
}

/// Returns a room of which only the id is known.
pub(super) fn named_by_id(id: &RoomId) -> Arc<Room> {
    Arc::new(Room::channel(id.clone(), id.native()))
}
