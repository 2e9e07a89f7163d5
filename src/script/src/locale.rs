//! What a script says in the languages that it knows: Fluent, from `locales/<language>.ftl`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use serde_json::{Map, Value};
use unic_langid::LanguageIdentifier;

/// Where nothing else is known.
pub(crate) const FALLBACK: &str = "en";

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
            let resource = FluentResource::try_new(text.clone()).map_err(|(_, errors)| {
                let first = errors.first();
                let line = first.map_or(1, |error| text[..error.pos.start.min(text.len())].matches('\n').count() + 1);
                let what = first.map_or_else(String::new, |error| error.kind.to_string());
                format!("locales/{language}.ftl:{line}: {what}")
            })?;
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

    /// The message in the first of the languages that has it, then in the fallback, then in any.
    pub(crate) fn message(&self, wanted: &[&str], key: &str, args: &Map<String, Value>) -> Option<String> {
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, attribute)| (id, Some(attribute)));
        let mut tried = wanted.iter().flat_map(|language| [*language, language.split(['-', '_']).next().unwrap_or("")]);
        let chosen = tried
            .find_map(|language| self.bundle(language, id, attribute))
            .or_else(|| self.bundle(FALLBACK, id, attribute))
            .or_else(|| self.bundles.values().find(|bundle| pattern(bundle, id, attribute).is_some()))?;
        Some(write(chosen, id, attribute, args))
    }

    /// The message in this language, or in what it is a kind of (`fr` for `fr-CA`), and in no other.
    pub(crate) fn message_in(&self, language: &str, key: &str, args: &Map<String, Value>) -> Option<String> {
        let general = language.split(['-', '_']).next().unwrap_or("");
        let bundle = [language, general].into_iter().find_map(|language| self.bundle(language, key, None))?;
        Some(write(bundle, key, None, args))
    }

    /// The languages that there are texts in.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &String> {
        self.bundles.keys()
    }

    /// A text in this language and no other.
    pub(crate) fn exactly(&self, language: &str, key: &str) -> Option<String> {
        let bundle = self.bundles.get(language)?;
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, attribute)| (id, Some(attribute)));
        let text = bundle.format_pattern(pattern(bundle, id, attribute)?, None, &mut Vec::new());
        Some(text.into_owned())
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
) -> String {
    let Some(pattern) = pattern(bundle, id, attribute) else { return String::new() };
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set(name.clone(), fluent(value));
    }
    let mut problems = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&values), &mut problems).into_owned();
    for problem in problems {
        tracing::warn!(key = id, "a translation lacks something: {problem}");
    }
    text
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
