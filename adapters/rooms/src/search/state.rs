//! The search of one room service: whether there is an index, and who waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};

use super::view::View;

/// The folder of the index in the data folder.
const FOLDER: &str = "search";
/// Maximum time for which a request waits until the index is open and up to date.
const READY_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of searches at the same time; others wait for their turn.
const CONCURRENT_SEARCHES_MAX: usize = 2;

/// The state of the index.
#[derive(Clone)]
pub(crate) enum Status {
    /// It is closed, being opened, or compared with the store.
    Closed,
    Ready(Arc<View>),
    /// It cannot be read or written, and is tried later.
    Failed,
}

/// The reason why a search has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchError {
    /// Search is turned off.
    Off,
    /// The index is being built.
    NotReady,
    /// The index cannot be used at present.
    Failed,
}

/// The search of a room service.
pub(crate) struct SearchState {
    /// `None` for a store in memory.
    folder: Option<PathBuf>,
    is_on: bool,
    /// Whether somebody has searched since this was last asked.
    was_requested: AtomicBool,
    requested: Notify,
    status: watch::Sender<Status>,
    pub(crate) turns: Semaphore,
}

impl SearchState {
    /// Creates the state of a search with an index in the folder of the store.
    pub(crate) fn new(data: Option<&Path>, is_on: bool) -> Self {
        Self {
            folder: data.map(|data| data.join(FOLDER)),
            is_on,
            was_requested: AtomicBool::new(false),
            requested: Notify::new(),
            status: watch::Sender::new(Status::Closed),
            turns: Semaphore::new(CONCURRENT_SEARCHES_MAX),
        }
    }

    /// Returns the folder of the index, which need not exist.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on && self.folder.is_some()
    }

    /// Returns the index for searching. Waits for a moment if it is not open yet.
    pub(crate) async fn view(&self) -> Result<Arc<View>, SearchError> {
        if !self.is_on() {
            return Err(SearchError::Off);
        }
        self.was_requested.store(true, Relaxed);
        self.requested.notify_one();
        let mut status = self.status.subscribe();
        let is_open = status.wait_for(|status| !matches!(status, Status::Closed));
        match tokio::time::timeout(READY_TIMEOUT, is_open).await {
            Ok(Ok(status)) => match &*status {
                Status::Ready(view) => Ok(Arc::clone(view)),
                Status::Closed | Status::Failed => Err(SearchError::Failed),
            },
            Ok(Err(_)) | Err(_) => Err(SearchError::NotReady),
        }
    }

    pub(crate) fn set_status(&self, status: Status) {
        self.status.send_replace(status);
    }

    /// Whether somebody has searched.
    pub(crate) fn was_requested(&self) -> bool {
        self.was_requested.load(Relaxed)
    }

    /// Whether somebody has searched since the last call.
    pub(crate) fn take_request(&self) -> bool {
        self.was_requested.swap(false, Relaxed)
    }

    /// Waits until somebody searches.
    pub(crate) async fn requested(&self) {
        self.requested.notified().await;
    }
}
