//! A host for one script, with a map as its store and a clock set by the test.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, missing_docs, reason = "each test file uses its part")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use palabre_script::*;
use palabre_types::*;

/// The host interface: a map, and grants set by the test.
#[derive(Default)]
pub struct TestHost {
    pub rows: RefCell<BTreeMap<Vec<u8>, Stored>>,
    pub grants: RefCell<Vec<String>>,
}

impl HostApi for TestHost {
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
        let row = self.rows.borrow().get(key).cloned();
        Ok(row.filter(|row| row.expires.is_none_or(|at| at > now)))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        _now: Millis,
    ) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        let rows = self.rows.borrow();
        let mut found: Vec<_> = rows
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| {
                after.is_none_or(|after| if backward { key.as_slice() < after } else { key.as_slice() > after })
            })
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        if backward {
            found.reverse();
        }
        found.truncate(limit);
        Ok(found)
    }

    fn stored_bytes(&self) -> u64 {
        self.rows.borrow().iter().map(|(key, row)| (key.len() + row.value.len()) as u64).sum()
    }

    fn waiting_timers(&self) -> usize {
        0
    }

    fn can(&self, _bot: &str, what: &str) -> bool {
        what == "edit" || what == "buttons"
    }

    fn is_granted(&self, what: &str) -> bool {
        self.grants.borrow().iter().any(|grant| grant == what)
    }

    fn message_id(&self, _room: &RoomId, key: &ActionKey) -> Option<MessageId> {
        Some(key.to_string().into())
    }
}

pub struct Bench {
    pub vm: Vm,
    pub host: Rc<TestHost>,
    pub ticker: Ticker,
    pub now: Millis,
    seq: u64,
}

pub fn limits() -> Limits {
    Limits { memory_mb: 16, cpu_ms: 200, ..Limits::default() }
}

impl Bench {
    pub fn try_new(source: &Source, limits: &Limits) -> Result<Self, Failure> {
        let ticker = Ticker::start().unwrap();
        let host = Rc::new(TestHost::default());
        let config = serde_json::json!({ "greeting": "salut", "list": [1, 2] });
        let vm = Vm::build(source, limits, &config, Rc::clone(&host) as Rc<dyn HostApi>, &ticker)?;
        Ok(Self { vm, host, ticker, now: 1_000_000, seq: 0 })
    }

    pub fn new(text: &str) -> Self {
        Self::try_new(&Source::from_text("test", text), &limits()).unwrap_or_else(|failure| panic!("{failure}"))
    }

    pub fn input(&mut self, event: Event) -> Input {
        self.seq += 1;
        Input { event: Arc::new(event), run: RunId::hook(self.seq, 0), now: self.now, seed: self.seq }
    }

    /// Delivers a message `text` of Alice in the room general. Effects are stored if the hook succeeds.
    pub fn says(&mut self, text: &str) -> Step {
        let input = self.input(said(text));
        let step = self.vm.start(input);
        self.keep(step)
    }

    pub fn happens(&mut self, kind: EventKind) -> Step {
        let input = self.input(Event { kind, ..said("") });
        let step = self.vm.start(input);
        self.keep(step)
    }

    pub fn answer(&mut self, suspended: SuspendedRun, answer: Answer) -> Step {
        let input = self.input(said(""));
        let input = Input { run: input.run.next_step(), ..input };
        let step = self.vm.resume(suspended, &answer, input);
        self.keep(step)
    }

    fn keep(&self, step: Step) -> Step {
        if let Step::Done(effects) | Step::Waiting(effects, ..) = &step {
            for write in &effects.writes {
                let mut rows = self.host.rows.borrow_mut();
                match &write.change {
                    Change::Set { value, expires } => {
                        rows.insert(write.key.to_vec(), Stored { value: value.clone(), expires: *expires })
                    }
                    Change::Delete => rows.remove(&*write.key),
                };
            }
        }
        step
    }

    /// Returns the texts that the hook sends in response to a message of Alice.
    pub fn replies(&mut self, text: &str) -> Vec<String> {
        texts(&done(self.says(text)))
    }

    pub fn failure(&mut self, text: &str) -> Failure {
        match self.says(text) {
            Step::Failed(failure) => *failure,
            Step::Done(effects) => panic!("it did not fail: {effects:?}"),
            Step::Waiting(..) => panic!("it waits"),
        }
    }
}

pub fn said(text: &str) -> Event {
    let user = User { id: "lobby/alice".into(), name: "alice".into(), bot: false, locale: None, picture: None };
    Event {
        time: 1_000_000,
        bot: Bot { name: "lobby".into(), platform: "rooms".into() },
        space: Some(Space { id: "lobby/home".into(), name: "home".into() }.into()),
        room: Some(Room::channel("lobby/general".into(), "general").into()),
        user: Some(user.into()),
        member: None,
        kind: EventKind::Message {
            message: Message {
                id: "m1".into(),
                author: Some("lobby/alice".into()),
                time: 1_000_000,
                content: Content::text(text),
                reply_to: None,
            },
        },
    }
}

pub fn done(step: Step) -> Effects {
    match step {
        Step::Done(effects) => effects,
        Step::Waiting(..) => panic!("it waits"),
        Step::Failed(failure) => panic!("{failure}"),
    }
}

pub fn texts(effects: &Effects) -> Vec<String> {
    effects
        .actions
        .iter()
        .filter_map(|(_, action)| match action {
            Action::Send { content, .. } => Some(content.text.clone()),
            _ => None,
        })
        .collect()
}
