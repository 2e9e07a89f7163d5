//! The format of a row: a byte that says whether an expiry follows, the expiry, the value.

use palabre_types::Millis;

const FOREVER: u8 = 0;
const EXPIRES: u8 = 1;

/// A value, with its expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The encoded value.
    pub value: Vec<u8>,
    /// The time at which it expires.
    pub expires: Option<Millis>,
}

impl Row {
    pub(crate) fn encode(value: &[u8], expires: Option<Millis>) -> Vec<u8> {
        let mut out = Vec::new();
        Self::encode_into(&mut out, value, expires);
        out
    }

    /// Appends an encoded row.
    pub(crate) fn encode_into(out: &mut Vec<u8>, value: &[u8], expires: Option<Millis>) {
        out.reserve(value.len() + 9);
        match expires {
            None => out.push(FOREVER),
            Some(at) => {
                out.push(EXPIRES);
                out.extend_from_slice(&at.to_be_bytes());
            }
        }
        out.extend_from_slice(value);
    }

    /// Splits an encoded row into its parts; `None` if it is not a row.
    pub(crate) fn split(bytes: &[u8]) -> Option<(&[u8], Option<Millis>)> {
        match bytes.split_first()? {
            (&FOREVER, value) => Some((value, None)),
            (&EXPIRES, rest) => {
                let (at, value) = rest.split_first_chunk()?;
                Some((value, Some(Millis::from_be_bytes(*at))))
            }
            _ => None,
        }
    }
}
