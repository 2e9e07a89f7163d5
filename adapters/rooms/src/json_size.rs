//! The size of data as JSON, measured before the data is sent.

use std::io::{self, Write};

use serde::Serialize;

/// Returns the size of `data` as JSON, in bytes.
pub(crate) fn json_size<T: Serialize>(data: &T) -> usize {
    let mut counted = Counted(0);
    // Data that cannot be serialised fails when it is sent.
    drop(serde_json::to_writer(&mut counted, data));
    counted.0
}

struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 += data.len();
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
