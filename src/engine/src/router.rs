//! Derives commands and pattern matches from a message, in one pass for all scripts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use palabre_runner::Declared;
use palabre_script::Declarations;
use palabre_text::Prepared;
use palabre_types::{BotName, CommandSpec, Event, EventKind, Message, ScriptName};
use serde_json::Value;

use crate::listener::{Listener, Preparer};
use crate::metrics::Metrics;

/// The prefix of commands that works everywhere, in addition to the one of bots.yaml.
const DEFAULT_PREFIX: &str = "/";

/// A script and the key of one of its patterns.
type PatternKey = (ScriptName, String);

/// The commands and patterns of all scripts.
#[derive(Default)]
pub(crate) struct Router {
    declared: BTreeMap<ScriptName, Arc<Declarations>>,
    /// By name in lower case: the script, and the command's main name.
    commands: HashMap<String, (ScriptName, String)>,
    /// Names that a script wants and another one has; each conflict is logged once.
    contested: HashMap<(ScriptName, String), ScriptName>,
    /// The matcher of each script with patterns or words.
    listeners: BTreeMap<ScriptName, Listener>,
    preparer: Preparer,
    metrics: Arc<Metrics>,
    /// Patterns that are also searched for in edited messages.
    in_edits: HashSet<PatternKey>,
    /// Additional prefixes, by bot.
    prefixes: HashMap<BotName, String>,
}

impl Router {
    /// Creates a router without scripts. `prefixes` are those of bots.yaml.
    pub(crate) fn new(prefixes: HashMap<BotName, String>, metrics: Arc<Metrics>) -> Self {
        Self { prefixes, metrics, ..Self::default() }
    }

    /// Replaces the declarations of a script by those of another version.
    pub(crate) fn declare(&mut self, script: &ScriptName, declared: Arc<Declarations>) {
        let before = self.declared.insert(script.clone(), Arc::clone(&declared));
        let before = before.unwrap_or_default();
        if before.commands != declared.commands {
            self.collect_commands();
        }
        self.in_edits.retain(|(of, _)| of != script);
        let in_edits = declared.patterns.iter().filter(|pattern| pattern.edits);
        self.in_edits.extend(in_edits.map(|pattern| (script.clone(), pattern.key.clone())));
        if declared.patterns.is_empty() {
            self.listeners.remove(script);
        } else {
            self.preparer.prepare(script, &declared.listening.scanner);
            self.listeners.insert(script.clone(), Listener::new(&declared.listening));
        }
    }

    /// Assigns each command name to a script.
    ///
    /// Name conflicts: built-in scripts win, then the current owner, then alphabetical order.
    fn collect_commands(&mut self) {
        let before = std::mem::take(&mut self.commands);
        let warned_of = std::mem::take(&mut self.contested);
        let names = |declared: &Declarations| {
            let names = declared.commands.iter().flat_map(|command| {
                let all = std::iter::once(&command.name).chain(&command.aliases);
                all.map(|name| (name.to_lowercase(), command.name.clone())).collect::<Vec<_>>()
            });
            names.collect::<Vec<_>>()
        };
        let mut claims: Vec<_> = self
            .declared
            .iter()
            .flat_map(|(script, declared)| {
                names(declared).into_iter().map(|(name, command)| (script.clone(), name, command)).collect::<Vec<_>>()
            })
            .collect();
        let is_late = |script: &ScriptName, name: &str| {
            let had_it = before.get(name).is_some_and(|(owner, _)| owner == script);
            (!is_built_in(script), !had_it)
        };
        claims.sort_by_key(|(script, name, _)| is_late(script, name));
        for (script, name, command) in claims {
            let place = self.commands.entry(name.clone());
            if let std::collections::hash_map::Entry::Occupied(taken) = &place
                && taken.get().0 != script
            {
                let (other, claim) = (&taken.get().0, (script.clone(), name.clone()));
                if warned_of.get(&claim) != Some(other) {
                    tracing::warn!(script = %script, "its command /{name} already belongs to {other}, which keeps it");
                }
                self.contested.insert(claim, other.clone());
            }
            place.or_insert((script, command));
        }
    }

    /// Returns the declarations for others: the help, the HTTP server, the gate.
    pub(crate) fn declared(&self) -> Declared {
        let routes = self.declared.iter().flat_map(|(script, declared)| {
            declared.routes.iter().map(|route| (script.clone(), route.clone())).collect::<Vec<_>>()
        });
        Declared { commands: Arc::new(self.commands()), routes: routes.collect(), gates: Vec::new() }
    }

