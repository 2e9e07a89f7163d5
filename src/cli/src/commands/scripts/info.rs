//! `palabre scripts info`: shows everything about one script.

use std::collections::BTreeMap;

use palabre_script::{ConfigField, ConfigKind, Manifest};
use serde_json::{Map, Value};

use super::installed::{self, Installed};
use super::lock::Lock;
use super::terminal::printable;
use super::{install, needs, tree};
use crate::config::Config;
use crate::output;
use crate::problem::Problem;

pub(super) fn info(config: &Config, name: &str) -> Result<(), Problem> {
    let script = installed::find(config, name)?;
    let manifest = script.valid_manifest();
    output::line(&installed::title(name, manifest));
    if let Err(problem) = &script.manifest {
        output::line(problem);
    }
    if let Some(manifest) = manifest {
        fact("about", manifest.description.as_deref());
        fact("author", manifest.author.as_deref());
        fact("license", manifest.license.as_deref());
        fact("runs on", manifest.palabre.as_ref().map(|palabre| format!("Palabre {palabre}")).as_deref());
    }
    fact("path", script.path.to_str());
    fact("state", Some(if installed::is_enabled(config, name) { "enabled" } else { "disabled" }));
    let lock = Lock::read(config)?;
    if let Some(entry) = lock.get(name) {
        fact("origin", Some(&entry.origin));
        fact("commit", entry.revision.as_deref());
        fact("installed", Some(&entry.installed_at));
        fact("files", (!script.is_as_installed(entry)).then_some("changed since it was installed"));
    }
    if let Some(manifest) = manifest {
        needs::show(config, name, &manifest.needs, &[]);
        install::show_dependencies(config, manifest)?;
        install::show_faults(config, manifest);
    }
    show_settings(config, &script);
    show_files(&script)
}

/// Prints a line, if there is a value.
fn fact(label: &str, value: Option<&str>) {
    if let Some(value) = value {
        output::line(&format!("  {label:9}  {}", printable(value)));
    }
}

fn show_settings(config: &Config, script: &Installed) {
    let written = written(config, &script.name);
    let schema = script.valid_manifest().and_then(|manifest| manifest.config.as_ref());
    if schema.is_none() && written.is_empty() {
        return;
    }
    output::line("settings");
    let Some(schema) = schema else {
        for (key, value) in &written {
            output::line(&format!("  {} = {}", printable(key), shown(key, value)));
        }
        return;
    };
    show_fields(schema, &written, "", 1);
}

fn show_fields(fields: &BTreeMap<String, ConfigField>, written: &Map<String, Value>, at: &str, depth: usize) {
    for (key, field) in fields {
        let path = format!("{at}.{key}");
        let value = written.get(key).filter(|value| !value.is_null());
        let (value, whence) = match (value, &field.default) {
            (Some(value), _) => (shown(&path, value), "in bots.yaml"),
            (None, Some(default)) => (shown(&path, default), "by default"),
            (None, None) if field.required => ("not set".to_owned(), "required"),
            (None, None) => ("not set".to_owned(), "optional"),
        };
        let about = field.description.as_deref().map(|about| format!(": {about}")).unwrap_or_default();
        let line = format!("{key} = {value} ({}, {whence}){about}", kind(field));
        output::line(&format!("{}{}", "  ".repeat(depth), printable(&line)));
        if let ConfigKind::Map(Some(inner)) = &field.kind {
            let none = Map::new();
            let written = written.get(key).and_then(Value::as_object).unwrap_or(&none);
            show_fields(inner, written, &path, depth + 1);
        }
    }
}

/// Describes the type of a setting, such as "integer, 1 to 50".
fn kind(field: &ConfigField) -> String {
    let mut kind = field.kind.as_str().to_owned();
    match &field.kind {
        ConfigKind::Choice(choices) => {
            let choices: Vec<_> = choices.iter().map(ToString::to_string).collect();
            kind.push_str(&format!(" of {}", choices.join(", ")));
        }
        ConfigKind::List(Some(item)) => kind.push_str(&format!(" of {}", item.kind.as_str())),
        _ => {}
    }
    match (field.min, field.max) {
        (Some(min), Some(max)) => kind.push_str(&format!(", {min} to {max}")),
        (Some(min), None) => kind.push_str(&format!(", at least {min}")),
        (None, Some(max)) => kind.push_str(&format!(", at most {max}")),
        (None, None) => {}
    }
    kind
}

/// Returns the script's `config` as written in bots.yaml.
///
/// Values from the environment are not filled in, since most of them are secrets.
fn written(config: &Config, name: &str) -> Map<String, Value> {
    let text = std::fs::read_to_string(config.path()).unwrap_or_default();
    let whole: Value = serde_saphyr::from_str(&text).unwrap_or_default();
    let written = whole.get("scripts").and_then(|scripts| scripts.get(name)?.get("config")?.as_object());
    written.cloned().unwrap_or_default()
}

/// Formats a value on one line, without secrets.
fn shown(at: &str, value: &Value) -> String {
    if Manifest::is_secret(at) {
        return "(not shown)".to_owned();
    }
    match value {
        Value::Array(list) => {
            let entries: Vec<_> = list.iter().map(|value| shown(at, value)).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<_> = map.iter().map(|(key, value)| format!("{key}: {}", shown(key, value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn show_files(script: &Installed) -> Result<(), Problem> {
    let files = tree::files(&script.path, &script.name)?;
    for (heading, tests) in [("files", false), ("tests", true)] {
        let mut shown = files.iter().filter(|(inside, _)| inside.ends_with(".test.luau") == tests).peekable();
        if shown.peek().is_some() {
            output::line(heading);
        }
        for (inside, path) in shown {
            let size = std::fs::metadata(path).map_or(0, |about| about.len());
            output::line(&format!("  {} ({size} bytes)", printable(inside)));
        }
    }
    Ok(())
}
