//! What a script says in the languages that it knows: Fluent, from `locales/<language>.ftl`.

mod nesting;
mod sizes;

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use serde_json::{Map, Value};
use unic_langid::LanguageIdentifier;

use crate::limits::VALUE_BYTES;

/// Where nothing else is known.
pub(crate) const FALLBACK: &str = "en";
/// So much of what a text lacks is named.
const SHOWN: usize = 5;

/// Checks that a file of texts, which errors call `file`, does not nest too deeply to be parsed.
///
/// # Errors
/// The file, the line and the limit.
pub(crate) fn check_nesting(file: &str, text: &str) -> Result<(), String> {
    nesting::check(text).map_err(|found| format!("{file}:{}: {}", found.line, found.problem))
}

/// The bundles of one script, by language.
pub(crate) struct Locales {
    bundles: BTreeMap<String, FluentBundle<FluentResource>>,
}

impl Locales {
    /// Reads the texts by language.
    ///
    /// # Errors
    /// The file, the line and what is wrong there.
    pub(crate) fn new(texts: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut bundles = BTreeMap::new();
        for (language, text) in texts {
            let id: LanguageIdentifier = language.parse().ok().ok_or_else(|| {
                format!("locales/{language}.ftl: \"{language}\" is no language, as en, fr or pt-BR are")
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
            // The marks around arguments help where scripts of both directions meet; in a chat they are seen as rubbish.
            bundle.set_use_isolating(false);
            bundle.add_resource(resource).map_err(|errors| {
                let what: Vec<_> = errors.iter().map(ToString::to_string).collect();
                format!("locales/{language}.ftl: {}", what.join("; "))
            })?;
            bundles.insert(language.clone(), bundle);
        }
        Ok(Self { bundles })
    }

    /// The message in the first of the languages that has it, then in the fallback, then in any. What it lacks is added to
    /// `problems`. `None` where no language has it.
    ///
    /// # Errors
    /// When what comes out is too long.
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

    /// The message in this language, or in what it is a kind of (`fr` for `fr-CA`), and in no other. `None` also where it is
    /// too long.
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

    /// The languages that there are texts in.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &String> {
        self.bundles.keys()
    }

    /// A text in this language and no other.
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
        let shown: Vec<_> = faults.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = faults.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!("; … and {more} more") } else { String::new() };
        let language = bundle.locales.first().map(ToString::to_string).unwrap_or_default();
        problems.push(format!("the text \"{id}\" in {language} lacks something: {}{more}", shown.join("; ")));
    }
    match written {
        Ok(()) => Ok(text.0),
        Err(fmt::Error) => Err(format!("the text \"{id}\" becomes longer than {} KiB", VALUE_BYTES >> 10)),
    }
}

/// A text that takes no more than a message may have: one value can stand in it a hundred times.
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
