//! Background tasks of the engine, which a shutdown waits for.

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// The background tasks. All clones start and await the same ones.
#[derive(Clone)]
pub(crate) struct BackgroundTasks {
    tracker: TaskTracker,
    runtime: Handle,
}

impl BackgroundTasks {
    /// Returns a tracker of tasks on the current runtime, from which any thread can start tasks.
    pub(crate) fn new() -> Self {
        Self { tracker: TaskTracker::new(), runtime: Handle::current() }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.tracker.spawn_on(task, &self.runtime));
    }

    /// Starts work that blocks its thread.
    pub(crate) fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        drop(self.tracker.spawn_blocking_on(work, &self.runtime));
    }

    /// Waits until all tasks have ended, and those that they start meanwhile.
    pub(crate) async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
