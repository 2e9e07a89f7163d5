//! `palabre schema`: the JSON Schema of bots.yaml.

use crate::config::File;

/// Returns the JSON Schema of bots.yaml.
pub(super) fn schema() -> String {
    let schema = schemars::schema_for!(File);
    // A schema can always be serialised.
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
