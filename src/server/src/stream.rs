//! The socket of a connection, which records its progress and fails once the connection is closed.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::connection::Connection;
use crate::connections::Lease;

/// A socket with its slot in the connection limit, which is released when the socket is dropped.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    connection: Arc<Connection>,
    _lease: Lease,
}

impl Stream {
    pub(crate) fn new(socket: TcpStream, lease: Lease) -> Self {
        Self { socket, connection: Arc::clone(lease.connection()), _lease: lease }
    }

    pub(crate) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Records the outcome of a write.
    fn written(&self, outcome: Poll<Result<usize>>, context: &Context<'_>) -> Poll<Result<usize>> {
        match &outcome {
            Poll::Pending => {
                self.connection.wait_to_send(context.waker());
                // It may have been closed before the waker was registered.
                if self.connection.is_closed() {
                    return Poll::Ready(Err(closed()));
                }
            }
            Poll::Ready(Ok(bytes)) => self.connection.record_sent(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        outcome
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::TimedOut, "the server closed the connection: it timed out or was evicted")
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.connection.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(context, buffer);
        match &outcome {
            Poll::Pending => {
                self.connection.wait_to_read(context.waker());
                if self.connection.is_closed() {
                    return Poll::Ready(Err(closed()));
                }
            }
            Poll::Ready(Ok(())) if buffer.filled().len() > before => self.connection.record_received(),
            Poll::Ready(_) => {}
        }
        outcome
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        if self.connection.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        let outcome = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        if self.connection.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.written(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let outcome = Pin::new(&mut self.socket).poll_flush(context);
        if outcome.is_ready() {
            self.connection.record_flushed();
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
