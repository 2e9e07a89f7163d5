//! The sequencer's view of a script: its subscriptions and its progress.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Acquire};

use palabre_runner::WINDOW_EVENTS;
use palabre_script::Declarations;
use palabre_types::{BotName, Event, EventName, ScriptName};

use crate::backlog::{Cursor, Queued, WINDOW_BYTES};
use crate::message::Registration;
use crate::pending_waits::Outgoing;

/// The subscriptions and the progress of a script.
pub(crate) struct Route {
    pub(crate) name: ScriptName,
    pub(crate) worker: usize,
    /// The bots that it is attached to; `None` means all.
    pub(crate) bots: Option<Vec<BotName>>,
    pub(crate) asking: Arc<AtomicUsize>,
    pub(crate) cursor: Option<u64>,
    pub(crate) hooks: Vec<EventName>,
    pub(crate) declared: Arc<Declarations>,
    /// Its HTTP grants, and its limit of requests in flight.
    pub(crate) hosts: Arc<Outgoing>,
    /// Events that its worker has and has not finished: sequence number, batch and bytes.
    pub(crate) window: VecDeque<(u64, u64, usize)>,
    pub(crate) window_bytes: usize,
    /// Events after those, which are read back from the journal as room becomes free.
    pub(crate) lag: Option<Lag>,
    /// Number of events that wait for it, published for others.
    pub(crate) waiting: Arc<AtomicU64>,
    /// The replay of events one at a time, if one is in progress.
    pub(crate) replay: Option<Replay>,
    pub(crate) outgoing: Vec<(u64, Arc<Event>)>,
    pub(crate) version: Arc<str>,
    /// Whether it has received its recovered work, so that new events may follow.
    pub(crate) is_ready: bool,
    /// The number of its latest instance, whose proposals alone are accepted.
    pub(crate) incarnation: u32,
    /// Rebuilds that are not completed; its worker may fail again meanwhile.
    pub(crate) rebuilds: u32,
}

/// The position of a script that lags.
#[derive(Debug)]
pub(crate) struct Lag {
    /// The first event that its worker does not have.
    pub(crate) cursor: Cursor,
    pub(crate) count: u64,
    pub(crate) is_reading: bool,
}

/// A replay of events one at a time, since one of them may have brought the daemon down.
#[derive(Default)]
pub(crate) struct Replay {
    pub(crate) queue: VecDeque<(u64, Arc<Event>)>,
    /// The next event, with the batch that records the attempt at it.
    ///
    /// The event is handed out only once that batch is durable, so that a crash counts against it.
    pub(crate) next: Option<(u64, (u64, Arc<Event>))>,
    /// Whether none is being handled.
    pub(crate) is_free: bool,
    /// Whether the attempt at the first event is durable already.
    pub(crate) is_recorded: bool,
}

impl Route {
    /// Returns the route of a new script, without subscriptions.
    pub(crate) fn new(registration: Registration) -> Self {
        let Registration { name, worker, bots, asking, cursor, hosts, limits, waiting_events } = registration;
        Self {
            name,
            worker,
            bots,
            asking,
            cursor,
            hooks: Vec::new(),
            declared: Arc::default(),
            hosts: Arc::new(Outgoing::new(hosts, &limits)),
            window: VecDeque::new(),
            window_bytes: 0,
            lag: None,
            waiting: waiting_events,
            replay: None,
            outgoing: Vec::new(),
            version: "".into(),
            is_ready: false,
            incarnation: 0,
            rebuilds: 0,
        }
    }

    /// Hands an event to the worker, in order; what does not fit is left to the cursor.
    pub(crate) fn offer(&mut self, queued: &Queued) {
        if let Some(lag) = &mut self.lag {
            lag.count += 1;
        } else if self.has_room() && self.rebuilds == 0 {
            self.hand_over(queued);
        } else {
            let cursor = Cursor { block: queued.block, seq: queued.seq };
            self.lag = Some(Lag { cursor, count: 1, is_reading: false });
        }
    }

    /// Whether the worker may have more events.
    pub(crate) fn has_room(&self) -> bool {
        self.window.len() < WINDOW_EVENTS && self.window_bytes < WINDOW_BYTES
    }

    /// Whether to read more events back: half of the window is free.
    pub(crate) fn wants_more(&self) -> bool {
        self.rebuilds == 0
            && self.lag.as_ref().is_some_and(|lag| !lag.is_reading)
            && self.window.len() <= WINDOW_EVENTS / 2
            && self.window_bytes <= WINDOW_BYTES / 2
    }

    pub(crate) fn hand_over(&mut self, queued: &Queued) {
        self.window.push_back((queued.seq, queued.block, queued.bytes));
        self.window_bytes += queued.bytes;
        self.pass_on(queued.seq, &queued.event);
    }

    /// Passes an event on, or keeps it until its turn while events are replayed one at a time.
    pub(crate) fn pass_on(&mut self, seq: u64, event: &Arc<Event>) {
        match &mut self.replay {
            Some(replay) => replay.queue.push_back((seq, Arc::clone(event))),
            None => self.outgoing.push((seq, Arc::clone(event))),
        }
    }

    /// Returns the number of events that wait for it.
    pub(crate) fn unfinished(&self) -> u64 {
        self.window.len() as u64 + self.lag.as_ref().map_or(0, |lag| lag.count)
    }

    /// Whether the event is for this script.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let name = event.kind.name();
        let hooked = self.hooks.contains(&name);
        let asked =
            matches!(name, EventName::Message | EventName::Button | EventName::Select) && self.asking.load(Acquire) > 0;
        (hooked || asked) && self.is_attached(event)
    }

    /// Whether the script is attached to the bot of the event. Events of the runtime are for all.
    pub(crate) fn is_attached(&self, event: &Event) -> bool {
        let is_own = &*event.bot.platform == "palabre";
        is_own || self.bots.as_ref().is_none_or(|bots| bots.contains(&event.bot.name))
    }
}
