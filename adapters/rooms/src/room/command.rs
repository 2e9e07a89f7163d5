//! What a room is told, by connections, by bots and by the service.

use std::sync::Arc;

use palabre_model::{Action, ActionError, ActionKey, Outcome};
use socketioxide::socket::Sid;
use tokio::sync::oneshot;

use super::moderation::ModerationNotice;
use crate::decode::{Choose, Delete, Edit, Fill, History, Join, Press, React, Send, Upload, Users};
use crate::guests::Guest;
use crate::history::MessageRow;
use crate::peer::{AckSender, Peer};

/// One thing that a room is told.
pub(crate) enum Command {
    Join {
        socket: Peer,
        join: Join,
        guest: Guest,
        ack: AckSender,
    },
    Leave {
        sid: Sid,
    },
    Post {
        sid: Sid,
        send: Send,
        ack: AckSender,
    },
    Edit {
        sid: Sid,
        edit: Edit,
        ack: AckSender,
    },
    Delete {
        sid: Sid,
        delete: Delete,
        ack: AckSender,
    },
    React {
        sid: Sid,
        react: React,
        ack: AckSender,
    },
    Press {
        sid: Sid,
        press: Press,
        ack: AckSender,
    },
    Choose {
        sid: Sid,
        choose: Choose,
        ack: AckSender,
    },
    Fill {
        sid: Sid,
        fill: Fill,
        ack: AckSender,
    },
    Upload {
        sid: Sid,
        upload: Upload,
        ack: AckSender,
    },
    Typing {
        sid: Sid,
        is_typing: bool,
    },
    Users {
        sid: Sid,
        users: Users,
        ack: AckSender,
    },
    History {
        sid: Sid,
        history: History,
        ack: AckSender,
    },
    /// A bot does something.
    Act(Box<ActionRequest>),
    /// A bot says something to one person, wherever they are.
    Direct(DirectMessage),
    /// Something was done to somebody in another room, which concerns them here too.
    Moderated(Arc<ModerationNotice>),
    /// What the sweep removed is forgotten here too.
    Forget {
        up_to: u64,
    },
    /// How many people there are, and who.
    Count(oneshot::Sender<Vec<String>>),
}

impl Command {
    /// The acknowledgement that somebody waits for.
    pub(crate) fn into_ack(self) -> Option<AckSender> {
        match self {
            Self::Join { ack, .. }
            | Self::Post { ack, .. }
            | Self::Edit { ack, .. }
            | Self::Delete { ack, .. }
            | Self::React { ack, .. }
            | Self::Press { ack, .. }
            | Self::Choose { ack, .. }
            | Self::Fill { ack, .. }
            | Self::Upload { ack, .. }
            | Self::Users { ack, .. }
            | Self::History { ack, .. } => Some(ack),
            _ => None,
        }
    }
}

/// What becomes of an action is said here.
pub(crate) type Answer = oneshot::Sender<Result<Outcome, ActionError>>;

/// An action of a bot.
pub(crate) struct ActionRequest {
    pub(crate) action: Action,
    pub(crate) key: ActionKey,
    pub(crate) answer: Answer,
}

/// A message for one person, by lower-case username. The answer says whether they are here.
pub(crate) struct DirectMessage {
    pub(crate) user: String,
    pub(crate) row: Arc<MessageRow>,
    pub(crate) answer: oneshot::Sender<bool>,
}
