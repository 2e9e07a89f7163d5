//! Values of scripts outside their VM: their encoding in the store, and their memory.

use serde_json::Value;

/// Encodes a value for the store, as MessagePack.
#[must_use]
pub fn encode_value(value: &Value) -> Vec<u8> {
    // JSON values always serialise; this only avoids a panic.
    rmp_serde::to_vec(value).unwrap_or_default()
}

/// Decodes a stored value.
///
/// # Errors
/// Returns an error text if the bytes are not a valid value.
pub fn decode_value(bytes: &[u8]) -> Result<Value, String> {
    rmp_serde::from_slice(bytes).map_err(|error| format!("the stored value cannot be read: {error}"))
}

/// Returns the approximate memory of a value, in bytes.
#[must_use]
pub fn value_weight(value: &Value) -> usize {
    const BASE: usize = 32;
    // A node of a map has room for several entries.
    const MAP: usize = 256;
    const NAME: usize = 32;
    BASE + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(value_weight).sum::<usize>(),
        Value::Object(map) if map.is_empty() => 0,
        Value::Object(map) => {
            MAP + map.iter().map(|(name, value)| NAME + name.len() + value_weight(value)).sum::<usize>()
        }
    }
}
