use std::collections::BTreeMap;

use intl_pluralrules::{PluralCategory, PluralRuleType, PluralRules};
use unic_langid::LanguageIdentifier;

use crate::error::TextError;

/// Chooses the plural form for a number, by the rules of a language (such as `fr` or `pt-BR`).
///
/// The forms are named as in CLDR: `zero`, `one`, `two`, `few`, `many` and `other`, which replaces
/// missing ones. A language without known rules is treated like English.
///
/// # Errors
///
/// If both the form that the rules ask for and `other` are missing.
pub fn plural<'f>(locale: &str, n: f64, forms: &'f BTreeMap<String, String>) -> Result<&'f str, TextError> {
    let category = category(locale, n);
    let form = forms.get(category).or_else(|| forms.get("other"));
    form.map(String::as_str).ok_or(TextError::NoPluralForm { category })
}

fn category(locale: &str, n: f64) -> &'static str {
    match rules(locale).and_then(|rules| rules.select(n).ok()) {
        Some(PluralCategory::ZERO) => "zero",
        Some(PluralCategory::ONE) => "one",
        Some(PluralCategory::TWO) => "two",
        Some(PluralCategory::FEW) => "few",
        Some(PluralCategory::MANY) => "many",
        Some(PluralCategory::OTHER) => "other",
        None if n == 1.0 => "one",
        None => "other",
    }
}

fn rules(locale: &str) -> Option<PluralRules> {
    let locale: LanguageIdentifier = locale.parse().ok()?;
    let language = LanguageIdentifier::from_parts(locale.language, None, None, &[]);
    // Fall back to the language: few regions have rules of their own.
    [locale, language].into_iter().find_map(|locale| PluralRules::create(locale, PluralRuleType::CARDINAL).ok())
}
