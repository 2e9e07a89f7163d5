//! Tracked tasks: they run in the background, and a shutdown waits for them.

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Tasks that a shutdown waits for. All clones start and await the same ones.
#[derive(Debug, Clone)]
pub struct TrackedTasks {
    tracker: TaskTracker,
    runtime: Handle,
}

impl TrackedTasks {
    /// Returns a tracker of tasks on a runtime, from which any thread can start tasks.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self { tracker: TaskTracker::new(), runtime }
    }

    /// Starts a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.tracker.spawn_on(task, &self.runtime));
    }

    /// Starts work that blocks its thread.
    pub fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        drop(self.tracker.spawn_blocking_on(work, &self.runtime));
    }

    /// Waits until all tasks have ended, and those that they start meanwhile.
    pub async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
