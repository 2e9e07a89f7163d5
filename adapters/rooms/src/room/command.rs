//! Commands to a room, from connections, bots and the service.

use std::sync::Arc;

use palabre_types::{Action, ActionKey, RoomChange};
use socketioxide::socket::Sid;
use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use super::moderation_notice::ModerationNotice;
use super::state::watchers::Update;
use crate::decode::{Choose, Delete, Edit, Fill, History, Join, Press, React, Send, Upload, Users};
use crate::guests::Guest;
use crate::history::MessageRow;
use crate::peer::{AckSender, Peer};
use crate::presence::Author;

/// A command to a room.
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
        origin: Origin,
        send: Send,
    },
    Edit {
        origin: Origin,
        edit: Edit,
    },
    Delete {
        origin: Origin,
        delete: Delete,
    },
    React {
        origin: Origin,
        react: React,
    },
    /// Pins or unpins a message.
    Pin {
        origin: Origin,
        id: String,
        pinned: bool,
    },
    /// Moves the read marker of an account.
    ReadUpTo {
        origin: Origin,
        id: String,
        /// Whether it may move back.
        is_back: bool,
    },
    /// Changes topic, slow mode and lock.
    Arrange {
        origin: Origin,
        changes: Vec<RoomChange>,
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
    /// A person who is not in the room over Socket.IO is typing, or has stopped.
    TypingAs {
        author: Author,
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
    /// An action of a bot.
    Act(Box<ActionRequest>),
    /// A direct message of a bot to one user.
    Direct(DirectMessage),
    /// A moderation action of another room that also applies here.
    Moderated(Arc<ModerationNotice>),
    /// Forgets the messages that the sweep deleted, up to a position.
    Forget {
        up_to: u64,
    },
    /// Asks for the names of the people in the room.
    Count(oneshot::Sender<Vec<String>>),
    /// Asks for what the bots say from now on.
    Watch(mpsc::Sender<Update>),
    /// No more answers of scripts to a message follow.
    Finished {
        message: String,
    },
    /// Deletes the room with everything in it.
    Erase(oneshot::Sender<Result<(), String>>),
    /// Deletes messages of an account, as many as one commit takes. The answer is their number.
    EraseAuthor {
        author: String,
        answer: oneshot::Sender<Result<usize, String>>,
    },
    /// Removes those who may not enter the room any more. The answer comes when all commits are durable.
    RemoveStrangers(oneshot::Sender<()>),
}

/// The person who sends a request: over a connection in the room, or over HTTP.
pub(crate) enum Origin {
    Client { sid: Sid, ack: AckSender },
    Http { author: Author, answer: HttpAnswer },
}

/// The recipient of the result of a request over HTTP, which is the id of a message if it is about one.
pub(crate) type HttpAnswer = oneshot::Sender<Result<Option<String>, Refusal>>;

/// The reason why a room did not take a message.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The rules of the room, or a script.
    Refused(String),
    /// There is no such message.
    NotFound(String),
    /// It may be sent again.
    Unavailable(String),
}

impl Command {
    /// Returns the acknowledgement of the command, if a client waits for one.
    pub(crate) fn into_ack(self) -> Option<AckSender> {
        match self {
            Self::Join { ack, .. }
            | Self::Post { origin: Origin::Client { ack, .. }, .. }
            | Self::Edit { origin: Origin::Client { ack, .. }, .. }
            | Self::Delete { origin: Origin::Client { ack, .. }, .. }
            | Self::React { origin: Origin::Client { ack, .. }, .. }
            | Self::Pin { origin: Origin::Client { ack, .. }, .. }
            | Self::ReadUpTo { origin: Origin::Client { ack, .. }, .. }
            | Self::Arrange { origin: Origin::Client { ack, .. }, .. }
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

/// An action of a bot.
pub(crate) struct ActionRequest {
    pub(crate) action: Action,
    pub(crate) key: ActionKey,
    pub(crate) answer: Answer,
}

/// A message for one user, by lower-case username. The answer is whether the user is here.
pub(crate) struct DirectMessage {
    pub(crate) user: String,
    pub(crate) row: Arc<MessageRow>,
    pub(crate) answer: oneshot::Sender<bool>,
}
