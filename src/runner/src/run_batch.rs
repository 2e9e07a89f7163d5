//! Run batches: what the steps of a script did, as its worker proposes it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use palabre_state::{DeferredChange, RunOutcome, RunRecord, ScriptVersion, WaitingRun};
use palabre_types::{Request, RunId};

use crate::instance_spec::InstanceSpec;

/// Steps that a worker hands over together, in order, with all their effects.
pub struct RunBatch {
    /// The id of the script.
    pub script_id: usize,
    /// The instance of the script that computed it: see [`InstanceSpec::incarnation`].
    pub incarnation: u32,
    /// The head of the script that it was computed on.
    pub head: u64,
    /// The script, and the version that all steps ran on.
    pub script: ScriptVersion,
    /// The steps. Their position of the script in an entry batch is not known here; it is 0.
    pub runs: Vec<RunRecord>,
    /// The edit that the instance has applied. Such a batch has nothing else.
    pub edit: Option<u64>,
    /// The last event that the script has processed.
    pub cursor: Option<u64>,
    /// HTTP requests of runs that began to wait.
    pub requests: Vec<(RunId, Request)>,
    /// Runs that began to wait (`Some`) or that wait no longer (`None`).
    pub waits: Vec<(u64, Option<WaitingRun>)>,
    /// Changes of the deferred events.
    pub deferred: Vec<DeferredChange>,
    /// Versions of the script that no later run batch mentions, unless they are activated again.
    pub ended: Vec<Arc<str>>,
    /// The number of the batch among those of the instance.
    pub number: u64,
    /// The number of the script's last durable run batch, which the owner sets.
    pub durable: Arc<AtomicU64>,
}

impl RunBatch {
    /// Returns an empty run batch: the first one of a script.
    pub(crate) fn first(spec: &InstanceSpec, head: u64, durable: Arc<AtomicU64>) -> Self {
        Self {
            script_id: spec.script_id,
            incarnation: spec.incarnation,
            head,
            script: ScriptVersion { name: spec.name.clone(), version: "".into() },
            runs: Vec::new(),
            edit: None,
            cursor: None,
            requests: Vec::new(),
            waits: Vec::new(),
            deferred: Vec::new(),
            ended: Vec::new(),
            number: 1,
            durable,
        }
    }

    /// Returns an empty run batch: the one after this.
    pub(crate) fn following(&self) -> Self {
        Self {
            script_id: self.script_id,
            incarnation: self.incarnation,
            head: self.next_head(),
            script: self.script.clone(),
            runs: Vec::new(),
            edit: None,
            cursor: None,
            requests: Vec::new(),
            waits: Vec::new(),
            deferred: Vec::new(),
            ended: Vec::new(),
            number: self.number + 1,
            durable: Arc::clone(&self.durable),
        }
    }

    /// Returns the head of the script after this.
    #[must_use]
    pub fn next_head(&self) -> u64 {
        self.head + self.runs.len() as u64 + u64::from(self.edit.is_some())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.edit.is_none()
            && self.cursor.is_none()
            && self.waits.is_empty()
            && self.deferred.is_empty()
            && self.ended.is_empty()
    }

    /// Whether anything happens only once this is durable, other than that stored values are.
    #[must_use]
    pub fn has_more_to_come(&self) -> bool {
        let is_over = |run: &RunRecord| {
            let effects = &run.effects;
            matches!(run.outcome, RunOutcome::Done)
                && effects.actions.is_empty()
                && effects.timers.is_empty()
                && effects.result.is_none()
        };
        !(self.requests.is_empty() && self.waits.is_empty() && self.runs.iter().all(is_over))
    }
}
