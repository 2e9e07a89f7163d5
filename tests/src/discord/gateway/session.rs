//! A session: the dispatches of one shard, kept for a resume.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::discord::id::Id;

use super::cut::Cut;

/// The dispatches of a shard. A session outlives its connection.
pub(in crate::discord) struct Session {
    pub(in crate::discord) shard: (u64, u64),
    pub(in crate::discord) intents: u64,
    pub(super) seq: u64,
    frames: VecDeque<(u64, Arc<str>)>,
    /// The current connection; none while the client is disconnected.
    pub(super) connection: Option<u64>,
    /// The time at which the client disconnected.
    pub(super) lost: Option<u64>,
    /// A fault that a test requested.
    pub(in crate::discord) cut: Option<Cut>,
    /// Whether a heartbeat is to be requested.
    pub(in crate::discord) asked: bool,
}

impl Session {
    pub(super) fn new(shard: (u64, u64), intents: u64, connection: u64) -> Self {
        let (frames, lost, cut, asked) = (VecDeque::new(), None, None, false);
        Self { shard, intents, seq: 0, frames, connection: Some(connection), lost, cut, asked }
    }

    /// Whether the shard receives events of a guild; direct messages go to the first shard.
    pub(in crate::discord) fn covers(&self, guild: Option<Id>) -> bool {
        let (shard, shards) = self.shard;
        guild.map_or(shard == 0, |guild| (guild.0 >> 22) % shards == shard)
    }

    pub(in crate::discord) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Appends a dispatch, which is sent and kept. At most `frames_max` are kept.
    pub(in crate::discord) fn push(&mut self, name: &str, data: &str, frames_max: usize) {
        self.seq += 1;
        let frame = format!(r#"{{"t":"{name}","s":{},"op":0,"d":{data}}}"#, self.seq);
        self.frames.push_back((self.seq, frame.into()));
        if self.frames.len() > frames_max {
            self.frames.pop_front();
        }
    }

    /// Returns the dispatches after `seq`.
    pub(super) fn after(&self, seq: u64) -> impl Iterator<Item = &(u64, Arc<str>)> {
        let start = self.frames.partition_point(|(number, _)| *number <= seq);
        self.frames.range(start..)
    }

    /// Whether all dispatches after `seq` are still kept.
    pub(super) fn reaches(&self, seq: u64) -> bool {
        self.frames.front().is_none_or(|(first, _)| *first <= seq + 1)
    }
}

/// The times of identifies.
#[derive(Debug, Default)]
pub(in crate::discord) struct Identifies {
    pub(super) last: BTreeMap<u64, u64>,
}
