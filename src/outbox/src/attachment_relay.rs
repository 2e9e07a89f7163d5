//! The attachment relay: sends files of a message on one platform to another.
//!
//! They are fetched when they are sent, and stored nowhere in between.

use std::time::Duration;

use palabre_types::{Action, ActionError, FileToSend};
use tokio::sync::Semaphore;

use crate::bots::Bots;

/// Maximum number of files of an action with files to fetch.
const FILES_MAX: usize = 10;
/// Maximum number of actions with fetched files, over all queues: each file may be large.
const FETCHES_MAX: usize = 4;
/// Attempts to fetch a file before it is replaced by its name.
const FETCH_ATTEMPTS: u32 = 3;
/// Timeout of one attempt.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
static FETCHING: Semaphore = Semaphore::const_new(FETCHES_MAX);

/// Returns the action with its files; `None` if none has to be fetched.
///
/// The action in the journal only says where the files are. A file that cannot be had is replaced
/// by its name, and so is one that is still unavailable after some `attempts`: the text is not lost,
/// and later actions in the room do not wait for ever.
pub(crate) async fn with_files(bots: &Bots, action: &Action, attempts: u32) -> Result<Option<Action>, ActionError> {
    if !has_files_to_fetch(action) {
        return Ok(None);
    }
    let count = action.content().map_or(0, |content| content.files.len());
    if count > FILES_MAX {
        return Err(ActionError::Rejected(format!("it has {count} files; one message takes at most {FILES_MAX}")));
    }
    // The semaphore is never closed, so a permit is always granted in the end.
    let _permit = FETCHING.acquire().await;
    let bytes_max = bots.adapter(action.room().bot()).map_or(0, |adapter| adapter.capabilities().max_file);
    let mut action = action.clone();
    let Some(content) = action.content_mut() else { return Ok(None) };
    let mut files = Vec::with_capacity(count);
    for mut file in std::mem::take(&mut content.files) {
        match fetch(bots, &mut file, bytes_max).await {
            Ok(()) => files.push(file),
            Err(error @ (ActionError::Transient(_) | ActionError::RateLimited { .. }))
                if attempts + 1 < FETCH_ATTEMPTS =>
            {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!("cannot relay a file; its name is sent instead: {error}");
                let name = palabre_text::escape(&file.name);
                content.text = format!("{}\n📎 {name}", content.text).trim_start().to_owned();
            }
        }
    }
    content.files = files;
    Ok(Some(action))
}

async fn fetch(bots: &Bots, file: &mut FileToSend, bytes_max: usize) -> Result<(), ActionError> {
    let Some(from) = &file.from else { return Ok(()) };
    let holder = bots.adapter(from.bot.as_str());
    let holder = holder.ok_or_else(|| ActionError::NotFound(format!("there is no bot named {}", from.bot)))?;
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, holder.file(&from.url, bytes_max)).await;
    let fetched = fetched.unwrap_or_else(|_late| Err(ActionError::Transient("the fetch took too long".to_owned())));
    file.data = fetched.map_err(ActionError::of_preparation)?;
    Ok(())
}

/// Whether some of the action's files have to be fetched first.
pub(crate) fn has_files_to_fetch(action: &Action) -> bool {
    action.content().is_some_and(|content| content.files.iter().any(|file| file.from.is_some()))
}
