//! `palabre values`: lists, prints, sets and deletes stored values of scripts.

use std::path::Path;

use clap::{Args, Subcommand};
use palabre_engine::{EditError, ValueChange, edit_stored, stored_values};
use palabre_platform::{Clock, SystemClock};
use palabre_store::Store;
use palabre_types::ScriptName;
use serde_json::{Map, Value};

use super::check_store::{STORE_FILE, close_whole};
use crate::config::Config;
use crate::output::{self, count};
use crate::problem::Problem;

/// The operator that the journal names.
const OPERATOR: &str = "palabre values";

#[derive(Debug, Subcommand)]
pub(crate) enum ValuesCommand {
    /// List the stored values of a script.
    List {
        #[command(flatten)]
        of: Place,
        /// List only names that begin with this.
        #[arg(long, default_value = "")]
        prefix: String,
        /// Print them as one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print a stored value as JSON.
    Get {
        #[command(flatten)]
        of: Place,
        /// Name of the value.
        name: String,
    },
    /// Set a stored value. It does not expire.
    ///
    /// Example: palabre values set shop price 7
    Set {
        #[command(flatten)]
        of: Place,
        /// Name of the value.
        name: String,
        /// The value as JSON: 7, true, '"a text"', '{"a": [1, 2]}'.
        #[arg(value_name = "JSON", allow_hyphen_values = true)]
        value: String,
    },
    /// Delete stored values.
    Delete {
        #[command(flatten)]
        of: Place,
        /// Names of the values.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// The values of a script in one scope.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Name of the script.
    script: String,
    /// Scope of the values, without which those of `store` itself are meant.
    ///
    /// Those of `store.of` are user:ID, member:ID@SPACE, room:ID and space:ID.
    #[arg(long, default_value = "")]
    scope: String,
}

pub(crate) async fn values(config: &Config, command: ValuesCommand) -> Result<(), Problem> {
    let data = config.data();
    if !data.join(STORE_FILE).exists() {
        return Err(Problem::Other(format!("there is no store in {}, so there are no values", data.display())));
    }
    match command {
        ValuesCommand::List { of, prefix, json } => {
            let found = read(&data, &of)?.into_iter().filter(|(name, _)| name.starts_with(&prefix));
            list(found.collect(), json);
        }
        ValuesCommand::Get { of, name } => {
            let value = read(&data, &of)?.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
            output::line(&pretty(&value.ok_or_else(|| unknown(&of, &name))?));
        }
        ValuesCommand::Set { of, name, value } => {
            let value = serde_json::from_str(&value).map_err(|error| {
                let quoted = Value::String(value.clone());
                Problem::Other(format!("{value} is not JSON: {error}; a text is written in quotes: '{quoted}'"))
            })?;
            check_name(&name)?;
            check_script(config, &data, &of)?;
            if value == Value::Null {
                return Err(Problem::Other("null is no value; `palabre values delete` deletes one".to_owned()));
            }
            edit(&data, &of, vec![(name.clone(), Some(value))]).await?;
            output::line(&format!("{name} is set; {} sees it when the daemon starts", of.script));
        }
        ValuesCommand::Delete { of, names } => {
            let known = read(&data, &of)?;
            names.iter().try_for_each(|name| check_name(name))?;
            if let Some(name) = names.iter().find(|name| !known.iter().any(|(other, _)| other == *name)) {
                return Err(unknown(&of, name));
            }
            let number = names.len();
            edit(&data, &of, names.into_iter().map(|name| (name, None)).collect()).await?;
            output::line(&format!("{} deleted", count(number, "value")));
        }
    }
    Ok(())
}

fn read(data: &Path, of: &Place) -> Result<Vec<(String, Value)>, Problem> {
    let store = Store::open_for_inspection(data)?;
    let script = ScriptName::from(of.script.as_str());
    let values = stored_values(&store.snapshot(SystemClock.now())?, &script, &of.scope)?.collect::<Result<_, _>>()?;
    close_whole(&store)?;
    Ok(values)
}

async fn edit(data: &Path, of: &Place, changes: Vec<(String, Option<Value>)>) -> Result<(), Problem> {
    let store = Store::open(data)?;
    let change = |(name, value)| ValueChange { scope: of.scope.clone(), name, value };
    let changes: Vec<_> = changes.into_iter().map(change).collect();
    let edited = edit_stored(&store, &of.script.as_str().into(), OPERATOR, &changes, SystemClock.now()).await;
    close_whole(&store)?;
    edited.map_err(|error| match error {
        EditError::Store(error) => error.into(),
        error => Problem::Other(error.to_string()),
    })
}

fn list(values: Vec<(String, Value)>, json: bool) {
    if json {
        output::line(&pretty(&Value::Object(values.into_iter().collect::<Map<_, _>>())));
        return;
    }
    for (name, value) in &values {
        // Names come from scripts, and may be what a user wrote.
        let is_plain = !name.chars().any(char::is_control);
        output::line(&if is_plain { format!("{name} = {value}") } else { format!("{name:?} = {value}") });
    }
    output::line(&count(values.len(), "value"));
}

fn unknown(of: &Place, name: &str) -> Problem {
    let Place { script, scope } = of;
    let option = if scope.is_empty() { String::new() } else { format!(" --scope {scope}") };
    let list = format!("palabre values list {script}{option}");
    Problem::Other(format!("{script} has no value {name:?} there; `{list}` lists them"))
}

/// Refuses a name that stands for bytes which are not text: it would be another one.
fn check_name(name: &str) -> Result<(), Problem> {
    if name.contains(char::REPLACEMENT_CHARACTER) {
        return Err(Problem::Other(format!("the name {name:?} is not text; only its script can change that value")));
    }
    Ok(())
}

/// Refuses a script that is neither there nor has any value.
fn check_script(config: &Config, data: &Path, of: &Place) -> Result<(), Problem> {
    let is_there = palabre_script::discover(&config.scripts_folder())?.iter().any(|name| name.as_str() == of.script)
        || palabre_script::BUILT_IN.iter().any(|(name, _)| *name == of.script);
    if is_there || !read(data, of)?.is_empty() {
        return Ok(());
    }
    let script = &of.script;
    Err(Problem::Other(format!("there is no script {script}; `palabre scripts list` lists them")))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
