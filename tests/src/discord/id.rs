//! Snowflakes, Discord's ids.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The beginning of 2015, in milliseconds of the Unix epoch: the epoch of snowflakes.
const EPOCH: u64 = 1_420_070_400_000;

/// A snowflake. In JSON it is a string.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl Id {
    /// Returns the first id of a millisecond of the Unix epoch.
    pub(super) fn at(moment: u64) -> Self {
        Self(moment.saturating_sub(EPOCH) << 22)
    }

    /// The time of its creation, in milliseconds of the Unix epoch.
    #[must_use]
    pub fn moment(self) -> u64 {
        (self.0 >> 22) + EPOCH
    }

    /// Reads the id in a field of an object; none if it is missing, null or invalid.
    #[must_use]
    pub fn of(object: &Value, field: &str) -> Option<Self> {
        let value = &object[field];
        value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_u64().map(Self))
    }

    /// Reads the ids in a list of strings.
    pub(super) fn list(value: &Value) -> Vec<Self> {
        value.as_array().into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok()).collect()
    }
}

impl FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
