//! A minimal HTTP client, for requests that no ordinary client makes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The maximum time for an answer before a test fails.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    /// The status code; 0 if the connection ended without an answer.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &str| line.split_once(':').is_some_and(|(other, _)| other.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(|line| of(line))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, self.text()))
    }
}

/// Sends a request on a new connection, with the right host unless `headers` name another.
pub async fn ask(address: &str, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    let mut request = format!("{line} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let sent = [request.as_bytes(), body].concat();
    // The server need not read all of it.
    drop(connection.write_all(&sent).await);
    read(&mut connection).await
}

/// Reads a connection to its end, as one answer.
pub async fn read(connection: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A reset also ends the connection.
    let read = tokio::time::timeout(ANSWER_TIMEOUT, connection.read_to_end(&mut bytes)).await;
    drop(read.expect("the connection ends"));
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = end.map_or((&bytes[..], &[][..]), |end| (&bytes[..end], &bytes[end + 4..]));
    let head = String::from_utf8_lossy(head).into_owned();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head, body: body.to_vec() }
}
