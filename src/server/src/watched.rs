//! Request and response bodies that record their progress in their connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use crate::connection::{Connection, RequestInFlight};

type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Inbound {
    body: Incoming,
    connection: Arc<Connection>,
}

impl Inbound {
    pub(crate) const fn new(body: Incoming, connection: Arc<Connection>) -> Self {
        Self { body, connection }
    }
}

impl HttpBody for Inbound {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled<hyper::Error> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Pending => self.connection.wait_for_body(),
            Poll::Ready(Some(Ok(frame))) => self.connection.record_body(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(_) => self.connection.record_body_end(),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        self.connection.record_body_end();
    }
}

/// The body of a response.
///
/// Its request is in progress until the body is handed to the socket or dropped.
#[derive(Debug)]
pub(crate) struct Outbound {
    body: Body,
    _in_flight: RequestInFlight,
}

impl Outbound {
    pub(crate) const fn new(body: Body, in_flight: RequestInFlight) -> Self {
        Self { body, _in_flight: in_flight }
    }
}

impl HttpBody for Outbound {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled<axum::Error> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
