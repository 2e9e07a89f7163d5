//! A small Socket.IO client: Engine.IO 4 over a websocket, the default namespace.

use std::collections::{HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The tokens of guests by address and name, as browsers keep them.
static TOKENS: LazyLock<Mutex<HashMap<(String, String), String>>> = LazyLock::new(Mutex::default);

/// The connection is closed, or nothing arrived in time.
#[derive(Debug)]
pub struct ClientError(pub String);

/// A connection. Events that no test has waited for yet are kept.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: VecDeque<(String, Value)>,
    acks: HashMap<u64, Value>,
    next_ack: u64,
    token: String,
}

impl Client {
    /// Connects to the daemon at `address` as a new guest.
    ///
    /// # Errors
    /// If the daemon does not accept connections.
    pub async fn connect(address: &str) -> Result<Self, ClientError> {
        Self::connect_with(address, None).await
    }

    /// Connects as the guest who has entered as `username` before, if there is one.
    ///
    /// # Errors
    /// If the daemon does not accept connections.
    pub async fn connect_as(address: &str, username: &str) -> Result<Self, ClientError> {
        let known = (address.to_owned(), username.to_owned());
        let token = TOKENS.lock().unwrap_or_else(PoisonError::into_inner).get(&known).cloned();
        Self::connect_with(address, token.as_deref()).await
    }

    /// Connects as the guest with this token.
    ///
    /// # Errors
    /// If the daemon does not accept connections.
    pub async fn connect_with(address: &str, token: Option<&str>) -> Result<Self, ClientError> {
        Self::connect_by(address, token, &[]).await
    }

