//! script.yaml as parsed, and the checks that the parser cannot make.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::contents::Manifest;
use super::schema::{RawField, checked};
use crate::grants::GRANTS;
use crate::yaml::{YamlError, YamlFile, nearest};

/// The version of the runtime, which all crates share.
const RUNTIME: &str = env!("CARGO_PKG_VERSION");

/// The parsed file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    author: Option<String>,
    description: Option<String>,
    license: Option<String>,
    palabre: Option<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    #[serde(default)]
    depends: BTreeMap<String, Spanned<String>>,
    config: Option<BTreeMap<String, Spanned<RawField>>>,
}

impl Raw {
    /// Validates the file and returns the manifest.
    pub(super) fn check(self, place: &YamlFile<'_>) -> Result<Manifest, YamlError> {
        script_name(place, &self.name.value, &self.name.referenced)?;
        let version = self.version.map(|version| parse_version(place, &version)).transpose()?;
        let palabre = self.palabre.map(|wanted| runtime(place, &wanted)).transpose()?;
        let mut needs: Vec<String> = Vec::new();
        for need in self.needs {
            capability(&need.value).map_err(|message| place.wrong(&need.referenced, message))?;
            if needs.contains(&need.value) {
                return Err(place.wrong(&need.referenced, format!("needs: {} is listed twice", need.value)));
            }
            needs.push(need.value);
        }
        let mut depends = BTreeMap::new();
        for (name, wanted) in self.depends {
            script_name(place, &name, &wanted.referenced)?;
            depends.insert(name, requirement(place, &wanted)?);
        }
        let config = self.config.map(|fields| checked(place, fields, "")).transpose()?;
        let (author, description, license) = (self.author, self.description, self.license);
        let name = self.name.value;
        Ok(Manifest { name, version, author, description, license, palabre, needs, depends, config })
    }
}

fn script_name(place: &YamlFile<'_>, name: &str, at: &Location) -> Result<(), YamlError> {
    if Manifest::is_name(name) {
        return Ok(());
    }
    let message = format!("\"{name}\" is not a valid name for a script; use letters, digits, - and _");
    Err(place.wrong(at, message))
}

fn parse_version(place: &YamlFile<'_>, text: &Spanned<String>) -> Result<Version, YamlError> {
    Version::parse(&text.value).map_err(|error| {
        let message = format!("\"{}\" is not a version ({error}); write three numbers, such as 1.2.0", text.value);
        place.wrong(&text.referenced, message)
    })
}

fn requirement(place: &YamlFile<'_>, text: &Spanned<String>) -> Result<VersionReq, YamlError> {
    VersionReq::parse(&text.value).map_err(|error| {
        let message = format!("\"{}\" is not a version requirement ({error}); write \">=0.1\" or \"^1\"", text.value);
        place.wrong(&text.referenced, message)
    })
}

fn runtime(place: &YamlFile<'_>, text: &Spanned<String>) -> Result<VersionReq, YamlError> {
    let wanted = requirement(place, text)?;
    match Version::parse(RUNTIME) {
        Ok(here) if !wanted.matches(&here) => {
            let message =
                format!("the script requires Palabre {wanted}, but this is {here}; use another version of one of them");
            Err(place.wrong(&text.referenced, message))
        }
        _ => Ok(wanted),
    }
}

/// Checks that `text` names a grant.
fn capability(text: &str) -> Result<(), String> {
    if GRANTS.contains(&text) {
        return Ok(());
    }
    if let Some(host) = text.strip_prefix("http:") {
        return palabre_fetch::Grants::parse(&[host.to_owned()]).map(drop).map_err(|why| format!("needs: {why}"));
    }
    let near = nearest(text, GRANTS.iter().copied());
    Err(format!("needs: there is no capability {text}, only {} and http:HOST{near}", GRANTS.join(", ")))
}
