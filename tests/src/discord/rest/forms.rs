//! The files of a form, and the entries of `attachments`.

use serde_json::Value;

use crate::discord::id::Id;
use crate::discord::rules::Misfit;

use super::call::Call;

/// Attachment ids below this are numbers of files in the same form.
const FILES_MAX: u64 = 10;

/// Checks files and the list of attachments: duplicate files, too many files, entries without a file.
pub(super) fn check(call: &Call) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    let mut complain = |at: &str, why: String| misfits.push(Misfit { at: at.to_owned(), why });
    let mut numbers: Vec<u64> = call.files.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
        complain("/files", "two files have the same number".to_owned());
    }
    if numbers.len() > usize::try_from(FILES_MAX).unwrap_or(usize::MAX) || numbers.iter().any(|one| *one >= FILES_MAX) {
        complain("/files", format!("a message has {FILES_MAX} files at most"));
    }
    let body = call.body_or_null();
    // The callback of an interaction contains its message in `data`.
    let message = if body["data"].is_object() { &body["data"] } else { &body };
    for (index, entry) in message["attachments"].as_array().into_iter().flatten().enumerate() {
        let id = Id::of(entry, "id").map_or(u64::MAX, |id| id.0);
        if id < FILES_MAX && !numbers.contains(&id) {
            complain(&format!("/attachments/{index}/id"), format!("there is no file with the number {id}"));
        }
    }
    for (place, name) in referenced(message) {
        let listed = message["attachments"].as_array().into_iter().flatten();
        let mut names = listed
            .filter_map(|one| one["filename"].as_str())
            .chain(call.files.iter().map(|(_, one)| one.name.as_str()));
        // An edit may refer to existing attachments.
        if call.operation.method == "POST" && !names.any(|one| one == name) {
            complain(&place, format!("no file of this message is named {name}"));
        }
    }
    misfits
}

/// Returns the names after `attachment://` in embeds.
fn referenced(message: &Value) -> Vec<(String, String)> {
    let embeds = message["embeds"].as_array().into_iter().flatten().enumerate();
    let places =
        embeds.flat_map(|(index, embed)| ["image", "thumbnail"].map(|place| (index, place, &embed[place]["url"])));
    let names = places.filter_map(|(index, place, url)| {
        let name = url.as_str()?.strip_prefix("attachment://")?;
        Some((format!("/embeds/{index}/{place}/url"), name.to_owned()))
    });
    names.collect()
}
