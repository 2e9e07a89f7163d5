//! The task that keeps the index up to date. Posting never waits for it.
//!
//! The index is opened when somebody searches, when many changes wait, or when it has text that was deleted. It is
//! closed when nobody has searched for a while.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use palabre_platform::Backoff;
use tokio::time::{Instant, sleep};

use super::applying::Source;
use super::feed::Feed;
use super::index::{self, SearchIndex};
use super::index_error::IndexError;
use super::state::{SearchState, Status};
use crate::service::Rooms;

/// Minimum time between two commits.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// Time without changes after which the thread of the writer ends.
const WRITER_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for which the index stays open after a search.
const OPEN_TIME: Duration = Duration::from_secs(600);
/// Minimum time between closing the index and opening it for changes. A search opens it earlier.
const REOPEN_DELAY: Duration = Duration::from_secs(60);
/// Delays after failures, such as at a full disk.
const RETRY_BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(300));

/// The failures since the index was last up to date.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    /// Whether the files are damaged, so that the index is built anew.
    is_suspect: bool,
}

/// Keeps the index up to date until it is dropped.
pub(crate) async fn run(rooms: &Rooms) {
    let search = &rooms.search;
    let Some(folder) = search.folder() else { return std::future::pending().await };
    if !search.is_on() {
        remove(folder).await;
        return std::future::pending().await;
    }
    let mut failures = Failures::default();
    // An index from before the start may have missed changes.
    let mut is_due = folder.is_dir();
    loop {
        while !is_due {
            is_due = search.was_requested() || rooms.feed.is_due(|| folder.is_dir());
            if !is_due {
                tokio::select! {
                    () = rooms.feed.notified() => {}
                    () = search.requested() => {}
                }
            }
        }
        let delay = match follow(rooms, folder, &mut failures).await {
            Ok(()) => REOPEN_DELAY,
            Err(error) => {
                if failures.count == 0 {
                    tracing::warn!("messages cannot be searched at present; tried again later: {error}");
                }
                failures.count = failures.count.saturating_add(1);
                failures.is_suspect |= error.is_damage();
                search.set_status(Status::Failed);
                RETRY_BACKOFF.delay(failures.count)
            }
        };
        is_due = failures.count > 0;
        if is_due {
            sleep(delay).await;
        } else {
            tokio::select! {
                () = sleep(delay) => {}
                () = search.requested() => {}
            }
        }
    }
}

/// Opens the index, brings it up to date, and applies changes until it is not needed any more.
async fn follow(rooms: &Rooms, folder: &Path, failures: &mut Failures) -> Result<(), IndexError> {
    let (search, feed) = (&rooms.search, &rooms.feed);
    // Before the comparison, so that no change falls in between.
    let following = Following::begin(feed, search);
    let source = Source { store: rooms.store.clone(), is_stopped: Arc::clone(&following.is_stopped) };
    let (path, is_suspect, of_store) = (folder.to_owned(), failures.is_suspect, source.clone());
    let mut index = blocking(move || {
        let mut index = SearchIndex::open(&path, is_suspect)?;
        index.catch_up(&of_store)?;
        Ok(index)
    })
    .await?;
    if std::mem::take(failures).count > 0 {
        tracing::info!("messages can be searched again");
    }
    search.set_status(Status::Ready(index.view()));
    let mut until = Instant::now();
    loop {
        if search.take_request() {
            until = Instant::now() + OPEN_TIME;
        }
        if Instant::now() >= until {
            break;
        }
        let changes = feed.take();
        if !changes.is_empty() {
            let source = source.clone();
            index = blocking(move || index.apply(&source, &changes).map(|()| index)).await?;
            sleep(COMMIT_INTERVAL).await;
            continue;
        }
        tokio::select! {
            () = feed.notified() => {}
            () = search.requested() => {}
            () = sleep(WRITER_IDLE_TIMEOUT) => index = blocking(move || index.rest().map(|()| index)).await?,
        }
    }
    search.set_status(Status::Closed);
    blocking(move || index.rest()).await
}

/// Deletes the index, since search is turned off.
async fn remove(folder: &Path) {
    let folder = folder.to_owned();
    if let Err(error) = blocking(move || index::remove(&folder)).await {
        tracing::warn!("cannot delete the search index, which is turned off: {error}");
    }
}

/// Runs work on a thread for blocking work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(IndexError::Damaged(format!("work on it ended early: {error}"))),
    }
}

/// The time in which the index is open. Its end stops work on other threads, too.
struct Following<'r> {
    feed: &'r Feed,
    search: &'r SearchState,
    is_stopped: Arc<AtomicBool>,
}

impl<'r> Following<'r> {
    fn begin(feed: &'r Feed, search: &'r SearchState) -> Self {
        feed.begin();
        Self { feed, search, is_stopped: Arc::default() }
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.is_stopped.store(true, Relaxed);
        self.feed.end();
        self.search.set_status(Status::Closed);
    }
}
