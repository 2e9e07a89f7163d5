//! script.yaml: the description, requirements and configuration schema of a script in a folder.

mod configure;
mod contents;
mod field;
mod raw;
mod schema;

use serde_json::{Map, Value};

use crate::bom::without_bom;
use crate::yaml::{YamlError, YamlFile};

pub use configure::ConfigFault;
pub use contents::Manifest;
pub use field::{ConfigField, ConfigKind};

impl Manifest {
    /// Parses a script.yaml. `file` names it in errors.
    ///
    /// The caller checks that `name` is the folder's name.
    ///
    /// # Errors
    /// Returns the first problem with its position, including a required version of Palabre that this is not.
    pub fn parse(file: &str, text: &str) -> Result<Self, YamlError> {
        let text = without_bom(text);
        let place = YamlFile { file, text };
        let raw: raw::Raw = serde_saphyr::from_str(text).map_err(|error| place.unparsed(&error))?;
        raw.check(&place)
    }

    /// Validates the configuration in bots.yaml and completes it with defaults. Null counts as omitted.
    ///
    /// # Errors
    /// Returns all problems of `given`.
    pub fn configure(&self, given: &Map<String, Value>) -> Result<Value, Vec<ConfigFault>> {
        let Some(fields) = &self.config else { return Ok(Value::Object(given.clone())) };
        let mut faults = Vec::new();
        let filled = configure::fill(fields, given, "", &mut faults);
        if faults.is_empty() { Ok(Value::Object(filled)) } else { Err(faults) }
    }
}
