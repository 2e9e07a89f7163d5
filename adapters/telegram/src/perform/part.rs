//! The parts of a message: its content, divided into requests.

use palabre_types::{ActionError, Content, FileToSend, Poll};
use serde_json::{Map, Value, json};

use super::progress::Carries;
use crate::api::Upload;
use crate::encode::{ALBUM_FILES_MAX, CAPTION_MAX, Kind, TEXT_MAX};
use crate::text::{Rich, cut};

/// Limits of a poll: options, characters of an option and of the question, seconds that it is open.
const POLL_OPTIONS_MAX: usize = 12;
const POLL_OPTION_LENGTH_MAX: usize = 100;
const POLL_QUESTION_LENGTH_MAX: usize = 300;
const POLL_SECONDS_MAX: u64 = 2_628_000;

/// A part of a message: one request.
pub(super) enum Part {
    Poll(Poll),
    Text(Rich),
    File(FileToSend, Option<Rich>),
    Album(Vec<FileToSend>, Option<Rich>),
}

impl Part {
    /// Returns the number of messages that it becomes.
    pub(super) fn messages(&self) -> usize {
        if let Self::Album(files, _) = self { files.len() } else { 1 }
    }

    pub(super) fn carries(&self) -> Carries {
        match self {
            Self::Text(_) => Carries::Text,
            Self::File(_, Some(_)) | Self::Album(_, Some(_)) => Carries::Caption,
            Self::File(_, None) | Self::Album(_, None) | Self::Poll(_) => Carries::Nothing,
        }
    }
}

/// Divides content into requests.
///
/// The text becomes a caption if it is short enough and there is exactly one place for it.
pub(super) fn divide(rich: &Rich, content: &Content, has_buttons: bool) -> Result<Vec<Part>, ActionError> {
    let mut groups: Vec<(Option<u8>, Vec<FileToSend>)> = Vec::new();
    for file in &content.files {
        let album = Kind::of(file).album();
        match groups.last_mut() {
            Some((of, files)) if album.is_some() && *of == album && files.len() < ALBUM_FILES_MAX => {
                files.push(file.clone());
            }
            _ => groups.push((album, vec![file.clone()])),
        }
    }
    let is_one_album = groups.len() == 1 && groups[0].1.len() > 1;
    // Albums have no buttons, which go below a text of their own.
    let has_place = groups.len() == 1 && !(is_one_album && has_buttons);
    let mut captions = if has_place { cut(rich, CAPTION_MAX) } else { Vec::new() };
    let mut caption = captions.pop().filter(|_| captions.is_empty());
    let has_caption = caption.is_some();
    let mut parts = Vec::new();
    for (_, mut files) in groups {
        let caption = caption.take();
        match (files.len(), files.pop()) {
            (1, Some(file)) => parts.push(Part::File(file, caption)),
            (_, Some(file)) => {
                files.push(file);
                parts.push(Part::Album(files, caption));
            }
            (_, None) => {}
        }
    }
    if !has_caption {
        parts.extend(cut(rich, TEXT_MAX).into_iter().map(Part::Text));
    }
    parts.extend(content.poll.clone().map(Part::Poll));
    match parts.last() {
        None => Err(ActionError::Rejected("the message is empty".to_owned())),
        Some(Part::Album(..)) if has_buttons => {
            Err(ActionError::Rejected("on Telegram, buttons with several files need a text".to_owned()))
        }
        Some(_) => Ok(parts),
    }
}

/// Adds a text and its entities to a request, under the names of their fields.
pub(super) fn add(body: &mut Map<String, Value>, text: &str, entities: &str, rich: &Rich) {
    body.insert(text.to_owned(), rich.text.clone().into());
    if !rich.entities.is_empty() {
        body.insert(entities.to_owned(), json!(rich.entities));
    }
}

/// Returns the request for a poll. <https://core.telegram.org/bots/api#sendpoll>
pub(super) fn poll_body(
    poll: &Poll,
    is_channel: bool,
    mut body: Map<String, Value>,
) -> Result<Map<String, Value>, ActionError> {
    if poll.options.len() > POLL_OPTIONS_MAX {
        let count = poll.options.len();
        return Err(ActionError::Rejected(format!(
            "the poll has {count} options; Telegram accepts {POLL_OPTIONS_MAX}"
        )));
    }
    let clipped = |text: &str, max: usize| text.chars().take(max).collect::<String>();
    body.insert("question".to_owned(), clipped(&poll.question, POLL_QUESTION_LENGTH_MAX).into());
    let options = poll.options.iter().map(|option| json!({ "text": clipped(option, POLL_OPTION_LENGTH_MAX) }));
    body.insert("options".to_owned(), options.collect::<Vec<_>>().into());
    // Votes of anonymous polls are not reported; channels have no others.
    body.insert("is_anonymous".to_owned(), is_channel.into());
    body.insert("allows_multiple_answers".to_owned(), poll.multiple.into());
    if let Some(lasts) = poll.lasts {
        body.insert("open_period".to_owned(), lasts.div_ceil(1_000).clamp(5, POLL_SECONDS_MAX).into());
    }
    Ok(body)
}

/// Returns a file to upload under the name of a field.
pub(super) fn upload(field: &str, file: FileToSend) -> Upload {
    let FileToSend { name, data, content_type, .. } = file;
    let name = if name.is_empty() { "file".to_owned() } else { name };
    Upload { field: field.to_owned(), name, content_type, data }
}
