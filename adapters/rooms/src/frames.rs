//! Parses written WebSocket frames (RFC 6455, section 5.2), to know which packets have been sent.

/// Length of the type at the start of a packet, in bytes.
const TYPE_LENGTH: usize = 2;

/// A parser of the frames that a server writes, which are not masked.
#[derive(Default)]
pub(crate) struct Frames {
    header: [u8; 10],
    /// Number of header bytes received so far.
    have: usize,
    start: [u8; TYPE_LENGTH],
    /// Payload bytes written, and payload bytes left.
    written: u64,
    left: u64,
}

impl Frames {
    /// Parses `data` and returns how many events and acknowledgements it completes.
    pub(crate) fn follow(&mut self, mut data: &[u8]) -> usize {
        let mut packets = 0;
        while let [first, rest @ ..] = data {
            if self.have < self.header_length() {
                self.header[self.have] = *first;
                self.have += 1;
                data = rest;
                if self.have == self.header_length() {
                    (self.written, self.left) = (0, self.payload());
                }
            } else {
                let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
                for (index, byte) in (self.written..).zip(&data[..length]).take(TYPE_LENGTH) {
                    if let Some(place) = usize::try_from(index).ok().and_then(|index| self.start.get_mut(index)) {
                        *place = *byte;
                    }
                }
                self.written += length as u64;
                self.left -= length as u64;
                data = &data[length..];
            }
            if self.have == self.header_length() && self.left == 0 {
                packets += usize::from(self.is_packet());
                *self = Self::default();
            }
        }
        packets
    }

    /// Whether the data ends at a frame boundary.
    pub(crate) fn is_between(&self) -> bool {
        self.have == 0
    }

    fn header_length(&self) -> usize {
        match (self.have, self.header[1] & 0x7f) {
            (2.., 126) => 4,
            (2.., 127) => 10,
            _ => 2,
        }
    }

    fn payload(&self) -> u64 {
        let extended = |bytes: &[u8]| bytes.iter().fold(0, |length, byte| (length << 8) | u64::from(*byte));
        match self.header[1] & 0x7f {
            126 => extended(&self.header[2..4]),
            127 => extended(&self.header[2..10]),
            short => u64::from(short),
        }
    }

    fn is_packet(&self) -> bool {
        const TEXT: u8 = 1;
        self.header[0] & 0x0f == TEXT && self.written >= TYPE_LENGTH as u64 && is_packet(&self.start)
    }
}

/// Whether an Engine.IO packet is an event (`42`) or an acknowledgement (`43`).
///
/// The service sends no others; the rest are the library's.
pub(crate) fn is_packet(data: &[u8]) -> bool {
    data.starts_with(b"42") || data.starts_with(b"43")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            length @ 0..=125 => frame.push(length as u8),
            length @ 126..=0xffff => frame.extend([&[126_u8][..], &(length as u16).to_be_bytes()[..]].concat()),
            length => frame.extend([&[127_u8][..], &(length as u64).to_be_bytes()[..]].concat()),
        }
        frame.extend(payload);
        frame
    }

    #[test]
    fn events_and_acknowledgements_are_counted_once_complete_however_the_data_is_split() {
        let packet = |length: usize| format!("42{}", "x".repeat(length)).into_bytes();
        let mut written = frame(1, b"40{}");
        written.extend(frame(1, &packet(10)));
        written.extend(frame(1, b"2"));
        written.extend(frame(9, b""));
        written.extend(frame(1, &packet(300)));
        written.extend(frame(10, b"42"));
        written.extend(frame(1, &packet(70_000)));
        written.extend(frame(1, b"431[]"));
        for cut in [1, 2, 3, 7, 4_096, written.len()] {
            let mut frames = Frames::default();
            let counted: usize = written.chunks(cut).map(|piece| frames.follow(piece)).sum();
            assert_eq!((counted, frames.is_between()), (4, true), "in pieces of {cut}");
            frames.follow(&written[..1]);
            assert!(!frames.is_between());
        }
    }
}
