//! `palabre dead-letters`: lists, shows, retries and drops dead letters.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use palabre_engine::{DeadLetter, DeadLetterError, drop_dead_letters, retry_dead_letters};
use palabre_platform::{Clock, SystemClock};
use palabre_store::Store;
use palabre_types::iso8601;
use serde_json::Value;

use super::check_store::{STORE_FILE, close_whole};
use crate::config::Config;
use crate::output::{self, count};
use crate::problem::Problem;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List dead letters, oldest first.
    List {
        /// Print them as JSON, with their full content.
        #[arg(long)]
        json: bool,
    },
    /// Show a dead letter with its full content, as JSON.
    Show {
        /// Number from the list.
        number: u64,
    },
    /// Retry dead letters when the daemon starts.
    Retry(Selection),
    /// Delete dead letters.
    Drop(Selection),
}

/// A selection of dead letters.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Numbers from the list.
    #[arg(required_unless_present = "all", value_name = "NUMBER")]
    numbers: Vec<u64>,
    /// Select all dead letters.
    #[arg(long, conflicts_with = "numbers")]
    all: bool,
}

pub(crate) async fn dead_letters(config: &Config, command: DeadLettersCommand) -> Result<(), Problem> {
    let data = config.data();
    if !data.join(STORE_FILE).exists() {
        return Err(Problem::Other(format!("there is no store in {}, so there are no dead letters", data.display())));
    }
    match command {
        DeadLettersCommand::List { json } => {
            let store = Store::open_for_inspection(&data)?;
            let letters = read(&store)?;
            close_whole(&store)?;
            list(&letters, json);
        }
        DeadLettersCommand::Show { number } => {
            let store = Store::open_for_inspection(&data)?;
            let letters = read(&store)?;
            close_whole(&store)?;
            let found = letters.iter().find(|(known, _)| *known == number);
            let (number, letter) = found.ok_or(DeadLetterError::Unknown(number))?;
            output::line(&pretty(&as_json(*number, letter)));
        }
        DeadLettersCommand::Retry(selection) => {
            let store = Store::open(&data)?;
            let numbers = selection.resolve(&store)?;
            retry_dead_letters(&store, &numbers, SystemClock.now()).await?;
            close_whole(&store)?;
            output::line(&format!("{} will be retried when the daemon starts", count(numbers.len(), "dead letter")));
        }
        DeadLettersCommand::Drop(selection) => {
            let store = Store::open(&data)?;
            let numbers = selection.resolve(&store)?;
            drop_dead_letters(&store, &numbers, SystemClock.now()).await?;
            close_whole(&store)?;
            output::line(&format!("{} dropped", count(numbers.len(), "dead letter")));
        }
    }
    Ok(())
}

impl Selection {
    fn resolve(&self, store: &Store) -> Result<BTreeSet<u64>, Problem> {
        if !self.all {
            return Ok(self.numbers.iter().copied().collect());
        }
        Ok(read(store)?.into_iter().map(|(number, _)| number).collect())
    }
}

fn read(store: &Store) -> Result<Vec<(u64, DeadLetter)>, Problem> {
    Ok(palabre_engine::dead_letters(&store.snapshot(0)?)?.collect::<Result<_, _>>()?)
}

fn list(letters: &[(u64, DeadLetter)], json: bool) {
    if json {
        let all = letters.iter().map(|(number, letter)| as_json(*number, letter)).collect();
        output::line(&pretty(&Value::Array(all)));
        return;
    }
    for (number, letter) in letters {
        output::line(&format!("{number}  {}", summary(letter)));
    }
    output::line(&count(letters.len(), "dead letter"));
}

/// Describes a dead letter on one line: time, content and reason, without the texts of messages.
fn summary(letter: &DeadLetter) -> String {
    match letter {
        DeadLetter::Event { script, seq, event, at } => {
            let room = event.room.as_ref().map(|room| format!(" in {}", room.id)).unwrap_or_default();
            let kind = event.kind.name().as_str();
            format!(
                "{}  event {kind}{room}, number {seq}, of script {script}: the daemon crashed while handling it",
                iso8601(*at)
            )
        }
        DeadLetter::Action { key, action, reason, at, .. } => {
            format!(
                "{}  action {} in {} of script {}: {reason}",
                iso8601(*at),
                action.kind(),
                action.room(),
                key.script
            )
        }
    }
}

fn as_json(number: u64, letter: &DeadLetter) -> Value {
    // A dead letter can always be serialised.
    let mut value = serde_json::to_value(letter).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("number".to_owned(), number.into());
    }
    value
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
