//! A small Socket.IO client: Engine.IO 4 over a websocket, the default namespace.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The connection is gone, or nothing came in time.
#[derive(Debug)]
pub struct ClientError(pub String);

/// A connection. Events that nobody has waited for yet are kept.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: VecDeque<(String, Value)>,
    acks: HashMap<u64, Value>,
    next_ack: u64,
}

impl Client {
    /// Connects to the daemon at `address`.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn connect(address: &str) -> Result<Self, ClientError> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) =
            tokio_tungstenite::connect_async(url).await.map_err(|error| ClientError(error.to_string()))?;
        let mut client = Self { socket, events: VecDeque::new(), acks: HashMap::new(), next_ack: 0 };
        client.write("40".to_owned()).await?;
        client.wait("connected").await?;
        Ok(client)
    }

    /// Connects and enters a room; what `room_joined` said.
    ///
    /// # Errors
    /// When it is not there, or says something else.
    pub async fn enter(address: &str, username: &str, room: &str) -> Result<(Self, Value), ClientError> {
        let mut client = Self::connect(address).await?;
        client.emit("join_room", json!({ "username": username, "room": room })).await?;
        let joined = client.wait("room_joined").await?;
        Ok((client, joined))
    }

    /// Sends an event.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn emit(&mut self, event: &str, data: Value) -> Result<(), ClientError> {
        self.write(format!("42{}", json!([event, data]))).await
    }

    /// Sends an event and asks for an acknowledgement, to be waited for with [`Client::ack`].
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn ask(&mut self, event: &str, data: Value) -> Result<u64, ClientError> {
        let number = self.next_ack;
        self.next_ack += 1;
        self.write(format!("42{number}{}", json!([event, data]))).await?;
        Ok(number)
    }

    /// What an acknowledgement carries.
    ///
    /// # Errors
    /// When the connection is gone, or none comes in 10 seconds.
    pub async fn ack(&mut self, number: u64) -> Result<Value, ClientError> {
        loop {
            if let Some(data) = self.acks.remove(&number) {
                return Ok(data);
            }
            self.read().await?;
        }
    }

    /// Says something, and returns its id once it is acknowledged.
    ///
    /// # Errors
    /// When the connection is gone, or it was refused.
    pub async fn say(&mut self, text: &str, nonce: &str) -> Result<String, ClientError> {
        let number = self.ask("send_message", json!({ "message": text, "nonce": nonce })).await?;
        let data = self.ack(number).await?;
        data["id"].as_str().map(ToOwned::to_owned).ok_or_else(|| ClientError(data.to_string()))
    }

    /// The data of the next event of that name.
    ///
    /// # Errors
    /// When the connection is gone, or none comes in 10 seconds.
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

    /// The next message of somebody else that says `text`, or anything for `None`.
    ///
    /// # Errors
    /// When the connection is gone, or none comes in 10 seconds.
    pub async fn hears(&mut self, text: &str) -> Result<Value, ClientError> {
        loop {
            let message = self.wait("new_message").await?;
            if message["message"].as_str().is_some_and(|said| said.contains(text)) {
                return Ok(message);
            }
        }
    }

    /// The events that have come and that nobody has waited for, in order; they are not kept any longer.
    pub fn drain(&mut self) -> Vec<(String, Value)> {
        self.events.drain(..).collect()
    }

    async fn read(&mut self) -> Result<(), ClientError> {
        let next = tokio::time::timeout(Duration::from_secs(10), self.socket.next()).await;
        let frame = match next {
            Err(_) => return Err(ClientError("nothing came for 10 seconds".to_owned())),
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

    /// Sends a packet as it stands: an Engine.IO message with what is in it.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, packet: &str) -> Result<(), ClientError> {
        self.write(packet.to_owned()).await
    }

    /// Reads until the connection is closed, and returns how it was.
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
