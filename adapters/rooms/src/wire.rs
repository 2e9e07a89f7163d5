//! The stream of a WebSocket, with the limits that the library lacks.
//!
//! The library reads and writes without bounds. This stream stops reading while the client does not
//! read (so that no responses pile up, pongs included), and ends the connection of a client that
//! reads nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::connection::{Connection, Life};
use crate::frames::Frames;
use crate::limiter::Bucket;
use crate::limits::Rate;

/// A close frame with code 1001, "going away", after which clients reconnect.
const CLOSE_FRAME: &[u8] = &[0x88, 0x02, 0x03, 0xe9];

/// A stream that belongs to a connection, and ends it when it is dropped.
pub(crate) struct Wire<S> {
    stream: S,
    connection: Arc<Connection>,
    written: Frames,
    /// Whether a packet was sent this way.
    ///
    /// Until then the client may still poll, and the queue waits for the upgrade.
    has_sent: bool,
    /// Runs while the client reads nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    write_timeout: Duration,
    /// Runs while reading is paused, since the client has sent too much.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether reading waits until something is written.
    is_held: bool,
    received: Received,
    /// Number of bytes of the close frame written, and whether writing is shut down.
    closing: usize,
    is_shut: bool,
}

/// Rate limit of the received bytes.
struct Received {
    rate: Rate,
    bucket: Bucket,
    began: Instant,
}

impl<S> Wire<S> {
    pub(crate) fn new(
        stream: S,
        connection: Arc<Connection>,
        write_timeout: Duration,
        received_per_second: u32,
    ) -> Self {
        let rate =
            Rate { burst: received_per_second.saturating_mul(2), per_minute: received_per_second.saturating_mul(60) };
        connection.set_has_socket();
        let received = Received { rate, bucket: Bucket::full(rate.burst, 0), began: Instant::now() };
        Self {
            stream,
            connection,
            written: Frames::default(),
            has_sent: false,
            stalled: None,
            write_timeout,
            pause: None,
            is_held: false,
            received,
            closing: 0,
            is_shut: false,
        }
    }

    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = self.connection.take_pause() {
            self.pause = Some(Box::pin(sleep_until(until)));
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(())
    }
}

impl Received {
    /// Counts received bytes. Returns how long reading should pause.
    fn count(&mut self, bytes: usize) -> Option<Duration> {
        if self.rate.per_minute == 0 {
            return None;
        }
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.bucket.refill(self.rate, now);
        self.bucket.take(bytes as f64, self.rate)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Sends the queue, then closes.
    ///
    /// Data that still arrives is discarded. A client that waits until its data is read would not
    /// read the last packets, and unread data can make the close discard them.
    fn poll_goodbye(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [0; 4_096];
        loop {
            let mut thrown_away = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(context, &mut thrown_away) {
                Poll::Ready(Ok(())) if thrown_away.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        if !self.connection.is_drained() || !self.written.is_between() {
            self.is_held = true;
            return Poll::Pending;
        }
        while let Some(left) = CLOSE_FRAME.get(self.closing..).filter(|left| !left.is_empty()) {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.closing += written;
        }
        if !self.is_shut {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.is_shut = true;
        }
        // The client closes too, or the connection is ended after the timeout.
        Poll::Pending
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.connection.register_reader(context.waker());
        match this.connection.life() {
            Life::Open => {}
            Life::Ending => return this.poll_goodbye(context),
            Life::Ended => return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        }
        if this.stalled.is_some() || (this.has_sent && this.connection.is_congested()) {
            this.is_held = true;
            return Poll::Pending;
        }
        ready!(this.poll_pause(context));
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        if let Some(wait) = this.received.count(buffer.filled().len() - before) {
            this.connection.pause(wait);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.connection.register_writer(context.waker());
        if this.connection.life() == Life::Ended || this.closing > 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match Pin::new(&mut this.stream).poll_write(context, data) {
            Poll::Ready(Ok(count)) => {
                this.stalled = None;
                let packets = this.written.follow(&data[..count]);
                this.has_sent |= packets > 0;
                this.connection.sent(packets);
                if std::mem::take(&mut this.is_held) {
                    this.connection.wake_reader();
                }
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => {
                this.connection.end();
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                let write_timeout = this.write_timeout;
                let stalled = this.stalled.get_or_insert_with(|| Box::pin(sleep(write_timeout)));
                ready!(stalled.as_mut().poll(context));
                this.connection.end();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> Drop for Wire<S> {
    fn drop(&mut self) {
        self.connection.end();
    }
}