    /// Returns the commands that people reach by their names, each once.
    pub(crate) fn offered(&self) -> impl Iterator<Item = (&ScriptName, &CommandSpec)> {
        let all = self
            .declared
            .iter()
            .flat_map(|(script, declared)| declared.commands.iter().map(move |spec| (script, spec)));
        all.filter(|(script, spec)| {
            self.commands.get(&spec.name.to_lowercase()).is_some_and(|(owner, _)| owner == *script)
        })
    }

    fn commands(&self) -> Vec<(ScriptName, CommandSpec)> {
        let of_script = |(script, declared): (&ScriptName, &Arc<Declarations>)| {
            declared.commands.iter().map(|command| (script.clone(), command.clone())).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.declared.iter().flat_map(of_script).collect();
        all.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        all
    }

    /// Derives commands and matches from an event, each with its script.
    ///
    /// Messages of bots give no commands, or two bots could talk to each other for ever.
    pub(crate) fn derive(&mut self, event: &Event) -> Vec<(ScriptName, EventKind)> {
        let (message, before, edited) = match &event.kind {
            EventKind::Message { message } => (message, None, false),
            EventKind::MessageEdit { message, before, .. } if !self.in_edits.is_empty() => {
                (message, before.as_ref(), true)
            }
            _ => return Vec::new(),
        };
        if event.user.as_ref().is_none_or(|user| user.bot) {
            return Vec::new();
        }
        let command = if edited { None } else { self.command(event, message) };
        let mut derived: Vec<_> = command.into_iter().collect();
        // Prepared once for all scripts.
        let text = Prepared::new(&message.content.text);
        let before = before.map(|before| Prepared::new(&before.content.text));
        let is_command = !derived.is_empty();
        for (script, listener) in &mut self.listeners {
            // If a script has a command for the message, built-in scripts do not react to it as
            // well.
            let is_answered = is_command && is_built_in(script);
            if is_answered || (edited && !self.in_edits.iter().any(|(of, _)| of == script)) {
                continue;
            }
            let heard = listener.hear(script, &text, &self.metrics);
            // Matches that the message had before the edit were reported then.
            let known = before.as_ref().map(|before| listener.hear(script, before, &self.metrics)).unwrap_or_default();
            derived.extend(heard.into_iter().filter_map(|(pattern, captures)| {
                let key = (script.clone(), pattern);
                let is_due = !edited || (self.in_edits.contains(&key) && is_news(&key.1, &captures, &known));
                let kind = || EventKind::Heard { pattern: key.1.clone(), captures, message: message.clone(), edited };
                is_due.then(|| (script.clone(), kind()))
            }));
        }
        derived
    }

    fn command(&self, event: &Event, message: &Message) -> Option<(ScriptName, EventKind)> {
        if self.commands.is_empty() {
            return None;
        }
        let text = message.content.text.trim_start();
        let own = self.prefixes.get(&event.bot.name).map(String::as_str);
        let after = own.into_iter().chain([DEFAULT_PREFIX]).find_map(|prefix| text.strip_prefix(prefix))?;
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (name, arguments) = after.split_at(end);
        // `/roll@dice_bot`: a form for rooms with several bots.
        let name = name.split('@').next().unwrap_or(name).to_lowercase();
        let (script, command) = self.commands.get(&name)?;
        let kind = EventKind::Command {
            command: command.clone(),
            arguments: arguments.trim().to_owned(),
            message: Some(message.clone()),
            interaction: None,
            options: None,
        };
        Some((script.clone(), kind))
    }

    /// Returns the script that owns a native slash command.
    pub(crate) fn owner(&self, event: &Event) -> Option<ScriptName> {
        let EventKind::Command { command, .. } = &event.kind else { return None };
        self.commands.get(&command.to_lowercase()).map(|(script, _)| script.clone())
    }
}

/// Whether a pattern has a match that it did not have before.
fn is_news(pattern: &str, found: &Value, before: &[(String, Value)]) -> bool {
    let Some((_, known)) = before.iter().find(|(key, _)| key == pattern) else { return true };
    match (found, known) {
        (Value::Array(found), Value::Array(known)) => {
            found.iter().any(|found| !known.iter().any(|known| known["word"] == found["word"]))
        }
        (found, known) => found != known,
    }
}

fn is_built_in(script: &ScriptName) -> bool {
    palabre_script::BUILT_IN.iter().any(|(built_in, _)| *built_in == script.as_str())
}
