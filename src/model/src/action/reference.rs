//! What names an action for good, and the message that one is about.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{MessageId, ScriptName};

/// Which message is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRef {
    /// By its id on the platform.
    Id(MessageId),
    /// The one that this action will send, or has sent.
    Sent(ActionKey),
    /// By its id on the platform, if it is the script's own: whether it is shows once what is on its way is out.
    Own(MessageId),
}

/// Names an action for good: the same run of the same event gives it the same key, however often it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionKey {
    /// The script.
    pub script: ScriptName,
    /// The event's sequence number.
    pub seq: u64,
    /// Which stretch of the run, counted over its waits and its `on_error`.
    pub part: u32,
    /// Which action of that stretch.
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
        // From the right: a script's name may hold dots.
        let mut parts = text.rsplitn(4, '.');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (index, part, seq) = (number().ok_or(())?, number().ok_or(())?, number().ok_or(())?);
        let script = parts.next().ok_or(())?.into();
        let narrow = |n: u64| u32::try_from(n).map_err(drop);
        Ok(Self { script, seq, part: narrow(part)?, index: narrow(index)? })
    }
}
