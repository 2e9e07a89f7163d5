//! Observations: the calls of the host interface during a step, as its record keeps them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{ActionKey, Impact};
use crate::command::CommandSpec;
use crate::ids::{MessageId, RoomId, ScriptName, UserId};
use crate::people::{Denied, Member, Permission};
use crate::value::value_weight;

/// One call of the host interface during a step: what was asked, then the result.
///
/// In a record, observations are in the order of the calls. These calls leave none:
/// - reads of the script's own values, which are rebuilt from the writes of earlier steps;
/// - grants, which belong to the version;
/// - sizes, counts and rates, which only decide whether a limit ends the step;
/// - checks that pass. One that fails is [`Observation::Failed`], and so is a read that fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Observation {
    /// A read of an own value or a check failed: its number among those of the step, and the problem.
    #[serde(rename = "f")]
    Failed(u32, String),
    /// Whether a bot's platform supports a feature.
    #[serde(rename = "c")]
    Can(String, String, bool),
    /// The name behind a mention.
    #[serde(rename = "n")]
    Mentioned(String, Option<String>),
    /// The permission level of the event's user.
    #[serde(rename = "p")]
    Permission(Permission),
    /// The id and name of a user, by bot and by name or mention.
    #[serde(rename = "u")]
    UserNamed(String, String, Option<(String, String)>),
    /// A user's membership in the event's space.
    #[serde(rename = "m")]
    Member(UserId, Option<Member>),
    /// The reason why a user may not act on another one, by room, actor, target and impact.
    #[serde(rename = "a")]
    MayAct(Option<RoomId>, Option<UserId>, UserId, Impact, Option<Denied>),
    /// The key of the action by which the script sent a message.
    #[serde(rename = "s")]
    SentAs(RoomId, MessageId, Option<ActionKey>),
    /// Whether the script has messages in flight to a room.
    #[serde(rename = "i")]
    IsSending(RoomId, bool),
    /// Whether the run has answered its event's user in an earlier step.
    #[serde(rename = "h")]
    HasAnswered(bool),
    /// The default language of a bot.
    #[serde(rename = "l")]
    Language(String, Option<String>),
    /// The commands of all scripts.
    #[serde(rename = "o")]
    Commands(Arc<Vec<(ScriptName, CommandSpec)>>),
    /// The latest runs of a task, at a maximum number.
    #[serde(rename = "t")]
    TaskRuns(String, usize, Result<Vec<Value>, String>),
    /// The result of another script's function: script, function and arguments.
    #[serde(rename = "x")]
    Call(String, String, Value, Result<Value, String>),
    /// The id that an action's message will have in a room.
    #[serde(rename = "d")]
    MessageId(RoomId, ActionKey, Option<MessageId>),
}

impl Observation {
    /// Returns the approximate size, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        const BASE: usize = 64;
        const COMMAND: usize = 512;
        const ROLE: usize = 32;
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        BASE + match self {
            Self::Permission(_) | Self::HasAnswered(_) => 0,
            Self::Failed(_, problem) => problem.len(),
            Self::Can(bot, what, _) => bot.len() + what.len(),
            Self::Mentioned(mention, name) => mention.len() + optional(name),
            Self::UserNamed(bot, name, found) => {
                bot.len() + name.len() + found.as_ref().map_or(0, |(id, name)| id.len() + name.len())
            }
            Self::Member(user, member) => {
                let roles = member.iter().flat_map(|member| &member.roles);
                user.as_str().len() + roles.map(|role| ROLE + role.len()).sum::<usize>()
            }
            Self::MayAct(room, actor, target, _, _) => {
                let room = room.as_ref().map_or(0, |room| room.as_str().len());
                room + actor.as_ref().map_or(0, |actor| actor.as_str().len()) + target.as_str().len()
            }
            Self::SentAs(room, message, _) => BASE + room.as_str().len() + message.as_str().len(),
            Self::MessageId(room, _, _) => BASE + room.as_str().len(),
            Self::IsSending(room, _) => room.as_str().len(),
            Self::Language(bot, language) => bot.len() + optional(language),
            Self::Commands(commands) => COMMAND * commands.len(),
            Self::TaskRuns(task, _, Ok(runs)) => task.len() + runs.iter().map(value_weight).sum::<usize>(),
            Self::TaskRuns(task, _, Err(problem)) => task.len() + problem.len(),
            Self::Call(script, function, arguments, result) => {
                let result = result.as_ref().map_or_else(String::len, value_weight);
                script.len() + function.len() + value_weight(arguments) + result
            }
        }
    }
}

/// A call of a function that a script exports, during the step of another script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionCall {
    /// The function.
    pub function: String,
    /// The list of its arguments.
    pub arguments: Value,
}
