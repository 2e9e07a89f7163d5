//! The exchange of frames over one WebSocket, until one side ends it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use super::super::description::{no_answer, to_send};
use super::frames::{self, ClientFrame};
use crate::answers::Ending;
use crate::connection::{Connection, Life};
use crate::http::problem::Problem;
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::room::command::Command;
use crate::room::state::watchers::Update;
use crate::service::Rooms;
use crate::sessions::ChatSession;

/// Interval of pings. A client that sends nothing between two of them, not even a pong, is gone.
const PING_INTERVAL: Duration = Duration::from_secs(25);
/// Maximum pause after a frame that was refused.
const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Maximum time for which the client's side of the end is waited for.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A WebSocket of a session.
pub(super) struct Talk {
    pub(super) rooms: Arc<Rooms>,
    pub(super) connection: Arc<Connection>,
    pub(super) session: ChatSession,
    pub(super) network: Network,
    pub(super) stream: WebSocketStream<TokioIo<Upgraded>>,
    pub(super) write_timeout: Duration,
    /// The id of the last message, until a bot says something.
    pub(super) unanswered: Option<String>,
}

/// The reason why a connection ends.
enum End {
    /// The client is gone, or does not read.
    Gone,
    /// It is closed with a code and a reason.
    Close(CloseCode, &'static str),
}

impl Talk {
    /// Exchanges frames, and closes the connection in the end.
    pub(super) async fn run(mut self, mut updates: mpsc::Receiver<Update>, is_new: bool) {
        let Err(end) = self.exchange(&mut updates, is_new).await;
        if let End::Close(code, reason) = end {
            let frame = CloseFrame { code, reason: reason.into() };
            let goodbye = async {
                // Unread frames would make the close discard the last ones.
                if self.stream.close(Some(frame)).await.is_ok() {
                    while let Some(Ok(_)) = self.stream.next().await {}
                }
            };
            drop(timeout(CLOSE_TIMEOUT, goodbye).await);
        }
    }

    /// Exchanges frames until there is a reason to end the connection.
    async fn exchange(&mut self, updates: &mut mpsc::Receiver<Update>, is_new: bool) -> Result<Infallible, End> {
        if is_new {
            let session = frames::session(&self.session.id);
            self.send(&session).await?;
        }
        let (mut life, mut shutdown) = (self.connection.watch(), self.rooms.shutdown());
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        let mut is_alive = true;
        loop {
            tokio::select! {
                () = shutdown.requested() => {
                    return Err(End::Close(CloseCode::Away, "the server is shutting down"));
                }
                () = ended(&mut life) => return Err(End::Close(CloseCode::Policy, "your session has ended")),
                _ = pings.tick() => {
                    if !std::mem::take(&mut is_alive) {
                        return Err(End::Gone);
                    }
                    self.send_frame(Message::Ping(Bytes::new())).await?;
                }
                update = updates.recv() => match update {
                    Some(update) => self.tell(update).await?,
                    None => {
                        let reason = "the session was deleted, or your connection is too slow";
                        return Err(End::Close(CloseCode::Again, reason));
                    }
                },
                frame = self.stream.next() => {
                    is_alive = true;
                    match frame {
                        Some(Ok(Message::Text(text))) => self.receive(text.as_str()).await?,
                        Some(Ok(Message::Binary(_))) => {
                            let problem = "frames are JSON as text";
                            self.refuse(&Problem::new(StatusCode::BAD_REQUEST, problem)).await?;
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
                    }
                }
            }
        }
    }

    /// Tells the client what happened in the room.
    async fn tell(&mut self, update: Update) -> Result<(), End> {
        let frame = match update {
            Update::Said(row) => {
                self.unanswered = None;
                frames::response(&row)
            }
            Update::Deleted(id) => frames::deleted(&id),
            Update::Typing => frames::typing(),
            Update::Finished(id) if self.unanswered.as_ref() == Some(&id) => {
                self.unanswered = None;
                let problem = no_answer(Ending::Complete, 0);
                frames::error(&Problem::new(StatusCode::NOT_FOUND, problem))
            }
            Update::Finished(_) => return Ok(()),
        };
        self.send(&frame).await
    }

    /// Handles a frame of the client.
    async fn receive(&mut self, text: &str) -> Result<(), End> {
        match ClientFrame::read(text) {
            Ok(ClientFrame::Message { content, message_type, attachments }) => {
                let sent = match to_send(content, &message_type, attachments) {
                    Ok(send) => {
                        let author = self.session.author.clone();
                        self.rooms.send_by(author, &self.session.room, send, self.network).await
                    }
                    Err(problem) => Err(problem),
                };
                match sent {
                    Ok(id) => {
                        let accepted = frames::accepted(&id);
                        self.unanswered = Some(id);
                        self.connection.forgive();
                        self.send(&accepted).await
                    }
                    Err(problem) => self.refuse(&problem).await,
                }
            }
            Ok(ClientFrame::Typing { is_typing }) => {
                // Nobody waits for it: over the limit, or in a busy room, it is left out.
                if self.rooms.limit(Kind::Typing, &self.session.author, self.network).is_ok()
                    && let Some(room) = self.rooms.directory.open(&self.session.room)
                {
                    drop(room.try_send(Command::TypingAs { author: self.session.author.clone(), is_typing }));
                }
                Ok(())
            }
            Err(problem) => self.refuse(&problem).await,
        }
    }

    /// Reports an error. A client that causes many is slowed down, and disconnected in the end.
    async fn refuse(&mut self, problem: &Problem) -> Result<(), End> {
        let frame = frames::error(problem);
        self.send(&frame).await?;
        let who = [Who::Connection(self.connection.number), Who::Address(self.network)];
        if let Verdict::Refused(wait) | Verdict::Late(wait) = self.rooms.limiter.take(Kind::Other, &who) {
            tokio::time::sleep(wait.min(REFUSED_PAUSE_MAX)).await;
        }
        if self.connection.strike() {
            return Err(End::Close(CloseCode::Policy, "too many frames were refused"));
        }
        Ok(())
    }

    async fn send(&mut self, frame: &Value) -> Result<(), End> {
        self.send_frame(Message::text(frame.to_string())).await
    }

    /// Sends a frame, and returns when the client's side has taken it.
    async fn send_frame(&mut self, frame: Message) -> Result<(), End> {
        match timeout(self.write_timeout, self.stream.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// Returns when the connection has ended, since its credential was revoked.
async fn ended(life: &mut watch::Receiver<Life>) {
    drop(life.wait_for(|life| *life != Life::Open).await);
}
