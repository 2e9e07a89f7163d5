//! What a run wants. It happens when the run returns or waits, or not at all.

use std::sync::Arc;

use palabre_model::{Action, ActionKey, ActionKind, Millis, RoomId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::weight;

/// Everything that one stretch of a run wants.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Changes to the script's own storage, the last one for each key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
    /// Timers set and cancelled, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<TimerChange>,
    /// What to do on platforms, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<(ActionKey, Action)>,
    /// What it wanted done and may not: each counts as an action that was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// What is counted and measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricChange>,
    /// What a route or `before_message` has returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

/// An action that may not be done, and so does not reach the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Its key.
    pub key: ActionKey,
    /// What was wanted.
    pub action: ActionKind,
    /// Where.
    pub room: RoomId,
    /// Why it may not be done.
    pub reason: String,
    /// The run has asked for the outcome, and knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_asked: bool,
}

/// Something that a script counts or measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricChange {
    /// Its name.
    pub name: String,
    /// Counted up by `by`, or else `by` was observed.
    pub is_count: bool,
    /// How much.
    pub by: f64,
    /// What it is told apart by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, String)>,
}

/// One key of the script's storage: scope, a zero byte, the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The key within the script's storage.
    #[serde(with = "bytes")]
    pub key: Arc<[u8]>,
    /// What becomes of it.
    pub change: Change,
}

/// What becomes of a stored value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is this, until then.
    Set {
        /// The encoded value.
        #[serde(with = "bytes")]
        value: Arc<[u8]>,
        /// When it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Millis>,
    },
    /// It is gone.
    Delete,
}

/// What becomes of a timer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerChange {
    /// Goes off at that time; one with the same key is replaced.
    Set {
        /// Which `on_timer` function it calls.
        name: String,
        /// What it can be cancelled by.
        key: String,
        /// When.
        due: Millis,
        /// The room of the run that set it.
        room: Option<RoomId>,
        /// What the function gets.
        payload: Value,
    },
    /// Does not go off.
    Cancel {
        /// Its key.
        key: String,
    },
}

impl TimerChange {
    /// About how much memory a timer takes while it waits, in bytes.
    #[must_use]
    pub fn weight_of(name: &str, key: &str, payload: &Value) -> usize {
        // Its rows in the maps of the timers and of what is due, with the key in both.
        const EACH: usize = 256;
        EACH + name.len() + 2 * key.len() + weight(payload)
    }

    /// About how much memory the change takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Set { name, key, payload, .. } => Self::weight_of(name, key, payload),
            Self::Cancel { key } => 64 + key.len(),
        }
    }
}

/// MessagePack has a type for bytes; serde needs to be told to use it.
mod bytes {
    use std::sync::Arc;

    use serde::de::{SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Arc<[u8]>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Arc<[u8]>, E> {
                Ok(bytes.into())
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Arc<[u8]>, E> {
                Ok(bytes.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Arc<[u8]>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes.into())
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
