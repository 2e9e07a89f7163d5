//! Errors in bots.yaml, as the runtime shows errors in YAML files.

use std::path::Path;

use palabre_script::YamlFile;
use serde_saphyr::{Error, Location};

use crate::problem::Problem;

/// The file that an error is in.
pub(super) struct Place<'p> {
    pub(super) path: &'p Path,
    pub(super) text: &'p str,
}

impl Place<'_> {
    /// Something is wrong at `location` that the parser does not know of.
    pub(super) fn wrong(&self, location: &Location, what: &str) -> Problem {
        let file = self.path.display().to_string();
        let file = YamlFile { file: &file, text: self.text };
        Problem::Config(file.wrong(location, what.to_owned()).to_string())
    }

    /// Something is wrong with a value of which only the text is known.
    pub(super) fn wrong_literal(&self, literal: &str, what: &str) -> Problem {
        let file = self.path.display().to_string();
        let file = YamlFile { file: &file, text: self.text };
        Problem::Config(file.wrong_literal(literal, what.to_owned()).to_string())
    }

    /// What the parser says.
    pub(super) fn unparsed(&self, error: &Error) -> Problem {
        let file = self.path.display().to_string();
        Problem::Config(YamlFile { file: &file, text: self.text }.unparsed(error).to_string())
    }
}
