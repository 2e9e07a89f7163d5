//! Files that came with a message on one platform and go on to another: fetched when they are sent, and kept nowhere in between.

use std::borrow::Cow;

use palabre_model::{Action, ActionError};

use crate::supervisor::Platforms;

/// The most files of an action some of which are fetched.
const MOST: usize = 10;

/// The action with its files. The one in the journal has only where they are.
pub(crate) async fn with_files<'a>(platforms: &Platforms, action: &'a Action) -> Result<Cow<'a, Action>, ActionError> {
    if !has_files_elsewhere(action) {
        return Ok(Cow::Borrowed(action));
    }
    let count = action.content().map_or(0, |content| content.files.len());
    if count > MOST {
        return Err(ActionError::Rejected(format!("it has {count} files; {MOST} go with one message")));
    }
    let most = platforms.adapter(action.room().bot()).map_or(0, |adapter| adapter.capabilities().max_file);
    let mut action = action.clone();
    for file in action.content_mut().into_iter().flat_map(|content| &mut content.files) {
        let Some(from) = &file.from else { continue };
        let holder = platforms.adapter(from.bot.as_str());
        let holder = holder.ok_or_else(|| ActionError::NotFound(format!("there is no bot named {}", from.bot)))?;
        let fetched = holder.file(&from.url, most).await.map_err(|error| named(&file.name, error))?;
        file.data = fetched;
    }
    Ok(Cow::Owned(action))
}

/// Whether some of its files have to be fetched first.
pub(crate) fn has_files_elsewhere(action: &Action) -> bool {
    action.content().is_some_and(|content| content.files.iter().any(|file| file.from.is_some()))
}

/// The same error, with which file it is about.
fn named(name: &str, error: ActionError) -> ActionError {
    let of = |what: String| format!("the file {name}: {what}");
    match error {
        ActionError::Forbidden(what) => ActionError::Forbidden(of(what)),
        ActionError::NotFound(what) => ActionError::NotFound(of(what)),
        ActionError::Rejected(what) => ActionError::Rejected(of(what)),
        ActionError::Transient(what) => ActionError::Transient(of(what)),
        other @ (ActionError::Unsupported(_) | ActionError::RateLimited { .. }) => other,
    }
}
