//! Keys that identify actions, and references to messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, ScriptName};

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
/// A repeated run of the same event gives its actions the same keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionKey {
    /// The script that asks for the action.
    pub script: ScriptName,
    /// The event's sequence number.
    pub seq: u64,
    /// The step of the run, counted over its waits and its `on_error`.
    pub part: u32,
    /// The position of the action within the step.
    pub index: u32,
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.script, self.seq, self.part, self.index)
    }
}

impl std::str::FromStr for ActionKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // Parsed from the right, because a script's name may contain dots.
        let mut parts = text.rsplitn(4, '.');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (index, part, seq) = (number().ok_or(())?, number().ok_or(())?, number().ok_or(())?);
        let script = parts.next().ok_or(())?.into();
        let narrow = |n: u64| u32::try_from(n).map_err(drop);
        Ok(Self { script, seq, part: narrow(part)?, index: narrow(index)? })
    }
}
