//! What the sequencer knows of a script: which events it wants, and how far it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire};

use palabre_fetch::Grants;
use palabre_model::{BotName, Event, EventName, ScriptName};
use palabre_script::Declarations;

/// What the sequencer knows of a script.
pub(crate) struct Route {
    pub(crate) name: ScriptName,
    pub(crate) worker: usize,
    /// The bots that it is attached to; `None` is all.
    pub(crate) bots: Option<Vec<BotName>>,
    pub(crate) asking: Arc<AtomicUsize>,
    pub(crate) mark: Option<u64>,
    pub(crate) hooks: Vec<EventName>,
    pub(crate) declared: Arc<Declarations>,
    /// The hosts that it may ask over HTTP.
    pub(crate) hosts: Arc<Grants>,
    /// Events on their way to it: number and block.
    pub(crate) pending: VecDeque<(u64, u64)>,
    /// Events that wait because they are taken one at a time.
    pub(crate) cautious: Option<Cautious>,
    pub(crate) outgoing: Vec<(u64, Arc<Event>)>,
    pub(crate) version: Arc<str>,
    /// It has been handed what the last daemon left; what is new may come behind that.
    pub(crate) is_ready: bool,
}

/// Events taken one at a time, since one of them may have brought the daemon down.
#[derive(Default)]
pub(crate) struct Cautious {
    pub(crate) queue: VecDeque<(u64, Arc<Event>)>,
    /// The next one, and the block that notes that it is begun with: only when that is durable is it handed out, so that whatever
    /// happens then is counted against this event.
    pub(crate) next: Option<(u64, (u64, Arc<Event>))>,
}

impl Route {
    /// Whether the event is for this script.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        let name = event.kind.name();
        let hooked = self.hooks.contains(&name);
        let asked =
            matches!(name, EventName::Message | EventName::Button | EventName::Select) && self.asking.load(Acquire) > 0;
        (hooked || asked) && self.is_attached(event)
    }

    /// Whether the script is attached to the bot that saw the event; what the runtime itself lets happen is for all.
    pub(crate) fn is_attached(&self, event: &Event) -> bool {
        let is_own = &*event.bot.platform == "palabre";
        is_own || self.bots.as_ref().is_none_or(|bots| bots.contains(&event.bot.name))
    }
}
