//! A script's texts in several languages: Fluent, from `locales/<language>.ftl`.

mod nesting;
mod sizes;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use serde_json::{Map, Value};
use unic_langid::LanguageIdentifier;

use crate::limits::VALUE_BYTES;

/// The language of last resort.
pub(crate) const FALLBACK: &str = "en";
/// The maximum number of problems of one text that are reported.
const PROBLEMS_SHOWN_MAX: usize = 5;

/// Checks that a Fluent file does not nest too deeply to be parsed. `file` names it in errors.
///
/// # Errors
/// Returns the file, the line and the limit.
pub(crate) fn check_nesting(file: &str, text: &str) -> Result<(), String> {
    nesting::check(text).map_err(|found| format!("{file}:{}: {}", found.line, found.problem))
}

/// The texts of one script, by language.
pub(crate) struct Locales {
    bundles: BTreeMap<String, FluentBundle<FluentResource>>,
}

impl Locales {
    /// Parses the texts, given by language.
    ///
    /// # Errors
    /// Returns the file, the line and the problem.
    pub(crate) fn new(texts: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut bundles = BTreeMap::new();
        for (language, text) in texts {
            let id: LanguageIdentifier = language.parse().ok().ok_or_else(|| {
                format!("locales/{language}.ftl: \"{language}\" is not a language such as en, fr or pt-BR")
            })?;
            check_nesting(&format!("locales/{language}.ftl"), text)?;
            let resource = FluentResource::try_new(text.clone()).map_err(|(_, errors)| {
                let first = errors.first();
                let line = first.map_or(1, |error| text[..error.pos.start.min(text.len())].matches('\n').count() + 1);
                let what = first.map_or_else(String::new, |error| error.kind.to_string());
                format!("locales/{language}.ftl:{line}: {what}")
            })?;
            sizes::check(&resource).map_err(|problem| format!("locales/{language}.ftl: {problem}"))?;
            let mut bundle = FluentBundle::new(vec![id]);
            // Isolation marks help to mix writing directions, but chat clients show them as odd characters.
            bundle.set_use_isolating(false);
            bundle.add_resource(resource).map_err(|errors| {
                let what: Vec<_> = errors.iter().map(ToString::to_string).collect();
                format!("locales/{language}.ftl: {}", what.join("; "))
            })?;
            bundles.insert(language.clone(), bundle);
        }
        Ok(Self { bundles })
    }

    /// Formats a text in the first wanted language that has it, else in the fallback, else in any.
    ///
    /// Missing values and references are added to `problems`. Returns `None` if no language has the text.
    ///
    /// # Errors
    /// Returns an error if the result is too long.
    pub(crate) fn message(
        &self,
        wanted: &[&str],
        key: &str,
        args: &Map<String, Value>,
        problems: &mut Vec<String>,
    ) -> Option<Result<String, String>> {
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, attribute)| (id, Some(attribute)));
        let mut tried = wanted.iter().flat_map(|language| [*language, language.split(['-', '_']).next().unwrap_or("")]);
        let chosen = tried
            .find_map(|language| self.bundle(language, id, attribute))
            .or_else(|| self.bundle(FALLBACK, id, attribute))
            .or_else(|| self.bundles.values().find(|bundle| pattern(bundle, id, attribute).is_some()))?;
        Some(write(chosen, id, attribute, args, problems))
    }

    /// Formats a text in this language or its general form (`fr` for `fr-CA`), and in no other.
    ///
    /// Returns `None` also if the result is too long.
    pub(crate) fn message_in(
        &self,
        language: &str,
        key: &str,
        args: &Map<String, Value>,
        problems: &mut Vec<String>,
    ) -> Option<String> {
        let general = language.split(['-', '_']).next().unwrap_or("");
        let bundle = [language, general].into_iter().find_map(|language| self.bundle(language, key, None))?;
        write(bundle, key, None, args, problems).ok()
    }

    /// Returns the languages that have texts.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &String> {
        self.bundles.keys()
    }

    /// Formats a text without values, in this language and no other.
    pub(crate) fn exactly(&self, language: &str, key: &str) -> Option<String> {
        let bundle = self.bundles.get(language)?;
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, attribute)| (id, Some(attribute)));
        let mut text = Bounded::default();
        bundle.write_pattern(&mut text, pattern(bundle, id, attribute)?, None, &mut Vec::new()).ok()?;
        Some(text.0)
    }

    fn bundle(&self, language: &str, id: &str, attribute: Option<&str>) -> Option<&FluentBundle<FluentResource>> {
        let same = |known: &&String| known.eq_ignore_ascii_case(language);
        let name = self.bundles.keys().find(same)?;
        self.bundles.get(name).filter(|bundle| pattern(bundle, id, attribute).is_some())
    }
}

fn pattern<'b>(
    bundle: &'b FluentBundle<FluentResource>,
    id: &str,
    attribute: Option<&str>,
) -> Option<&'b fluent_syntax::ast::Pattern<&'b str>> {
    let message = bundle.get_message(id)?;
    match attribute {
        None => message.value(),
        Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
    }
}

fn write(
    bundle: &FluentBundle<FluentResource>,
    id: &str,
    attribute: Option<&str>,
    args: &Map<String, Value>,
    problems: &mut Vec<String>,
) -> Result<String, String> {
    let Some(pattern) = pattern(bundle, id, attribute) else { return Ok(String::new()) };
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set(name.clone(), fluent(value));
    }
    let mut faults = Vec::new();
    let mut text = Bounded::default();
    let written = bundle.write_pattern(&mut text, pattern, Some(&values), &mut faults);
    if !faults.is_empty() {
        let shown: Vec<_> = faults.iter().take(PROBLEMS_SHOWN_MAX).map(ToString::to_string).collect();
        let more = faults.len().saturating_sub(PROBLEMS_SHOWN_MAX);
        let more = if more > 0 { format!("; … and {more} more") } else { String::new() };
        let language = bundle.locales.first().map(ToString::to_string).unwrap_or_default();
        problems.push(format!("the text \"{id}\" in {language} has problems: {}{more}", shown.join("; ")));
    }
    match written {
        Ok(()) => Ok(text.0),
        Err(fmt::Error) => Err(format!("the text \"{id}\" becomes longer than {} KiB", VALUE_BYTES >> 10)),
    }
}

/// A text no longer than a message: one value can occur in it a hundred times.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.0.len() + more.len() > VALUE_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(more);
        Ok(())
    }
}

fn fluent(value: &Value) -> FluentValue<'static> {
    match value {
        Value::Number(number) => FluentValue::from(number.as_f64().unwrap_or(0.0)),
        Value::String(text) => FluentValue::from(text.clone()),
        Value::Bool(yes) => FluentValue::from(if *yes { "true" } else { "false" }),
        other => {
            let mut text = String::new();
            // Writing into a string cannot fail.
            let _written = write!(text, "{other}");
            FluentValue::from(text)
        }
    }
}
