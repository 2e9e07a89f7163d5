//! The configuration schema as parsed: checks of combinations of keys, and of defaults.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::configure::{check, plain};
use super::field::{ConfigField, ConfigKind, Measure};
use crate::yaml::{YamlError, YamlFile};

/// One key of the schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    #[serde(rename = "type")]
    kind: Spanned<RawKind>,
    default: Option<Spanned<Value>>,
    #[serde(default)]
    required: bool,
    min: Option<Spanned<f64>>,
    max: Option<Spanned<f64>>,
    choices: Option<Spanned<Vec<Value>>>,
    items: Option<Box<Spanned<RawField>>>,
    fields: Option<BTreeMap<String, Spanned<RawField>>>,
    description: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawKind {
    String,
    Integer,
    Number,
    Boolean,
    Duration,
    Choice,
    List,
    Map,
    User,
    Room,
    Role,
}

/// Validates the fields at the path `at`.
pub(super) fn checked(
    place: &YamlFile<'_>,
    fields: BTreeMap<String, Spanned<RawField>>,
    at: &str,
) -> Result<BTreeMap<String, ConfigField>, YamlError> {
    let mut checked = BTreeMap::new();
    for (key, field) in fields {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        checked.insert(key, field.value.check(place, &path)?);
    }
    Ok(checked)
}

impl RawField {
    fn check(self, place: &YamlFile<'_>, at: &str) -> Result<ConfigField, YamlError> {
        self.check_companions(place, at)?;
        let kind = match self.kind.value {
            RawKind::String => ConfigKind::String,
            RawKind::Integer => ConfigKind::Integer,
            RawKind::Number => ConfigKind::Number,
            RawKind::Boolean => ConfigKind::Boolean,
            RawKind::Duration => ConfigKind::Duration,
            RawKind::User => ConfigKind::User,
            RawKind::Room => ConfigKind::Room,
            RawKind::Role => ConfigKind::Role,
            RawKind::Choice => ConfigKind::Choice(self.choices.map(|choices| choices.value).unwrap_or_default()),
            RawKind::List => ConfigKind::List(match self.items {
                Some(items) => Some(Box::new(items.value.check(place, at)?)),
                None => None,
            }),
            RawKind::Map => ConfigKind::Map(self.fields.map(|fields| checked(place, fields, at)).transpose()?),
        };
        check_bounds(place, at, &kind, self.min.as_ref(), self.max.as_ref())?;
        let mut field = ConfigField {
            kind,
            default: None,
            required: self.required,
            min: self.min.map(|min| min.value),
            max: self.max.map(|max| max.value),
            description: self.description,
        };
        if let Some(default) = self.default {
            let mut faults = Vec::new();
            let complete = check(&field, &default.value, at, &mut faults);
            if let Some(fault) = faults.first() {
                let message = format!("{}: the default does not fit the type: {}", fault.key, fault.message);
                return Err(place.wrong(&default.referenced, message));
            }
            field.default = Some(complete);
        }
        Ok(field)
    }

    /// Checks that the keys fit the type.
    fn check_companions(&self, place: &YamlFile<'_>, at: &str) -> Result<(), YamlError> {
        let kind = &self.kind;
        let wrong = |what: &str| Err(place.wrong(&kind.referenced, format!("{at}: {what}")));
        match (&self.choices, kind.value) {
            (None, RawKind::Choice) => return wrong("the type choice needs choices: a list of texts or numbers"),
            (Some(choices), RawKind::Choice) => check_choices(place, at, choices)?,
            (Some(_), _) => return wrong("choices belong to the type choice"),
            (None, _) => {}
        }
        if self.items.is_some() && kind.value != RawKind::List {
            return wrong("items belong to the type list");
        }
        if self.fields.is_some() && kind.value != RawKind::Map {
            return wrong("fields belong to the type map");
        }
        if self.required && self.default.is_some() {
            return wrong("a required key cannot have a default; remove one of the two");
        }
        Ok(())
    }
}

fn check_choices(place: &YamlFile<'_>, at: &str, choices: &Spanned<Vec<Value>>) -> Result<(), YamlError> {
    let wrong = |what: String| Err(place.wrong(&choices.referenced, format!("{at}: {what}")));
    if choices.value.is_empty() {
        return wrong("the list of choices is empty; give at least one".to_owned());
    }
    for (index, choice) in choices.value.iter().enumerate() {
        if !(choice.is_string() || choice.is_number()) {
            return wrong("choices are texts or numbers; put words such as yes, no, on and off into quotes".to_owned());
        }
        if choices.value[..index].contains(choice) {
            return wrong(format!("the choice {} is listed twice", plain(choice)));
        }
    }
    Ok(())
}

fn check_bounds(
    place: &YamlFile<'_>,
    at: &str,
    kind: &ConfigKind,
    min: Option<&Spanned<f64>>,
    max: Option<&Spanned<f64>>,
) -> Result<(), YamlError> {
    for bound in [min, max].into_iter().flatten() {
        let wrong = |what: &str| Err(place.wrong(&bound.referenced, format!("{at}: {what}")));
        match kind.measure() {
            None => return wrong("min and max belong to numbers, strings and lists"),
            Some(Measure::Length(_)) if bound.value < 0.0 || bound.value.fract() != 0.0 => {
                return wrong("a length is a whole number, and not less than 0");
            }
            Some(_) if !bound.value.is_finite() => return wrong("a number is expected here"),
            Some(_) => {}
        }
    }
    match (min, max) {
        (Some(min), Some(max)) if min.value > max.value => {
            let message = format!("{at}: min, {}, is greater than max, {}", min.value, max.value);
            Err(place.wrong(&max.referenced, message))
        }
        _ => Ok(()),
    }
}
