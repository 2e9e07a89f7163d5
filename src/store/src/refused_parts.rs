//! The refused parts of the last batches: rows in which a repeated commit finds them.
//!
//! A commit that failed may have reached the file. When its batch is submitted again, the conditions
//! of its parts would be checked against rows that the batch itself has changed.

use crate::table::{decode_value, encode_value};

/// Number of batches whose refused parts are kept: more than are submitted again at a time.
const KEPT_BATCHES: u64 = 16;

/// Returns the key of a batch's row among the facts about the file.
pub(crate) fn key(number: u64) -> Vec<u8> {
    format!("refused parts {}", number % KEPT_BATCHES).into_bytes()
}

/// Returns the value of a batch's row.
pub(crate) fn value(number: u64, refused: &[usize]) -> Vec<u8> {
    encode_value(&(number, refused))
}

/// Returns the refused parts of a batch. The value may be that of an earlier batch.
pub(crate) fn of(number: u64, value: Option<&[u8]>) -> Vec<usize> {
    let found = value.and_then(|value| decode_value::<(u64, Vec<usize>)>(value).ok());
    found.filter(|(of, _)| *of == number).map(|(_, refused)| refused).unwrap_or_default()
}
