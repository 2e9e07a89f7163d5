//! Renders errors in bots.yaml in the same way as in other YAML files.

use std::path::Path;

use palabre_script::YamlFile;
use serde_saphyr::{Error, Location};

use crate::problem::Problem;

/// The file that contains the error.
pub(super) struct Place<'p> {
    pub(super) path: &'p Path,
    pub(super) text: &'p str,
}

impl Place<'_> {
    /// Renders an error at `location` that validation found.
    pub(super) fn wrong(&self, location: &Location, what: &str) -> Problem {
        let file = self.path.display().to_string();
        let file = YamlFile { file: &file, text: self.text };
        Problem::Config(file.wrong(location, what.to_owned()).to_string())
    }

    /// Renders an error in a value of which only the text is known.
    pub(super) fn wrong_literal(&self, literal: &str, what: &str) -> Problem {
        let file = self.path.display().to_string();
        let file = YamlFile { file: &file, text: self.text };
        Problem::Config(file.wrong_literal(literal, what.to_owned()).to_string())
    }

    /// Renders an error of the parser.
    pub(super) fn unparsed(&self, error: &Error) -> Problem {
        let file = self.path.display().to_string();
        Problem::Config(YamlFile { file: &file, text: self.text }.unparsed(error).to_string())
    }
}
