//! Helpers for JSON objects.

use serde_json::Value;

/// Overwrites the fields of an object with those of another.
pub(crate) fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// Returns an object without some of its fields.
pub(crate) fn without(mut object: Value, fields: &[&str]) -> Value {
    for field in fields {
        object.as_object_mut().and_then(|object| object.remove(*field));
    }
    object
}

/// Removes fields that are null.
pub(crate) fn drop_nulls(object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
}
