//! A host interface that answers from the record of a step.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use palabre_types::{
    ActionKey, CommandSpec, Content, Denied, Event, Impact, Member, MessageId, MetricChange, Millis, Observation,
    Permission, RoomId, ScriptName, UserId,
};
use serde_json::Value;

use crate::host_api::{HostApi, Input, Stored};

/// A difference between a step that is executed again and its record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the step asks for {found}, but the record continues with {expected}")]
pub struct Divergence {
    /// The next observation of the record.
    pub expected: String,
    /// The call in its place.
    pub found: String,
}

/// The script's own values, as they were before a step.
pub trait HostRows {
    /// Returns the value of `key`, if there is one at `now`.
    fn get(&self, key: &[u8], now: Millis) -> Option<Stored>;

    /// Returns at most `limit` rows whose key starts with `prefix`, after the key `after`.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Vec<(Vec<u8>, Stored)>;
}

/// Answers the calls of a step that is executed again, one step after the other.
///
/// The first call that differs from the record is kept as the divergence; the step then goes on with results
/// that mean nothing.
pub struct Replaying {
    grants: Vec<String>,
    rows: RefCell<Option<Rc<dyn HostRows>>>,
    left: RefCell<VecDeque<Observation>>,
    /// The number of reads and checks of the step so far, whose success is not recorded.
    unrecorded: Cell<u32>,
    divergence: RefCell<Option<Divergence>>,
}

impl Replaying {
    /// Creates the host of a version with these grants.
    ///
    /// While it loads, it has no values, and observes what it observed then.
    #[must_use]
    pub fn new(grants: Vec<String>, observations: Vec<Observation>) -> Self {
        let (rows, unrecorded, divergence) = Default::default();
        Self { grants, rows, left: RefCell::new(observations.into()), unrecorded, divergence }
    }

    /// Begins a step, with the script's values and what it observed.
    pub fn begin(&self, rows: Rc<dyn HostRows>, observations: Vec<Observation>) {
        *self.rows.borrow_mut() = Some(rows);
        *self.left.borrow_mut() = observations.into();
        self.unrecorded.set(0);
        *self.divergence.borrow_mut() = None;
    }

    /// Ends a step, or the load.
    ///
    /// # Errors
    /// Returns the first difference from the record.
    pub fn end(&self) -> Result<(), Divergence> {
        if let Some(rest) = self.left.borrow().front() {
            self.diverge(Some(rest), "nothing more".to_owned());
        }
        self.divergence.borrow_mut().take().map_or(Ok(()), Err)
    }

    fn diverge(&self, expected: Option<&Observation>, found: String) {
        let expected = expected.map_or_else(|| "nothing more".to_owned(), |expected| format!("{expected:?}"));
        self.divergence.borrow_mut().get_or_insert(Divergence { expected, found });
    }

    /// Returns the result of the next observation, if `result` finds that it is of this call.
    fn result<T>(&self, call: impl FnOnce() -> String, result: impl FnOnce(&Observation) -> Option<T>) -> Option<T> {
        let mut left = self.left.borrow_mut();
        let found = left.front().and_then(result);
        if found.is_some() {
            left.pop_front();
        } else {
            self.diverge(left.front(), call());
        }
        found
    }

    /// Returns the problem of a read or check, if the record has one for it.
    fn problem(&self) -> Result<(), String> {
        let number = self.unrecorded.get();
        self.unrecorded.set(number.saturating_add(1));
        let mut left = self.left.borrow_mut();
        match left.front() {
            Some(Observation::Failed(failed, problem)) if *failed == number => {
                let problem = problem.clone();
                left.pop_front();
                Err(problem)
            }
            _ => Ok(()),
        }
    }
}

