//! One room: a task that puts everything that happens in the room in one order.
//!
//! `state` is its data. Every other file acts on it, and calls go in one direction: from requests
//! (`posting`, `changes`, `joining`, `acting`, …) down to rows, events and broadcasts.

mod acting;
pub(crate) mod answer;
mod broadcast;
mod changes;
pub(crate) mod command;
mod commits;
mod components;
pub(crate) mod context;
mod ephemeral;
mod erasing;
mod events;
mod forms;
mod gate;
mod history;
mod identity;
pub(crate) mod joining;
mod lookup;
mod moderation;
mod moderation_notice;
mod nonces;
mod origin;
mod pages;
mod pins;
mod posting;
mod presence_changes;
mod purge;
mod reading;
mod recording;
mod rows;
pub(crate) mod rules;
mod speech;
pub(crate) mod state;

use std::time::Duration;

use futures_util::stream::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::encode::Ack;
use command::Command;
use context::RoomContext;
use state::State;
use state::watchers::Update;

/// An empty room is unloaded from memory after this time; its rows stay in the store.
const EMPTY_ROOM_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the room until it has been empty for a while.
pub(crate) async fn run(cx: RoomContext, mut commands: mpsc::Receiver<Command>) {
    let name = cx.name.clone();
    let mut state = match State::load(cx).await {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(room = %name, "cannot open the room: {error}");
            return refuse_all(commands, "this room cannot be opened; try again later").await;
        }
    };
    loop {
        if state.is_erased {
            return refuse_all(commands, erasing::GONE).await;
        }
        let idle = state.presence.is_empty() && state.pending.is_empty();
        let due = state.presence_changes.due();
        tokio::select! {
            biased;
            Some(commit) = state.pending.next() => state.committed(commit),
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                state.broadcast_presence();
            }
            Some(read) = state.reads.next() => state.page_read(read),
            command = commands.recv() => match command {
                Some(command) => state.handle(command).await,
                None => return,
            },
            () = tokio::time::sleep(EMPTY_ROOM_TIMEOUT), if idle => {
                // No command can be sent after this; those in the channel are still handled.
                if state.watchers.is_empty() {
                    commands.close();
                }
            }
        }
        state.remove_slow_clients();
    }
}

/// Refuses the commands that are left, and all further ones.
async fn refuse_all(mut commands: mpsc::Receiver<Command>, problem: &str) {
    commands.close();
    while let Some(command) = commands.recv().await {
        if let Some(ack) = command.into_ack() {
            // The client may be gone.
            drop(ack.send(&Ack::Error { error: problem.to_owned() }));
        }
    }
}

impl State {
    async fn handle(&mut self, command: Command) {
        match command {
            Command::Join { socket, join, guest, ack } => self.join(socket, join, guest, ack),
            Command::Leave { sid } => self.leave(sid),
            Command::Post { origin, send } => self.post(origin, send).await,
            Command::Edit { origin, edit } => self.edit(origin, edit).await,
            Command::Delete { origin, delete } => self.delete(origin, &delete).await,
            Command::React { origin, react } => self.react(origin, react).await,
            Command::Pin { origin, id, pinned } => self.pin_of_person(origin, &id, pinned).await,
            Command::ReadUpTo { origin, id, is_back } => self.read_up_to(origin, &id, is_back).await,
            Command::Arrange { origin, changes } => self.arrange_of_person(origin, changes),
            Command::Press { sid, press, ack } => self.press(sid, press, ack).await,
            Command::Choose { sid, choose, ack } => self.choose(sid, choose, ack).await,
            Command::Fill { sid, fill, ack } => self.fill(sid, &fill, ack),
            Command::Upload { sid, upload, ack } => self.announce_upload(sid, &upload, ack),
            Command::Typing { sid, is_typing } => self.typing(sid, is_typing),
            Command::TypingAs { author, is_typing } => self.typing_of(&author, is_typing, None),
            Command::Users { sid, users, ack } => self.send_users(sid, &users, ack),
            Command::History { sid, history, ack } => self.history(sid, history, ack),
            Command::Act(request) => self.act(*request).await,
            Command::Direct(message) => self.direct_message(message),
            Command::Moderated(notice) => self.moderated(&notice),
            Command::Forget { up_to } => self.forget(up_to),
            Command::Count(answer) => {
                let mut names = self.presence.names();
                if names.is_empty() && !self.watchers.is_empty() {
                    // Somebody follows the room, so that it is not deleted as an empty one.
                    names.push(self.cx.config.nickname.clone());
                }
                let _asked = answer.send(names);
            }
            Command::Watch(watcher) => self.watchers.add(watcher),
            Command::Finished { message } => self.watchers.notify(&Update::Finished(message)),
            Command::Erase(answer) => {
                let erased = self.erase().await;
                self.cx.feed.erased(&self.room.name);
                let _asked = answer.send(erased);
            }
            Command::EraseAuthor { author, answer } => self.erase_author(author, answer).await,
            Command::RemoveStrangers(answer) => self.remove_strangers(answer),
        }
    }
}
