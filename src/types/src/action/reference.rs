//! Keys that identify actions, and references to messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, ScriptName};
use crate::run_id::RunId;

/// A reference to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRef {
    /// The message with this id on the platform.
    Id(MessageId),
    /// The message that the action with this key sends or has sent.
    Sent(ActionKey),
    /// The message with this id on the platform, if the same script sent it.
    ///
    /// This can only be checked once the messages that are in flight have been sent.
    Own(MessageId),
}

/// The permanent identity of an action.
///
/// A repeated run of the same event gives its actions the same keys. The text of a key is
/// `script.seq.step.index`, with the step as [`RunId::step_text`] returns it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionKey {
    /// The script that asks for the action.
    pub script: ScriptName,
    /// The step of a run that asks for it.
    pub run: RunId,
    /// The position of the action within the step.
    pub index: u32,
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { script, run, index } = self;
        write!(f, "{script}.{}.{}.{index}", run.seq, run.step_text())
    }
}

impl std::str::FromStr for ActionKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        parse(text).ok_or(())
    }
}

fn parse(text: &str) -> Option<ActionKey> {
    // Parsed from the right, because a script's name may contain dots.
    let mut elements = text.rsplitn(4, '.');
    let index = elements.next()?.parse().ok()?;
    let (step, seq) = (elements.next()?, elements.next()?.parse().ok()?);
    let script = elements.next()?.into();
    Some(ActionKey { script, run: RunId::with_step_text(seq, step)?, index })
}
