//! Compression of payloads.

use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};
use std::io::Write;
use tokio_tungstenite::tungstenite::Message;

/// The size from which a payload is compressed, if the client accepts that.
const COMPRESSED_MIN: usize = 1_024;

/// The compression of one connection.
pub(super) enum Packing {
    Plain,
    /// Each large payload separately, `compress` of the identify.
    Single,
    /// All in one zlib context, `compress=zlib-stream` of the address.
    Stream(Box<Compress>),
}

impl Packing {
    pub(super) fn stream() -> Self {
        Self::Stream(Box::new(Compress::new(Compression::fast(), true)))
    }

    /// Encodes a payload for sending.
    pub(super) fn pack(&mut self, payload: &str) -> Message {
        match self {
            Self::Single if payload.len() >= COMPRESSED_MIN => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(payload.as_bytes()).expect("a vector takes everything");
                Message::Binary(encoder.finish().expect("a vector takes everything").into())
            }
            Self::Plain | Self::Single => Message::Text(payload.into()),
            Self::Stream(context) => Message::Binary(flush(context, payload.as_bytes()).into()),
        }
    }
}

/// Compresses to the end with `Z_SYNC_FLUSH`, so that the output ends with 00 00 FF FF.
fn flush(context: &mut Compress, payload: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(payload.len() / 2 + 64);
    let before = context.total_in();
    loop {
        let done = usize::try_from(context.total_in() - before).expect("payloads fit into memory");
        let status = context.compress_vec(&payload[done..], &mut packed, FlushCompress::Sync);
        status.expect("packing has no wrong input");
        // Free space in the buffer means that everything was written.
        if context.total_in() - before == payload.len() as u64 && packed.len() < packed.capacity() {
            return packed;
        }
        packed.reserve(payload.len() / 2 + 64);
    }
}
