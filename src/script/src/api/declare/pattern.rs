//! `hear`: patterns and word lists.

use mlua::{Lua, Table, Value as LuaValue};

use super::admission::{keep, loading, room_for};
use super::options::{object, read};
use crate::api::check::text;
use crate::api::function::add;
use crate::declarations::{PatternKind, PatternSpec};
use crate::reply::Problem;
use crate::run::SharedRun;

/// The overhead of a word in addition to its letters, in bytes.
const WORD_OVERHEAD: usize = 16;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "declare_pattern", run, |_, run, what: LuaValue| {
        let mut run = run.borrow_mut();
        loading(&run, "hear")?;
        room_for(run.declared.patterns.len(), "patterns")?;
        let (spec, size) = pattern(&what, run.declared.patterns.len())?;
        let key = spec.key.clone();
        if !run.declared.patterns.iter().any(|other| other.key == spec.key) {
            match &spec.what {
                PatternKind::Regex(_) => run.spend_listening(size, 0)?,
                PatternKind::Words { .. } => run.spend_listening(0, size)?,
            }
            keep(&mut run, &spec, 0)?;
            run.declared.patterns.push(spec);
        }
        Ok(key)
    })
}

/// Returns the declared pattern or word list, and its size in bytes.
fn pattern(what: &LuaValue, index: usize) -> Result<(PatternSpec, usize), Problem> {
    match what {
        LuaValue::String(regex) => {
            let regex = text(regex)?;
            regex_spec(regex, false)
        }
        LuaValue::Table(_) => {
            #[derive(serde::Deserialize)]
            struct Listening {
                #[serde(default)]
                pattern: Option<String>,
                #[serde(default)]
                words: Option<Vec<String>>,
                #[serde(default)]
                normalise: bool,
                #[serde(default)]
                edits: bool,
            }
            let known = ["pattern", "words", "normalise", "edits"];
            let what: Listening = read("hear", object("hear", what, &known)?)?;
            let Listening { normalise, edits, .. } = what;
            match (what.pattern, what.words) {
                (Some(regex), None) => regex_spec(regex, edits),
                (None, Some(words)) => {
                    // Checked here so that the error is raised at the script's own line.
                    palabre_text::check_words(&words).map_err(|error| format!("hear: {error}"))?;
                    let key = format!("words {}", index + 1);
                    let size = words.iter().map(|word| word.len() + WORD_OVERHEAD).sum();
                    let what = PatternKind::Words { words: words.into(), normalise };
                    Ok((PatternSpec { key, what, edits }, size))
                }
                _ => Err("hear takes either a pattern or words".to_owned()),
            }
        }
        other => Err(format!("hear takes a regular expression or {{ words = … }}, not a {}", other.type_name())),
    }
}

fn regex_spec(regex: String, edits: bool) -> Result<(PatternSpec, usize), Problem> {
    let size = palabre_text::pattern_size(&regex).map_err(|error| format!("hear: {error}"))?;
    // The same expression with and without edits counts as two patterns.
    let key = format!("{} {regex}", if edits { "regex+edits" } else { "regex" });
    Ok((PatternSpec { key, what: PatternKind::Regex(regex), edits }, size))
}
