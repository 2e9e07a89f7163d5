//! Posting messages: each gets its position on arrival, and is shown once it is durable.

use std::sync::Arc;

use palabre_types::{Batch, EventKind, Millis};
use socketioxide::socket::Sid;

use super::command::Origin;
use super::erasing::GONE;
use super::state::State;
use super::state::commit::{CommitResult, OnCommit, Requester};
use crate::change_log::rows::Recorded;
use crate::decode::{Send, Upload};
use crate::encode::{Ack, ErrorMessage, NOT_IN_ROOM, message};
use crate::files;
use crate::history::MessageRow;
use crate::peer::AckSender;
use crate::presence::Author;
use crate::uploads::{UploadLimits, Waiting};

impl State {
    /// Posts a message.
    pub(super) async fn post(&mut self, origin: Origin, send: Send) {
        let Some((author, requester)) = self.person(origin) else { return };
        let now = self.cx.context.clock.now();
        let name = author.username.to_lowercase();
        if self.cx.context.shutdown.is_requested() {
            return self.refuse_at_shutdown(requester);
        }
        if self.is_gone() {
            return self.refuse_request(requester, GONE.to_owned());
        }
        let nonce = send.nonce.clone().map(|nonce| (name.clone(), nonce));
        if let Some(nonce) = &nonce
            && self.is_repeated(nonce, &author, &send.message).await
        {
            // After the first one, which may not be durable yet.
            let on_commit = OnCommit::Repeated { nonce: nonce.clone(), requester };
            self.pending.push_back(Box::pin(async { CommitResult { result: Ok(()), on_commit } }));
            return;
        }
        if let Err(problem) = self.may_post(&author, send.reply_to.as_deref(), now).await {
            return self.refuse_request(requester, problem);
        }
        let position = self.next;
        let mut rows = Batch::default();
        let files = self.cx.uploads.of_message(&self.room.name, &author.guest, &send.files, now);
        let attached = files.and_then(|(files, committing)| {
            let attachments = self
                .attachment_store(None)
                .put_uploaded(&mut rows, &send.files, files)
                .map_err(|error| error.to_string())?;
            Ok((attachments, committing))
        });
        let (attachments, committing) = match attached {
            Ok(attached) => attached,
            Err(problem) => return self.refuse_request(requester, problem),
        };
        let row = MessageRow {
            attachments,
            id: format!("{position:x}-{:08x}", self.cx.entropy.next() >> 32),
            username: author.username.clone(),
            author: Some(author.guest.to_string()),
            by_program: self.cx.authority.is_program(&author.guest),
            text: send.message,
            time: now,
            reply_to: send.reply_to,
            nonce: send.nonce,
            ..MessageRow::default()
        };
        let row = match self.apply_gate(&author, row).await {
            Ok(row) => row,
            Err(reason) => return self.refuse_request(requester, reason),
        };
        if let Some(nonce) = nonce {
            self.nonces.remember(nonce, row.id.clone());
        }
        self.cx.uploads.taken(&send.files);
        self.rules.record_message(&author.guest, now);
        let row = self.append(&mut rows, row);
        let event = self.event_by(&author, EventKind::Message { message: row.message(self.user_id(&row.username)) });
        let posted = || vec![Recorded::Posted { position }];
        let receipt = self.commit_recorded(Some(event), "a message", rows, posted);
        let on_commit = OnCommit::Show { position, row, requester };
        self.pending.push_back(Box::pin(async move {
            let result = receipt.await.map(drop).map_err(|error| error.to_string());
            drop(committing);
            CommitResult { result, on_commit }
        }));
    }

    fn refuse_at_shutdown(&mut self, requester: Requester) {
        let problem = "the server is shutting down; send the message again when it is back";
        match requester {
            Requester::Client { sid, ack } => self.refuse(sid, ack, problem.to_owned()),
            other => other.reply(Err(problem.to_owned())),
        }
    }

    /// Checks the rules of the room, and that the message to reply to is there.
    async fn may_post(&mut self, author: &Author, reply_to: Option<&str>, now: Millis) -> Result<(), String> {
        self.may_speak(author, now)?;
        match reply_to {
            Some(id) if self.find(id).await.is_none() => {
                Err("the message you are replying to is not in this room any more".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Announces a file and replies with its upload address.
    pub(super) fn announce_upload(&mut self, sid: Sid, upload: &Upload, ack: AckSender) {
        let now = self.cx.context.clock.now();
        let Some(session) = self.presence.session(sid) else {
            drop(ack.send(&Ack::Error { error: NOT_IN_ROOM.to_owned() }));
            return;
        };
        let (author, network) = (session.author(), session.socket.connection.network);
        let largest = self.cx.config.max_file_mb << 20;
        let announced = self.may_write(&author, now).and_then(|()| {
            let id = files::fresh_id(&*self.cx.entropy);
            let waiting = Waiting::new(&self.room.name, &author.guest, network, upload, now);
            let limits = UploadLimits { file_bytes: largest, per_address: self.cx.config.limits.files_per_address };
            self.cx.uploads.announce(&id, waiting, upload.size, limits, now).map(|()| id)
        });
        match announced {
            Ok(id) => drop(ack.send(&Ack::Upload { url: files::address(&id), id })),
            Err(problem) => self.refuse(sid, ack, problem),
        }
    }

    /// Shows a durable message to everybody and replies.
    ///
    /// A message that could not be saved is dropped.
    pub(super) fn show(&mut self, result: Result<(), String>, position: u64, row: &MessageRow, requester: Requester) {
        self.shown_before = self.shown_before.max(position + 1);
        if let Err(problem) = result {
            self.recent.retain(|(other, _)| *other != position);
            if let Requester::Client { .. } | Requester::Http(_) = &requester {
                self.rules.forget_message(row.author.as_deref().unwrap_or_default());
                if let Some(nonce) = &row.nonce {
                    self.nonces.forget(&(row.username.to_lowercase(), nonce.clone()));
                }
            }
            if let Requester::Client { sid, .. } = &requester
                && let Some(session) = self.presence.session(*sid)
            {
                drop(session.socket.emit("error", &ErrorMessage { message: &problem }));
            }
            return requester.reply(Err(problem));
        }
        self.cx.counts.messages.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = self.room.name.clone();
        // The message may have changed while it was being committed; memory has what the store has.
        let now = self.recent.iter().rev().find(|(other, _)| *other == position).map(|(_, row)| Arc::clone(row));
        let shown = now.unwrap_or_else(|| Arc::new(row.clone()));
        self.broadcast("new_message", &message(&name, &shown), None);
        self.watchers.said(&shown);
        requester.reply(Ok(Some(row.id.clone())));
    }
}
