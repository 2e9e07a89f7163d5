//! Files that came with a message on one platform and go on to another: fetched when they are sent, and kept nowhere in between.

use std::time::Duration;

use palabre_model::{Action, ActionError, FileToSend};
use tokio::sync::Semaphore;

use crate::outbox::Outbox;

/// The most files of an action some of which are fetched.
const MOST: usize = 10;
/// So many actions may hold files that were fetched, over all lanes: each may be large.
const AT_ONCE: usize = 4;
/// So often a file is tried, and for so long each time.
const TRIES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(20);
static FETCHING: Semaphore = Semaphore::const_new(AT_ONCE);

/// The action with its files; `None` where none has to be fetched. The one in the journal has only where they are. In place of a file
/// that cannot be had stands its name, and after some `tries` of one that cannot be had at present: what is said with it is not lost, and
/// what comes after it in the room does not wait for ever.
pub(crate) async fn with_files(outbox: &Outbox, action: &Action, tries: u32) -> Result<Option<Action>, ActionError> {
    if !has_files_elsewhere(action) {
        return Ok(None);
    }
    let count = action.content().map_or(0, |content| content.files.len());
    if count > MOST {
        return Err(ActionError::Rejected(format!("it has {count} files; {MOST} go with one message")));
    }
    // Never closed, so there is always a permit in the end.
    let _permit = FETCHING.acquire().await;
    let most = outbox.platforms.adapter(action.room().bot()).map_or(0, |adapter| adapter.capabilities().max_file);
    let mut action = action.clone();
    let Some(content) = action.content_mut() else { return Ok(None) };
    let mut files = Vec::with_capacity(count);
    for mut file in std::mem::take(&mut content.files) {
        match fetch(outbox, &mut file, most).await {
            Ok(()) => files.push(file),
            Err(error @ (ActionError::Transient(_) | ActionError::RateLimited { .. })) if tries + 1 < TRIES => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!("a file is not passed on, and named instead: {error}");
                let name = palabre_text::escape(&file.name);
                content.text = format!("{}\n📎 {name}", content.text).trim_start().to_owned();
            }
        }
    }
    content.files = files;
    Ok(Some(action))
}

async fn fetch(outbox: &Outbox, file: &mut FileToSend, most: usize) -> Result<(), ActionError> {
    let Some(from) = &file.from else { return Ok(()) };
    let holder = outbox.platforms.adapter(from.bot.as_str());
    let holder = holder.ok_or_else(|| ActionError::NotFound(format!("there is no bot named {}", from.bot)))?;
    let fetched = tokio::time::timeout(PATIENCE, holder.file(&from.url, most)).await;
    file.data = fetched.unwrap_or_else(|_late| Err(ActionError::Transient("the file takes too long".to_owned())))?;
    Ok(())
}

/// Whether some of its files have to be fetched first.
pub(crate) fn has_files_elsewhere(action: &Action) -> bool {
    action.content().is_some_and(|content| content.files.iter().any(|file| file.from.is_some()))
}
