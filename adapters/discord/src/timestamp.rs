//! Times as Discord writes them: in timestamps, and in the ids of objects.

use palabre_types::Millis;

/// The epoch of Discord's ids, the start of 2015, in Unix milliseconds.
///
/// <https://discord.com/developers/docs/reference#snowflakes>
const EPOCH: Millis = 1_420_070_400_000;

/// Parses one of Discord's timestamps into Unix milliseconds.
pub(crate) fn millis(text: &str) -> Option<Millis> {
    let time: serenity::model::Timestamp = text.parse().ok()?;
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Returns an id that is lower than those of all objects created at `time` or later.
pub(crate) const fn first_id(time: Millis) -> u64 {
    (time.saturating_sub(EPOCH) << 22).saturating_sub(1)
}

/// Returns the creation time of the object with this id.
pub(crate) const fn made_at(id: u64) -> Millis {
    (id >> 22) + EPOCH
}
