//! The effects of a run. They are applied when the run returns or waits, or not at all.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::kind::ActionKind;
use crate::action::{Action, ActionKey};
use crate::ids::RoomId;
use crate::time::Millis;
use crate::value::value_weight;

/// The effects of one step of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Writes to the script's own storage, the last one for each key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
    /// Timers set and cancelled, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<TimerChange>,
    /// Actions on platforms, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<(ActionKey, Action)>,
    /// Actions that the script was not allowed to request. Each counts as a refused action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricChange>,
    /// The return values of a route or of `before_message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
}

/// A refused action, which does not reach the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// The action key.
    pub key: ActionKey,
    /// The kind of action.
    pub action: ActionKind,
    /// The room.
    pub room: RoomId,
    /// The reason.
    pub reason: String,
    /// Whether the run has asked for the outcome, and so knows of the refusal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_asked: bool,
}

/// A change of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricChange {
    /// The metric's name.
    pub name: String,
    /// Whether `by` is added to a counter, instead of being an observation.
    pub is_count: bool,
    /// The amount or the observed value.
    pub by: f64,
    /// The labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, String)>,
}

/// A write to the script's storage. A key is the scope, a zero byte and the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The key within the script's storage.
    pub key: Bytes,
    /// The change.
    pub change: Change,
}

/// A change of a stored value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Sets the value.
    Set {
        /// The encoded value.
        value: Bytes,
        /// The expiry time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Millis>,
    },
    /// Deletes the value.
    Delete,
}

/// A change of a timer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerChange {
    /// Sets a timer, replacing one with the same key.
    Set {
        /// The name, which selects the `on_timer` function.
        name: String,
        /// The key by which it can be cancelled.
        key: String,
        /// The due time.
        due: Millis,
        /// The room of the run that set it.
        room: Option<RoomId>,
        /// The payload passed to the function.
        payload: Value,
    },
    /// Cancels a timer.
    Cancel {
        /// The timer's key.
        key: String,
    },
}

impl TimerChange {
    /// Returns the approximate memory of a pending timer, in bytes.
    #[must_use]
    pub fn weight_of(name: &str, key: &str, payload: &Value) -> usize {
        // Its entries in the maps of timers and of due times, both with the key.
        const OVERHEAD: usize = 256;
        OVERHEAD + name.len() + 2 * key.len() + value_weight(payload)
    }

    /// Returns the approximate memory of the change, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Set { name, key, payload, .. } => Self::weight_of(name, key, payload),
            Self::Cancel { key } => 64 + key.len(),
        }
    }
}
