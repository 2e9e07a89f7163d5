//! Normalisation of servers' JSON: null counts as absent, and a whole number is an integer.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// Up to 2^53, every integer has an exact floating-point number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Removes nulls, and turns numbers such as `5.0` into integers, at any depth.
pub(crate) fn regular(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, one| !one.is_null());
            object.values_mut().for_each(regular);
        }
        Value::Array(list) => {
            list.retain(|one| !one.is_null());
            list.iter_mut().for_each(regular);
        }
        Value::Number(number) => {
            if let Some(whole) = whole(number) {
                *number = whole.into();
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn whole(number: &Number) -> Option<i64> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i64)
}

/// Reads a list item by item, and drops items that cannot be read.
pub(crate) fn each<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items = Vec::<Value>::deserialize(deserializer)?;
    Ok(items.into_iter().filter_map(|item| T::deserialize(item).ok()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_absent_and_whole_numbers_are_integers_at_any_depth() {
        let mut value = json!({
            "a": null, "b": [null, { "c": null, "d": 5.0 }], "e": -1_001_234_567_890.0, "f": 1.5, "g": "null",
            "h": 1e300,
        });
        regular(&mut value);
        let f = json!({ "b": [{ "d": 5 }], "e": -1_001_234_567_890_i64, "f": 1.5, "g": "null", "h": 1e300 });
        assert_eq!(value, f);
        assert_eq!(value["b"][0]["d"].as_i64(), Some(5));
    }

    #[test]
    fn one_item_that_cannot_be_read_costs_that_item() {
        let read: Vec<u8> = each(json!([1, "two", 300, 4])).expect("a list");
        assert_eq!(read, [1, 4]);
    }
}
