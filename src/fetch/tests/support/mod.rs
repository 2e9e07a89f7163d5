//! A minimal server that records its requests, and a client that does not use DNS.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, missing_docs, reason = "each test file uses its part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use palabre_fetch::{Fetcher, Grants, NameResolver};
use palabre_types::{Reply, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The bytes of a response.
pub enum Answer {
    /// The bytes, then the connection is closed.
    Whole(Vec<u8>),
    /// The bytes, and nothing more as long as the server runs.
    Unfinished(Vec<u8>),
}

/// A server that stops when it is dropped.
pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Listens on 127.0.0.1 and answers each request with the result of `answer`.
    pub async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                let answered = answer(&request);
                log.lock().unwrap().push(request);
                // A client may close the connection early.
                match answered {
                    Answer::Whole(bytes) => {
                        drop(stream.write_all(&bytes).await);
                        drop(stream.shutdown().await);
                    }
                    Answer::Unfinished(bytes) => {
                        drop(stream.write_all(&bytes).await);
                        held.push(stream);
                    }
                }
            }
        });
        Self { port, seen, tasks }
    }

    /// Starts a server that answers every request with the same response.
    pub async fn always(status: &'static str, headers: &[(&str, &str)], body: &'static str) -> Self {
        let bytes = reply(status, headers, body);
        Self::start(move |_| Answer::Whole(bytes.clone())).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the grant that allows its address.
    pub fn grant(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns all requests so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse::<usize>().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Returns the bytes of an HTTP response.
pub fn reply(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    [head.as_bytes(), body].concat()
}

pub fn request(method: &str, url: impl Into<String>) -> Request {
    Request {
        method: method.to_owned(),
        url: url.into(),
        headers: Vec::new(),
        body: None,
        timeout: Duration::from_secs(5),
    }
}

pub fn grants<S: AsRef<str>>(list: &[S]) -> Grants {
    Grants::parse(&list.iter().map(|grant| grant.as_ref().to_owned()).collect::<Vec<_>>()).unwrap()
}

/// Creates a client that resolves names with `names`, not with DNS.
pub fn fetcher(names: Arc<dyn NameResolver>) -> Fetcher {
    // Only the first test of the process can install it.
    drop(rustls::crypto::ring::default_provider().install_default());
    Fetcher::with_resolver(names).unwrap()
}

/// Returns the last value of a header of the reply.
pub fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
