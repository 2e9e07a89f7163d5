//! Tracks events whose users wait for an answer: commands and components, and messages in some
//! direct rooms.
//!
//! Once every run and action of such an event is over, its platform is notified: nobody then waits
//! for a script that says nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use palabre_types::{Event, EventKind, RoomId, Wait};

/// Maximum number of tracked events; the platforms themselves forget them after a while.
const INTERACTIONS_MAX: usize = 10_000;

/// Events with unfinished runs or actions.
#[derive(Default)]
pub(crate) struct Interactions {
    /// The unfinished parts, by the sequence number of their own event.
    open: BTreeMap<u64, Part>,
    /// The parts that each script has not processed yet.
    unprocessed: HashMap<usize, BTreeSet<u64>>,
    /// The awaited events, by the sequence number of their first part.
    awaited: HashMap<u64, Awaited>,
    /// Runs of messages that wait for the next message of their user, by run and script.
    asking: BTreeMap<(u64, usize), RoomId>,
}

/// An event with the number of its unfinished parts: itself, and the events derived from it.
struct Awaited {
    event: Arc<Event>,
    parts: usize,
}

/// One event, as far as it is unfinished.
struct Part {
    /// The awaited event that it belongs to.
    of: u64,
    /// The scripts that have not processed the event yet.
    runs: HashSet<usize>,
    /// The scripts with a run that waits.
    waiting: HashSet<usize>,
    /// Number of actions that are not completed.
    actions: usize,
}

impl Interactions {
    /// Tracks an event if somebody waits for an answer to it. Returns it if no script receives it.
    pub(crate) fn begin(
        &mut self,
        seq: u64,
        event: &Arc<Event>,
        script_ids: impl FnOnce() -> HashSet<usize>,
    ) -> Option<Arc<Event>> {
        let (EventKind::Command { interaction: Some(_), .. }
        | EventKind::Button { interaction: Some(_), .. }
        | EventKind::Select { interaction: Some(_), .. }
        | EventKind::Form { interaction: Some(_), .. }) = &event.kind
        else {
            return None;
        };
        self.begin_parts(event, vec![(seq, script_ids())])
    }

    /// Tracks an event with the events derived from it, each with the scripts that receive it.
    ///
    /// Returns the event if no script receives any of them.
    pub(crate) fn begin_parts(
        &mut self,
        event: &Arc<Event>,
        mut parts: Vec<(u64, HashSet<usize>)>,
    ) -> Option<Arc<Event>> {
        parts.retain(|(_, script_ids)| !script_ids.is_empty());
        let Some(of) = parts.first().map(|(seq, _)| *seq) else { return Some(Arc::clone(event)) };
        self.awaited.insert(of, Awaited { event: Arc::clone(event), parts: parts.len() });
        for (seq, runs) in parts {
            for script_id in &runs {
                self.unprocessed.entry(*script_id).or_default().insert(seq);
            }
            self.open.insert(seq, Part { of, runs, waiting: HashSet::new(), actions: 0 });
        }
        while self.open.len() > INTERACTIONS_MAX
            && let Some((seq, part)) = self.open.pop_first()
        {
            self.awaited.remove(&part.of);
            for script_id in part.runs {
                if let Some(parts) = self.unprocessed.get_mut(&script_id) {
                    parts.remove(&seq);
                }
            }
        }
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Records that a run of the event requested an action.
    pub(crate) fn acts(&mut self, seq: u64) {
        if let Some(open) = self.open.get_mut(&seq) {
            open.actions += 1;
        }
    }

    /// Records that an action is completed. Returns the event if it is over.
    pub(crate) fn acted(&mut self, seq: u64) -> Option<Arc<Event>> {
        let open = self.open.get_mut(&seq)?;
        open.actions = open.actions.saturating_sub(1);
        self.finished(seq)
    }

    /// Records that a run goes on that has waited.
    ///
    /// If it asked a user, it belongs from now on to the message that answers it.
    pub(crate) fn resumes(&mut self, seq: u64, script_id: usize) {
        let Some(room) = self.asking.remove(&(seq, script_id)) else { return };
        let answers = |part: &Part| {
            let event = self.awaited.get(&part.of).map(|awaited| &awaited.event);
            let is_there = event.and_then(|event| event.room.as_ref()).is_some_and(|place| place.id == room);
            is_there && part.runs.contains(&script_id)
        };
        let Some(of) = self.open.range(seq + 1..).find(|(_, part)| answers(part)).map(|(_, part)| part.of) else {
            return;
        };
        if self.open.contains_key(&seq) {
            return;
        }
        if let Some(awaited) = self.awaited.get_mut(&of) {
            awaited.parts += 1;
            self.open.insert(seq, Part { of, runs: HashSet::new(), waiting: HashSet::new(), actions: 0 });
        }
    }

    /// Records whether a run of a script waits.
    ///
    /// A run that waits for the user to say something answers no more before that.
    pub(crate) fn waits(&mut self, seq: u64, script_id: usize, wait: Option<&Wait>) {
        let Some(open) = self.open.get_mut(&seq) else { return };
        let of_message = |awaited: &Awaited| matches!(awaited.event.kind, EventKind::Message { .. });
        let is_message = self.awaited.get(&open.of).is_some_and(of_message);
        match wait {
            Some(Wait::Ask { room, .. } | Wait::Choose { room, .. }) if is_message => {
                open.waiting.remove(&script_id);
                self.asking.insert((seq, script_id), room.clone());
                if self.asking.len() > INTERACTIONS_MAX {
                    self.asking.pop_first();
                }
            }
            Some(_) => {
                open.waiting.insert(script_id);
            }
            None => {
                open.waiting.remove(&script_id);
            }
        }
    }

    /// Records that a script has processed all events up to its cursor.
    ///
    /// Returns the events that are over.
    pub(crate) fn passed(&mut self, script_id: usize, cursor: u64) -> Vec<Arc<Event>> {
        let Some(parts) = self.unprocessed.get_mut(&script_id) else { return Vec::new() };
        let later = parts.split_off(&cursor.saturating_add(1));
        let passed = std::mem::replace(parts, later);
        let mut over = Vec::new();
        for seq in passed {
            if let Some(open) = self.open.get_mut(&seq) {
                open.runs.remove(&script_id);
            }
            over.extend(self.finished(seq));
        }
        over
    }

    /// Returns the event that a part belongs to, if the part was its last one and is over.
    pub(crate) fn finished(&mut self, seq: u64) -> Option<Arc<Event>> {
        let open = self.open.get(&seq)?;
        if !open.runs.is_empty() || !open.waiting.is_empty() || open.actions > 0 {
            return None;
        }
        let of = self.open.remove(&seq)?.of;
        let awaited = self.awaited.get_mut(&of)?;
        awaited.parts = awaited.parts.saturating_sub(1);
        if awaited.parts > 0 {
            return None;
        }
        self.awaited.remove(&of).map(|awaited| awaited.event)
    }
}

#[cfg(test)]
mod tests {
    use palabre_types::{Bot, Content, Message, Room, RoomKind, UserId};

