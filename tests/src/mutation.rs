//! Mutations of valid data into data that no platform sends.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// Changes one random place: a value is replaced by another, by one of another type, or removed.
pub fn mutate(value: &mut Value, other: &Value, random: &mut StdRng) {
    match value {
        Value::Object(map) if !map.is_empty() && random.random_bool(0.85) => {
            let index = random.random_range(0..map.len());
            let Some(key) = map.keys().nth(index).cloned() else { return };
            match random.random_range(0..10) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert(key, other.clone())),
                _ => mutate(&mut map[&key], other, random),
            }
        }
        Value::Array(list) if !list.is_empty() && random.random_bool(0.85) => {
            let index = random.random_range(0..list.len());
            match random.random_range(0..10) {
                0 => drop(list.remove(index)),
                1 => list.push(other.clone()),
                _ => mutate(&mut list[index], other, random),
            }
        }
        value => {
            *value = match random.random_range(0..10) {
                0 => Value::Null,
                1 => json!(random.random_range(i64::MIN..i64::MAX)),
                2 => json!(u64::MAX),
                3 => json!(-1.5),
                4 => json!(""),
                5 => json!("18446744073709551615"),
                6 => json!("99999999999999999999999"),
                7 => json!("\u{202e}\0<@1>```💥"),
                8 => json!([]),
                _ => json!({}),
            }
        }
    }
}