impl HostApi for Replaying {
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
        self.problem()?;
        Ok(self.rows.borrow().as_ref().and_then(|rows| rows.get(key, now)))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        self.problem()?;
        let rows = self.rows.borrow();
        Ok(rows.as_ref().map(|rows| rows.scan(prefix, after, backward, limit, now)).unwrap_or_default())
    }

    /// A step that ended with a limit is not executed again, so no size or count reaches one.
    fn stored_bytes(&self) -> u64 {
        0
    }

    fn waiting_timers(&self) -> usize {
        0
    }

    fn can(&self, bot: &str, what: &str) -> bool {
        let result = |next: &Observation| match next {
            Observation::Can(on, asked, can) if on == bot && asked == what => Some(*can),
            _ => None,
        };
        self.result(|| format!("what {bot} can: {what}"), result).unwrap_or_default()
    }

    fn check_content(&self, _bot: &str, _content: &Content) -> Result<(), String> {
        self.problem()
    }

    fn mentioned(&self, _context: &Event, mention: &str) -> Option<String> {
        let result = |next: &Observation| match next {
            Observation::Mentioned(asked, name) if asked == mention => Some(name.clone()),
            _ => None,
        };
        self.result(|| format!("the name behind {mention}"), result).unwrap_or_default()
    }

    fn is_granted(&self, what: &str) -> bool {
        self.grants.iter().any(|grant| grant == what)
    }

    fn permission(&self, _event: &Event) -> Permission {
        let result = |next: &Observation| match next {
            Observation::Permission(permission) => Some(*permission),
            _ => None,
        };
        self.result(|| "the user's permission".to_owned(), result).unwrap_or_default()
    }

    fn user_named(&self, bot: &str, _context: &Event, name: &str) -> Option<(String, String)> {
        let result = |next: &Observation| match next {
            Observation::UserNamed(on, asked, user) if on == bot && asked == name => Some(user.clone()),
            _ => None,
        };
        self.result(|| format!("the user of {bot} named {name}"), result).unwrap_or_default()
    }

    fn member(&self, _context: &Event, user: &UserId) -> Option<Member> {
        let result = |next: &Observation| match next {
            Observation::Member(asked, member) if asked == user => Some(member.clone()),
            _ => None,
        };
        self.result(|| format!("the member {user}"), result).unwrap_or_default()
    }

    fn may_act(&self, context: &Event, actor: Option<&UserId>, target: &UserId, impact: Impact) -> Result<(), Denied> {
        let room = context.room.as_ref().map(|room| &room.id);
        let result = |next: &Observation| match next {
            Observation::MayAct(place, by, on, how, denied)
                if place.as_ref() == room && by.as_ref() == actor && on == target && *how == impact =>
            {
                Some(*denied)
            }
            _ => None,
        };
        let call = || format!("whether {actor:?} may act on {target} in {room:?}: {impact:?}");
        self.result(call, result).flatten().map_or(Ok(()), Err)
    }

    fn sent_as(&self, room: &RoomId, message: &MessageId) -> Option<ActionKey> {
        let result = |next: &Observation| match next {
            Observation::SentAs(place, asked, key) if place == room && asked == message => Some(key.clone()),
            _ => None,
        };
        self.result(|| format!("the action that sent {message} to {room}"), result).unwrap_or_default()
    }

    fn is_sending(&self, room: &RoomId) -> bool {
        let result = |next: &Observation| match next {
            Observation::IsSending(place, is_sending) if place == room => Some(*is_sending),
            _ => None,
        };
        self.result(|| format!("messages in flight to {room}"), result).unwrap_or_default()
    }

    fn has_answered(&self, _is_known: bool) -> bool {
        let result = |next: &Observation| match next {
            Observation::HasAnswered(has_answered) => Some(*has_answered),
            _ => None,
        };
        self.result(|| "whether the run has answered".to_owned(), result).unwrap_or_default()
    }

    fn language(&self, bot: &str) -> Option<String> {
        let result = |next: &Observation| match next {
            Observation::Language(of, language) if of == bot => Some(language.clone()),
            _ => None,
        };
        self.result(|| format!("the language of {bot}"), result).unwrap_or_default()
    }

    fn commands(&self) -> Arc<Vec<(ScriptName, CommandSpec)>> {
        let result = |next: &Observation| match next {
            Observation::Commands(commands) => Some(Arc::clone(commands)),
            _ => None,
        };
        self.result(|| "the commands of all scripts".to_owned(), result).unwrap_or_default()
    }

    fn task_runs(&self, task: &str, limit: usize, _now: Millis) -> Result<Vec<Value>, String> {
        let result = |next: &Observation| match next {
            Observation::TaskRuns(asked, max, runs) if asked == task && *max == limit => Some(runs.clone()),
            _ => None,
        };
        self.result(|| format!("the {limit} latest runs of the task {task}"), result).unwrap_or(Ok(Vec::new()))
    }

    fn reserve_metric(&self, _change: &MetricChange, _series_max: usize) -> Result<(), String> {
        self.problem()
    }

    fn call(&self, script: &str, function: &str, arguments: &Value, _input: &Input) -> Result<Value, String> {
        let result = |next: &Observation| match next {
            Observation::Call(of, called, with, result) if of == script && called == function && with == arguments => {
                Some(result.clone())
            }
            _ => None,
        };
        self.result(|| format!("{script}.{function} with {arguments}"), result).unwrap_or(Ok(Value::Null))
    }

    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId> {
        let result = |next: &Observation| match next {
            Observation::MessageId(place, asked, id) if place == room && asked == key => Some(id.clone()),
            _ => None,
        };
        self.result(|| format!("the id of {key} in {room}"), result).unwrap_or_default()
    }
}
