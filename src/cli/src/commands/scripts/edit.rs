//! Edits bots.yaml and keeps the operator's comments, order and layout.
//!
//! Only the lines concerned are changed; all others stay the same byte for byte. The result is parsed
//! before it is written. If it does not have exactly the intended meaning, nothing is written, and the
//! error shows the lines to write.

mod text;

use std::path::PathBuf;

use palabre_script::without_bom;
use serde_json::{Map, Value, json};

use self::text::{Key, Text};
use super::place;
use crate::config::{Config, File};
use crate::problem::Problem;

/// A change to the settings of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Enables or disables it.
    Enabled(bool),
    /// Sets all its grants.
    Grants(Vec<String>),
    /// Removes its settings, which stay as a comment.
    Removed,
}

/// A validated edit of bots.yaml.
pub(super) struct Edit {
    path: PathBuf,
    text: String,
}

impl Edit {
    /// Computes the new content of the file.
    ///
    /// Fails if the layout of the file is not supported; the error shows the lines to write.
    pub(super) fn plan(config: &Config, name: &str, change: Change) -> Result<Self, Problem> {
        let path = config.path().to_owned();
        let old = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) => return Err(Problem::File { doing: "read", path, cause }),
        };
        let old = without_bom(&old);
        match edited(old, name, &change).filter(|new| is_right(old, new, name, &change)) {
            Some(text) => Ok(Self { path, text }),
            None if change == Change::Removed => Err(Problem::Other(format!(
                "cannot edit {}, since its layout is not supported; remove {name} from scripts: there, and try again",
                path.display()
            ))),
            None => Err(Problem::Other(format!(
                "cannot edit {}, since its layout is not supported; nothing was changed. Add these lines yourself:\n{}",
                path.display(),
                change.lines(name)
            ))),
        }
    }

    /// Writes the new content.
    pub(super) fn write(&self) -> Result<(), Problem> {
        place::write(&self.path, &self.text)
    }
}

impl Change {
    /// Returns the lines of bots.yaml for this change.
    pub(super) fn lines(&self, name: &str) -> String {
        let setting = self.setting().unwrap_or_default();
        format!("  scripts:\n    {name}:\n      {setting}")
    }

    /// Returns the setting below the script's name for this change.
    fn setting(&self) -> Option<String> {
        match self {
            Self::Enabled(on) => Some(format!("enabled: {on}")),
            Self::Grants(grants) => Some(format!("grants: [{}]", quoted(grants))),
            Self::Removed => None,
        }
    }
}

/// Formats grants as entries of a flow list. Many YAML parsers read an unquoted colon as a key.
fn quoted(grants: &[String]) -> String {
    let quote = |grant: &String| if grant.contains(':') { format!("\"{grant}\"") } else { grant.clone() };
    grants.iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// Applies the change to the text, based on its lines only; `None` if the layout is not supported.
fn edited(old: &str, name: &str, change: &Change) -> Option<String> {
    let mut text = Text::new(old);
    let top = text.keys(0, text.len())?;
    let Some(scripts) = find(&top, "scripts") else {
        text.append(&["scripts:".to_owned(), format!("  {name}:"), format!("    {}", change.setting()?)]);
        return Some(text.into_string());
    };
    if !scripts.value.is_empty() {
        return None;
    }
    let entries = text.keys(scripts.line + 1, scripts.end)?;
    let indent = entries.first().map_or(scripts.indent + 2, |entry| entry.indent);
    let inner = indent + indent.checked_sub(scripts.indent).filter(|step| *step > 0)?;
    match find(&entries, name) {
        None => {
            let lines = [format!("{}{name}:", pad(indent)), format!("{}{}", pad(inner), change.setting()?)];
            text.insert(scripts.end, &lines);
        }
        Some(entry) if *change == Change::Removed => text.comment_out(entry),
        Some(entry) if entry.value.is_empty() => change_entry(&mut text, entry, inner, change)?,
        Some(_) => return None,
    }
    Some(text.into_string())
}

/// Changes the existing settings of a script.
fn change_entry(text: &mut Text, entry: &Key, inner: usize, change: &Change) -> Option<()> {
    let keys = text.keys(entry.line + 1, entry.end)?;
    let inner = keys.first().map_or(inner, |key| key.indent);
    match change {
        Change::Enabled(on) => {
            if let Some(key) = find(&keys, "enabled") {
                return text.replace_value(key, &on.to_string());
            }
        }
        Change::Grants(grants) => {
            if let Some(key) = find(&keys, "grants") {
                return change_grants(text, key, grants);
            }
        }
        Change::Removed => return None,
    }
    text.insert(entry.line + 1, &[format!("{}{}", pad(inner), change.setting()?)]);
    Some(())
}

/// Adds missing grants to an existing list, in flow or block style.
fn change_grants(text: &mut Text, key: &Key, grants: &[String]) -> Option<()> {
    if let Some(list) = key.value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        let there: Vec<_> = list.split(',').map(|grant| grant.trim().trim_matches(['"', '\''])).collect();
        let more: Vec<_> = grants.iter().filter(|grant| !there.contains(&grant.as_str())).cloned().collect();
        let comma = if list.trim().is_empty() || more.is_empty() { "" } else { ", " };
        return text.replace_value(key, &format!("[{}{comma}{}]", list.trim(), quoted(&more)));
    }
    if !key.value.is_empty() {
        return None;
    }
    let items = text.items(key);
    let indent = items.first().map_or(key.indent + 2, |(indent, _)| *indent);
    let more = grants.iter().filter(|grant| !items.iter().any(|(_, item)| item == *grant));
    let lines: Vec<_> = more.map(|grant| format!("{}- {}", pad(indent), quoted(std::slice::from_ref(grant)))).collect();
    text.insert(key.end, &lines);
    Some(())
}

fn find<'k>(keys: &'k [Key], name: &str) -> Option<&'k Key> {
    keys.iter().find(|key| key.name == name)
}

fn pad(indent: usize) -> String {
    " ".repeat(indent)
}

/// Whether `new` is valid and has the meaning of `old` with the change applied.
fn is_right(old: &str, new: &str, name: &str, change: &Change) -> bool {
    let wanted = meaning(old).and_then(|old| changed(old, name, change));
    wanted.is_some() && wanted == meaning(new) && serde_saphyr::from_str::<File>(new).is_ok()
}

/// Parses the text; `scripts` and each of its entries become maps, even if they are empty.
fn meaning(text: &str) -> Option<Map<String, Value>> {
    let mut whole = map(serde_saphyr::from_str::<Value>(text).ok()?)?;
    let scripts = map(whole.remove("scripts").unwrap_or_default())?;
    let scripts: Option<Map<String, Value>> =
        scripts.into_iter().map(|(name, settings)| Some((name, Value::Object(map(settings)?)))).collect();
    whole.insert("scripts".to_owned(), Value::Object(scripts?));
    Some(whole)
}

/// Converts a value to a map; null becomes an empty one.
fn map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        Value::Null => Some(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

fn changed(mut whole: Map<String, Value>, name: &str, change: &Change) -> Option<Map<String, Value>> {
    let scripts = whole.get_mut("scripts")?.as_object_mut()?;
    let (key, value) = match change {
        Change::Enabled(on) => ("enabled", json!(on)),
        Change::Grants(grants) => ("grants", json!(grants)),
        Change::Removed => {
            scripts.remove(name)?;
            return Some(whole);
        }
    };
    let settings = scripts.entry(name).or_insert_with(|| json!({})).as_object_mut()?;
    settings.insert(key.to_owned(), value);
    Some(whole)
}
