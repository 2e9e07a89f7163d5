//! One connection of a client.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::discord::shared::Shared;

use super::close::Close;
use super::cut::Cut;
use super::packing::Packing;

/// The maximum number of payloads of a client per minute, heartbeats included.
const PAYLOADS_MAX: u32 = 120;
/// The maximum length of a client's payload, in bytes.
const PAYLOAD_MAX: usize = 4_096;

/// The end of a connection.
pub(super) enum End {
    /// With a close code of ours.
    Close(Close),
    /// Without a close code; `resumable` says whether the session is kept.
    Gone { resumable: bool },
}

pub(super) struct Connection {
    socket: WebSocketStream<TcpStream>,
    pub(super) packing: Packing,
    pub(super) shared: Arc<Shared>,
    pub(super) number: u64,
    pub(super) session: Option<String>,
    /// The sequence number of the last dispatch that was sent.
    pub(super) sent: u64,
    pub(super) silent: bool,
    pub(super) last_beat: Instant,
    /// The beginning of the current minute, and the payloads since then.
    payloads: (Instant, u32),
}

/// Serves a client until it disconnects.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64) {
    let mut address = String::new();
    #[allow(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        address = request.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else { return };
    shared.change(|state| state.counters.connections += 1);
    let given = |name: &str, value: &str| address.split('&').any(|pair| pair.split_once('=') == Some((name, value)));
    let packing = if given("compress", "zlib-stream") { Packing::stream() } else { Packing::Plain };
    // Discord assumes JSON if the address names no encoding, as serenity's does.
    let known = given("v", "10") && (given("encoding", "json") || !address.contains("encoding="));
    let (last_beat, payloads) = (Instant::now(), (Instant::now(), 0));
    let mut connection =
        Connection { socket, packing, shared, number, session: None, sent: 0, silent: false, last_beat, payloads };
    let end = if known { connection.run().await } else { End::Close(Close::VERSION) };
    connection.end(end).await;
}

impl Connection {
    async fn run(&mut self) -> End {
        let mut changed = self.shared.changes.subscribe();
        let interval = self.shared.options.heartbeat;
        let millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": millis, "_trace": [] } });
        if let Err(end) = self.send(&hello.to_string()).await {
            return end;
        }
        loop {
            changed.borrow_and_update();
            if let Err(end) = self.flush().await {
                return end;
            }
            let overdue = tokio::time::sleep_until(self.last_beat + interval * 2 + Duration::from_secs(1));
            let step = tokio::select! {
                biased;
                frame = self.socket.next() => self.take(frame).await,
                outcome = changed.changed() => outcome.map_err(|_gone| End::Gone { resumable: true }),
                () = overdue => Err(End::Close(Close::TIMEOUT)),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Sends the pending dispatches of the session, and performs what a test requested.
    async fn flush(&mut self) -> Result<(), End> {
        let Some(id) = self.session.clone() else { return Ok(()) };
        let (cut, asked, frames) = self.shared.change_silently(|state| {
            // Another connection may have taken over the session, or it may be gone.
            let session = state.sessions.get_mut(&id).filter(|session| session.connection == Some(self.number));
            let session = session.ok_or(End::Close(Close::UNKNOWN))?;
            let frames: Vec<_> = session.after(self.sent).cloned().collect();
            Ok((session.cut.take(), std::mem::take(&mut session.asked), frames))
        })?;
        if let Some(cut) = cut {
            self.go_wrong(cut).await?;
        }
        if self.silent || self.session.is_none() {
            return Ok(());
        }
        if asked {
            self.send(r#"{"op":1,"d":null,"s":null,"t":null}"#).await?;
        }
        for (seq, frame) in frames {
            let message = self.packing.pack(&frame);
            self.socket.feed(message).await.map_err(|_gone| End::Gone { resumable: true })?;
            self.sent = seq;
        }
        self.socket.flush().await.map_err(|_gone| End::Gone { resumable: true })
    }

    async fn go_wrong(&mut self, cut: Cut) -> Result<(), End> {
        match cut {
            Cut::Clean => Err(End::Close(Close::UNKNOWN)),
            Cut::Close(code) => Err(End::Close(Close(code, "Closed."))),
            Cut::Dirty => Err(End::Gone { resumable: true }),
            Cut::Reconnect => self.send(r#"{"op":7,"d":null,"s":null,"t":null}"#).await,
            Cut::InvalidSession { resumable } => self.invalidate(resumable).await,
            Cut::Silence => {
                self.silent = true;
                Ok(())
            }
        }
    }

    pub(super) async fn invalidate(&mut self, resumable: bool) -> Result<(), End> {
        if let Some(id) = self.session.take() {
            self.shared.change(|state| state.lose_session(&id, self.number, resumable));
        }
        self.send(&format!(r#"{{"op":9,"d":{resumable},"s":null,"t":null}}"#)).await
    }

    async fn take(&mut self, frame: Option<Result<Message, impl std::error::Error>>) -> Result<(), End> {
        let bytes = match frame {
            Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
            Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
            Some(Ok(Message::Close(frame))) => {
                // A client that closes with 1000 or 1001 does not intend to resume.
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                return Err(End::Gone { resumable: !matches!(code, 1000 | 1001) });
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Err(_)) | None => return Err(End::Gone { resumable: true }),
        };
        self.count_payload()?;
        if bytes.len() > PAYLOAD_MAX {
            return Err(End::Close(Close::DECODE));
        }
        let decode = |_unreadable| End::Close(Close::DECODE);
        let payload: Value = serde_json::from_slice(&bytes).map_err(decode)?;
        self.obey(payload["op"].as_u64().ok_or(End::Close(Close::DECODE))?, &payload["d"]).await
    }

    fn count_payload(&mut self) -> Result<(), End> {
        if self.payloads.0.elapsed() >= Duration::from_secs(60) {
            self.payloads = (Instant::now(), 0);
        }
        self.payloads.1 += 1;
        if self.payloads.1 > PAYLOADS_MAX { Err(End::Close(Close::RATE)) } else { Ok(()) }
    }

    pub(super) async fn send(&mut self, payload: &str) -> Result<(), End> {
        let message = self.packing.pack(payload);
        self.socket.send(message).await.map_err(|_gone| End::Gone { resumable: true })
    }

    async fn end(mut self, end: End) {
        let resumable = match &end {
            End::Close(close) => close.is_resumable(),
            End::Gone { resumable } => *resumable,
        };
        if let Some(id) = self.session.take() {
            self.shared.change(|state| state.lose_session(&id, self.number, resumable));
        }
        if let End::Close(Close(code, reason)) = end {
            self.shared.change(|state| state.counters.closes.push(code));
            let frame = CloseFrame { code: code.into(), reason: reason.into() };
            // If the client is still connected, give it a moment to answer.
            if self.socket.close(Some(frame)).await.is_ok() {
                let answered = async { while let Some(Ok(_)) = self.socket.next().await {} };
                tokio::time::timeout(Duration::from_secs(2), answered).await.unwrap_or_default();
            }
        }
    }
}
