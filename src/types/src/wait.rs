//! Waits of runs, and their outcomes.

use serde::{Deserialize, Serialize};

use crate::action::ActionKey;
use crate::http::{Reply, Request};
use crate::ids::{RoomId, UserId};
use crate::time::Millis;

/// A reason to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// A time.
    Sleep {
        /// The end of the wait.
        until: Millis,
    },
    /// The next message of a user in a room.
    Ask {
        /// The room.
        room: RoomId,
        /// The user.
        user: UserId,
        /// The timeout.
        until: Millis,
    },
    /// A user's choice: a press of a button with one of these actions, or a message equal to a label.
    Choose {
        /// The room.
        room: RoomId,
        /// The user.
        user: UserId,
        /// The action and the label of each choice.
        choices: Vec<(String, String)>,
        /// The timeout.
        until: Millis,
    },
    /// The response to an HTTP request.
    Http {
        /// The request.
        request: Request,
        /// The timeout.
        until: Millis,
    },
    /// The result of one of the script's own actions.
    Delivery {
        /// The action.
        key: ActionKey,
        /// The timeout.
        until: Millis,
    },
}

impl Wait {
    /// Returns the time at which the wait ends at the latest.
    #[must_use]
    pub const fn until(&self) -> Millis {
        match self {
            Self::Sleep { until }
            | Self::Ask { until, .. }
            | Self::Choose { until, .. }
            | Self::Http { until, .. }
            | Self::Delivery { until, .. } => *until,
        }
    }

    /// Returns the wait without the query, headers and body of an HTTP request, for the journal.
    ///
    /// They may be secret, and the request is not repeated after a restart.
    #[must_use]
    pub fn for_the_record(&self) -> Self {
        match self {
            Self::Http { request, until } => {
                let url = request.url.split(['?', '#']).next().unwrap_or_default().to_owned();
                let request = Request { headers: Vec::new(), body: None, url, ..request.clone() };
                Self::Http { request, until: *until }
            }
            other => other.clone(),
        }
    }

    /// Returns the wait, ending no later than `latest`.
    #[must_use]
    pub fn ending_by(mut self, latest: Millis) -> Self {
        match &mut self {
            Self::Sleep { until }
            | Self::Ask { until, .. }
            | Self::Choose { until, .. }
            | Self::Http { until, .. }
            | Self::Delivery { until, .. } => *until = latest.min(*until),
        }
        self
    }
}

/// Maximum size of the body of an HTTP response in the journal, in bytes; larger ones are left out.
const RECORDED_BODY_MAX: usize = 16 << 10;

impl Answer {
    /// Returns the answer as it is recorded: without a large body.
    #[must_use]
    pub fn for_the_record(self) -> Self {
        match self {
            Self::Reply(reply) if reply.body.len() > RECORDED_BODY_MAX => {
                Self::Reply(Box::new(Reply { body: Vec::new(), is_body_omitted: true, ..*reply }))
            }
            other => other,
        }
    }

    /// Whether the record lacks a part of the answer.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        matches!(self, Self::Reply(reply) if reply.is_body_omitted)
    }
}

/// The outcome of a wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The timeout passed.
    TimeUp,
    /// The user's message or choice, or the id of what an action created (empty if it creates nothing).
    Text(String),
    /// The HTTP response.
    Reply(Box<Reply>),
    /// The failure.
    Failed(String),
}