    /// Like [`Client::connect_with`], with headers of a proxy.
    ///
    /// # Errors
    /// If the daemon does not accept connections.
    pub async fn connect_by(
        address: &str,
        token: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, ClientError> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request().map_err(|error| ClientError(error.to_string()))?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|error| ClientError(error.to_string()))?;
            request.headers_mut().insert(*name, value);
        }
        let (socket, _) =
            tokio_tungstenite::connect_async(request).await.map_err(|error| ClientError(error.to_string()))?;
        let token_of = |answer: &Value| answer["token"].as_str().unwrap_or_default().to_owned();
        let (events, acks) = (VecDeque::new(), HashMap::new());
        let mut client = Self { socket, events, acks, next_ack: 0, token: String::new() };
        let auth = token.map_or_else(String::new, |token| json!({ "token": token }).to_string());
        client.write(format!("40{auth}")).await?;
        client.token = token_of(&client.wait("connected").await?);
        Ok(client)
    }

    /// Connects and enters a room.
    ///
    /// Uses the guest that has entered this daemon under that name before, if any. Returns the data
    /// of `room_joined`.
    ///
    /// # Errors
    /// If the daemon does not accept the connection, or refuses the guest.
    pub async fn enter(address: &str, username: &str, room: &str) -> Result<(Self, Value), ClientError> {
        Self::enter_with(address, json!({ "username": username, "room": room })).await
    }

    /// Like [`Client::enter`], with any fields of `join_room`.
    ///
    /// # Errors
    /// If the daemon does not accept the connection, or refuses the guest.
    pub async fn enter_with(address: &str, join: Value) -> Result<(Self, Value), ClientError> {
        let username = join["username"].as_str().unwrap_or_default().to_owned();
        let mut client = Self::connect_as(address, &username).await?;
        let joined = client.join(join).await?;
        Self::remember(address, &username, &client.token);
        Ok((client, joined))
    }

    /// Enters a room and returns the data of `room_joined`.
    ///
    /// # Errors
    /// If the connection is closed, or the guest is refused.
    pub async fn join(&mut self, join: Value) -> Result<Value, ClientError> {
        let number = self.ask("join_room", join).await?;
        let answer = self.ack(number).await?;
        match answer["error"].as_str() {
            Some(error) => Err(ClientError(error.to_owned())),
            None => self.wait("room_joined").await,
        }
    }

    /// Remembers a token: later calls for `address` and `username` return as the guest with this token.
    pub fn remember(address: &str, username: &str, token: &str) {
        let known = (address.to_owned(), username.to_owned());
        TOKENS.lock().unwrap_or_else(PoisonError::into_inner).insert(known, token.to_owned());
    }

    /// The token with which this guest can return.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends an event.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn emit(&mut self, event: &str, data: Value) -> Result<(), ClientError> {
        self.write(format!("42{}", json!([event, data]))).await
    }

    /// Sends an event that requests an acknowledgement, for [`Client::ack`].
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn ask(&mut self, event: &str, data: Value) -> Result<u64, ClientError> {
        let number = self.next_ack;
        self.next_ack += 1;
        self.write(format!("42{number}{}", json!([event, data]))).await?;
        Ok(number)
    }

    /// Returns the data of an acknowledgement.
    ///
    /// # Errors
    /// If the connection is closed, or nothing arrives within 60 seconds.
    pub async fn ack(&mut self, number: u64) -> Result<Value, ClientError> {
        loop {
            if let Some(data) = self.acks.remove(&number) {
                return Ok(data);
            }
            self.read().await?;
        }
    }

    /// Posts a message, and returns its id once it is acknowledged.
    ///
    /// # Errors
    /// If the connection is closed, or the message is refused.
    pub async fn say(&mut self, text: &str, nonce: &str) -> Result<String, ClientError> {
        let number = self.ask("send_message", json!({ "message": text, "nonce": nonce })).await?;
        let data = self.ack(number).await?;
        data["id"].as_str().map(ToOwned::to_owned).ok_or_else(|| ClientError(data.to_string()))
    }

    /// Returns the data of the next event with this name.
    ///
    /// # Errors
    /// If the connection is closed, or nothing arrives within 60 seconds.
    pub async fn wait(&mut self, event: &str) -> Result<Value, ClientError> {
        loop {
            if let Some(index) = self.events.iter().position(|(name, _)| name == event)
                && let Some((_, data)) = self.events.remove(index)
            {
                return Ok(data);
            }
            self.read().await?;
        }
    }

    /// Returns the next message of another user that contains `text`.
    ///
    /// # Errors
    /// If the connection is closed, or nothing arrives within 60 seconds.
    pub async fn hears(&mut self, text: &str) -> Result<Value, ClientError> {
        loop {
            let message = self.wait("new_message").await?;
            if message["message"].as_str().is_some_and(|said| said.contains(text)) {
                return Ok(message);
            }
        }
    }

    /// Returns and removes the received events that no test has waited for, in order.
    pub fn drain(&mut self) -> Vec<(String, Value)> {
        self.events.drain(..).collect()
    }

    async fn read(&mut self) -> Result<(), ClientError> {
        let next = tokio::time::timeout(Duration::from_secs(60), self.socket.next()).await;
        let frame = match next {
            Err(_) => return Err(ClientError("nothing came for 60 seconds".to_owned())),
            Ok(None) => return Err(ClientError("the connection is closed".to_owned())),
            Ok(Some(frame)) => frame.map_err(|error| ClientError(error.to_string()))?,
        };
        let Message::Text(text) = frame else { return Ok(()) };
        let text = text.as_str();
        match text.as_bytes() {
            [b'2', ..] => self.write("3".to_owned()).await?,
            [b'4', b'2', ..] => {
                if let Ok(Value::Array(mut parts)) = serde_json::from_str(&text[2..])
                    && let Some(name) = parts.first().and_then(Value::as_str).map(ToOwned::to_owned)
                {
                    let data = parts.get_mut(1).map(Value::take).unwrap_or_default();
                    self.events.push_back((name, data));
                }
            }
            [b'4', b'3', rest @ ..] => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if let (Ok(number), Ok(mut data)) =
                    (text[2..2 + digits].parse(), serde_json::from_str::<Value>(&text[2 + digits..]))
                {
                    self.acks.insert(number, data[0].take());
                }
            }
            [b'4', b'1', ..] | [b'1', ..] => return Err(ClientError("the server closed the connection".to_owned())),
            _ => {}
        }
        Ok(())
    }

    /// Sends a packet without changes: an Engine.IO message with its content.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn send(&mut self, packet: &str) -> Result<(), ClientError> {
        self.write(packet.to_owned()).await
    }

    /// Reads until the connection is closed, and returns the reason.
    pub async fn closed(&mut self) -> ClientError {
        loop {
            if let Err(error) = self.read().await {
                return error;
            }
        }
    }

    async fn write(&mut self, text: String) -> Result<(), ClientError> {
        self.socket.send(Message::Text(text.into())).await.map_err(|error| ClientError(error.to_string()))
    }
}