    use super::*;

    fn message() -> Arc<Event> {
        let bot = Bot { name: "lobby".into(), platform: "rooms".into() };
        let id = RoomId::new(&bot.name, "session");
        let message =
            Message { id: "1".into(), author: None, time: 0, content: Content::text("hello"), reply_to: None };
        let room = Room { kind: RoomKind::Direct, ..Room::channel(id, "session") };
        let kind = EventKind::Message { message };
        Arc::new(Event { room: Some(Arc::new(room)), ..Event::without_place(bot, 0, kind) })
    }

    fn ask(event: &Event) -> Wait {
        let room = event.room.as_ref().map(|room| room.id.clone()).unwrap();
        Wait::Ask { room, user: UserId::new(&event.bot.name, "alice"), until: 1_000 }
    }

    #[test]
    fn a_message_is_over_when_all_that_was_derived_from_it_is() {
        let (mut interactions, event) = (Interactions::default(), message());
        assert!(interactions.begin_parts(&event, vec![(1, HashSet::new())]).is_some(), "nobody receives it");
        assert!(interactions.begin_parts(&event, vec![(2, [0].into()), (3, [0, 1].into())]).is_none());
        interactions.acts(2);
        assert!(interactions.passed(0, 3).is_empty() && interactions.acted(2).is_none());
        assert_eq!(interactions.passed(1, 3).len(), 1);
        assert!(interactions.is_empty() && interactions.awaited.is_empty());
    }

    #[test]
    fn a_question_ends_a_message_and_what_follows_belongs_to_the_next_one() {
        let (mut interactions, event) = (Interactions::default(), message());
        interactions.begin_parts(&event, vec![(1, [0].into())]);
        interactions.waits(1, 0, Some(&ask(&event)));
        assert_eq!(interactions.passed(0, 1).len(), 1);
        interactions.begin_parts(&event, vec![(2, [0].into())]);
        interactions.resumes(1, 0);
        interactions.waits(1, 0, None);
        interactions.acts(1);
        assert!(interactions.passed(0, 2).is_empty(), "the answer is not sent yet");
        assert_eq!(interactions.acted(1).map(|event| event.bot.name.to_string()).as_deref(), Some("lobby"));
        assert!(interactions.asking.is_empty() && interactions.awaited.is_empty());
    }
}
