//! What a message is beside a message: a command of some script, or what some script listens for. One look for all scripts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use palabre_model::{BotName, CommandSpec, Event, EventKind, Message, ScriptName};
use palabre_script::{Declarations, PatternKind, RouteSpec};
use palabre_text::{Entry, Hit, Scanner};
use serde_json::{Value, json};

/// The prefix that works everywhere, beside the one of bots.yaml.
const PREFIX: &str = "/";

/// What all scripts declare, for those who ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    /// All commands, by name.
    pub(crate) commands: Arc<Vec<(ScriptName, CommandSpec)>>,
    pub(crate) routes: Vec<(ScriptName, RouteSpec)>,
    /// The slots of the scripts that see messages before they are delivered.
    pub(crate) gates: Vec<usize>,
}

/// Commands and patterns of all scripts.
#[derive(Default)]
pub(crate) struct Router {
    declared: BTreeMap<ScriptName, Arc<Declarations>>,
    /// By name in small letters: the script, and the command's own name.
    commands: HashMap<String, (ScriptName, String)>,
    scanner: Scanner<(ScriptName, String)>,
    /// Prefixes beside the one that works everywhere, by bot.
    prefixes: HashMap<BotName, String>,
}

impl Router {
    /// A router for nobody yet. `prefixes` are those of bots.yaml.
    pub(crate) fn new(prefixes: HashMap<BotName, String>) -> Self {
        Self { prefixes, ..Self::default() }
    }

    /// A script's version takes over, with all that it declares.
    pub(crate) fn declare(&mut self, script: &ScriptName, declared: Arc<Declarations>) {
        let before = self.declared.insert(script.clone(), Arc::clone(&declared));
        let before = before.unwrap_or_default();
        if before.commands != declared.commands {
            self.collect_commands();
        }
        if before.patterns != declared.patterns {
            self.collect_patterns();
        }
    }

    /// Which script a command belongs to: the help's own are its own, whoever had a name keeps it, and of those that come at the same
    /// time the first by name has it.
    fn collect_commands(&mut self) {
        let before = std::mem::take(&mut self.commands);
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
            let is_built_in = palabre_script::BUILT_IN.iter().any(|(built_in, _)| *built_in == script.as_str());
            (!is_built_in, !had_it)
        };
        claims.sort_by_key(|(script, name, _)| is_late(script, name));
        for (script, name, command) in claims {
            let place = self.commands.entry(name.clone());
            if let std::collections::hash_map::Entry::Occupied(taken) = &place
                && taken.get().0 != script
            {
                let other = &taken.get().0;
                tracing::warn!(script = %script, "its command /{name} belongs to {other} already, which keeps it");
            }
            place.or_insert((script, command));
        }
    }

    fn collect_patterns(&mut self) {
        let entries = self.declared.iter().flat_map(|(script, declared)| {
            declared.patterns.iter().map(move |pattern| {
                let key = (script.clone(), pattern.key.clone());
                match &pattern.what {
                    PatternKind::Regex(regex) => Entry::Pattern { key, pattern: regex.clone() },
                    PatternKind::Words { words, normalise } => {
                        Entry::Words { key, words: words.clone().into(), normalise: *normalise }
                    }
                }
            })
        });
        match self.scanner.rebuilt(entries.collect()) {
            Ok(scanner) => self.scanner = scanner,
            // Each was tried by itself when it was declared.
            Err(error) => tracing::error!("the patterns of all scripts do not go together; the old ones stay: {error}"),
        }
    }

    /// What others may ask about: the help, the server, the gate.
    pub(crate) fn declared(&self) -> Declared {
        let routes = self.declared.iter().flat_map(|(script, declared)| {
            declared.routes.iter().map(|route| (script.clone(), route.clone())).collect::<Vec<_>>()
        });
        Declared { commands: Arc::new(self.commands()), routes: routes.collect(), gates: Vec::new() }
    }

    /// The commands that people reach by their names, each once.
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

    /// What else a message is, and for which script. Programs give no commands, or two of them could talk for ever.
    pub(crate) fn derive(&self, event: &Event) -> Vec<(ScriptName, EventKind)> {
        let EventKind::Message { message } = &event.kind else { return Vec::new() };
        if event.user.as_ref().is_none_or(|user| user.bot) {
            return Vec::new();
        }
        let mut derived: Vec<_> = self.command(event, message).into_iter().collect();
        for hit in self.scanner.scan(&message.content.text) {
            let ((script, pattern), captures) = match hit {
                Hit::Pattern { key, captures, names } => (key, of_captures(&captures, &names)),
                Hit::Words { key, found } => {
                    let found = found
                        .iter()
                        .map(|found| json!({ "word": found.word, "start": found.start + 1, "stop": found.end }));
                    (key, found.collect())
                }
            };
            let heard = EventKind::Heard { pattern: pattern.clone(), captures, message: message.clone() };
            derived.push((script.clone(), heard));
        }
        derived
    }

    fn command(&self, event: &Event, message: &Message) -> Option<(ScriptName, EventKind)> {
        if self.commands.is_empty() {
            return None;
        }
        let text = message.content.text.trim_start();
        let own = self.prefixes.get(&event.bot.name).map(String::as_str);
        let after = own.into_iter().chain([PREFIX]).find_map(|prefix| text.strip_prefix(prefix))?;
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (name, arguments) = after.split_at(end);
        // `/roll@dice_bot`, as it is written where there are several bots.
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

    /// The script that a command is of which the platform has taken from somebody itself.
    pub(crate) fn owner(&self, event: &Event) -> Option<ScriptName> {
        let EventKind::Command { command, .. } = &event.kind else { return None };
        self.commands.get(&command.to_lowercase()).map(|(script, _)| script.clone())
    }
}

/// The whole match, the groups in order, and those that have names.
fn of_captures(captures: &[Option<String>], names: &[(String, usize)]) -> Value {
    let named = |(name, index): &(String, usize)| Some((name.clone(), captures.get(*index)?.clone()?.into()));
    let named: serde_json::Map<_, _> = names.iter().filter_map(named).collect();
    let groups = captures.get(1..).unwrap_or_default();
    json!({ "all": captures.first(), "groups": groups, "named": named })
}
