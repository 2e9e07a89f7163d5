//! Denied terms: each concept has one name, which the glossary lists.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use syn::visit::{self, Visit};

use super::calls::DeniedCalls;
use super::files::Files;
use super::rust::Sources;
use super::violation::Violation;
use super::web::Scripts;
use crate::problem::Problem;

/// The rules of `tidy.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// Files that no rule applies to, by the beginning of their path: generated ones, hostile inputs, foreign ones.
    pub(crate) exempt: Vec<String>,
    denied: Vec<Concept>,
    /// Phrases that no comment contains.
    phrases: Vec<String>,
    pub(crate) calls: Vec<DeniedCalls>,
}

/// A concept, and words that are not used for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Concept {
    /// The term to use.
    term: String,
    /// Denied words, in snake_case; several words in a row are one entry.
    words: Vec<String>,
    /// Identifiers that use a denied word in a standard meaning.
    #[serde(default)]
    standard: Vec<String>,
}

impl Rules {
    /// Reads `tidy.yaml`.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(Problem::file("read", path))?;
        let unreadable =
            |error: serde_saphyr::Error| Problem::Unreadable { path: path.to_owned(), what: error.to_string() };
        serde_saphyr::from_str(&text).map_err(unreadable)
    }

    /// Returns the denied word in an identifier or heading, and the term to use instead.
    fn denied(&self, name: &str) -> Option<(&str, &str)> {
        let parts = format!("_{}_", parts(name).join("_"));
        let concepts = self.denied.iter().filter(|concept| !concept.standard.iter().any(|standard| standard == name));
        concepts
            .filter(|concept| !concept.standard.iter().any(|standard| parts.contains(&format!("_{standard}_"))))
            .find_map(|concept| {
                let word = concept.words.iter().find(|word| parts.contains(&format!("_{word}_")))?;
                Some((word.as_str(), concept.term.as_str()))
            })
    }
}

pub(crate) fn check(
    files: &Files,
    rules: &Rules,
    sources: &Sources,
    scripts: &Scripts,
    violations: &mut Vec<Violation>,
) {
    for (file, parsed) in sources {
        let mut names = Names::default();
        names.visit_file(parsed);
        check_names(rules, file, names.found, violations);
    }
    for (file, script) in scripts {
        check_names(rules, file, script.names.clone(), violations);
    }
    for (file, text) in files.with(&["md"]) {
        let headings = text.lines().enumerate().filter(|(_, line)| line.starts_with('#'));
        let words =
            headings.flat_map(|(index, line)| line.split_whitespace().map(move |word| (word.to_owned(), index + 1)));
        check_names(rules, file, words.collect(), violations);
    }
    for (file, text) in files.with(&["rs", "js", "css"]) {
        check_comments(rules, file, text, violations);
    }
}

fn check_names(rules: &Rules, file: &str, names: Vec<(String, usize)>, violations: &mut Vec<Violation>) {
    let mut found: BTreeMap<&str, (usize, usize, String)> = BTreeMap::new();
    let stem = file.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let names: Vec<(String, usize)> = std::iter::once((stem.to_owned(), 1)).chain(names).collect();
    for (name, line) in &names {
        if let Some((word, term)) = rules.denied(name) {
            let message = || format!("{name}: the term is \"{term}\", not \"{word}\"");
            let entry = found.entry(word).or_insert_with(|| (0, *line, message()));
            entry.0 += 1;
        }
    }
    for (word, (size, line, message)) in found {
        violations.push(Violation { rule: "word", file: file.to_owned(), item: word.to_owned(), size, line, message });
    }
}

/// Checks comments for denied phrases, and doc comments for how they begin.
fn check_comments(rules: &Rules, file: &str, text: &str, violations: &mut Vec<Violation>) {
    const OPENINGS: [&str; 8] = ["What ", "How ", "Who ", "Whoever ", "Where ", "When ", "Which ", "That "];
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut count = |item: &str, line: usize| found.entry(item.to_owned()).or_insert((0, line)).0 += 1;
    let mut begins = true;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let comment = trimmed.strip_prefix("///").or_else(|| trimmed.strip_prefix("//!"));
        let is_comment =
            comment.is_some() || trimmed.starts_with("//") || trimmed.starts_with('*') || trimmed.starts_with("/*");
        let lower = trimmed.to_lowercase();
        for phrase in rules.phrases.iter().filter(|phrase| is_comment && has_phrase(&lower, phrase)) {
            count(phrase, index + 1);
        }
        if let Some(comment) = comment {
            if begins && OPENINGS.iter().any(|opening| comment.trim_start().starts_with(opening)) {
                count("(opening)", index + 1);
            }
            begins = comment.trim().is_empty();
        } else {
            begins = true;
        }
    }
    for (item, (size, line)) in found {
        let message = match item.as_str() {
            "(opening)" => format!("{size} doc comments do not begin with a noun phrase or a verb in the third person"),
            phrase => format!("\"{phrase}\" in {size} comments; say it plainly"),
        };
        violations.push(Violation { rule: "comment", file: file.to_owned(), item, size, line, message });
    }
}

/// Whether `text` contains `phrase` as whole words.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(phrase)
        .any(|(at, _)| is_end(text[..at].chars().next_back()) && is_end(text[at + phrase.len()..].chars().next()))
}

/// Splits an identifier or a word into its parts, in lower case: `RunBatch` and `run_batch` are `run`, `batch`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before_is_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_is_lower) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| c.is_alphanumeric()) {
            part.extend(c.to_lowercase());
        }
        before_is_lower = c.is_lowercase() || c.is_numeric();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Names that a file defines, each with its line. Names of others' interfaces are not ours to choose.
#[derive(Default)]
struct Names {
    found: Vec<(String, usize)>,
}

impl Names {
    fn add(&mut self, ident: &syn::Ident) {
        self.found.push((ident.to_string(), ident.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(item) => self.add(&item.ident),
            syn::Item::Enum(item) => self.add(&item.ident),
            syn::Item::Mod(item) => self.add(&item.ident),
            syn::Item::Static(item) => self.add(&item.ident),
            syn::Item::Struct(item) => self.add(&item.ident),
            syn::Item::Trait(item) => self.add(&item.ident),
            syn::Item::Type(item) => self.add(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        // Tests are named as sentences, in which words have their everyday meaning.
        if !item.attrs.iter().any(is_test) {
            self.add(&item.sig.ident);
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.add(&item.ident);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(&item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // The names of a foreign trait's items are given.
        if item.trait_.is_none() {
            visit::visit_item_impl(self, item);
        } else {
            for inner in &item.items {
                if let syn::ImplItem::Fn(function) = inner {
                    visit::visit_signature(self, &function.sig);
                    visit::visit_block(self, &function.block);
                }
            }
        }
    }

    fn visit_variant(&mut self, item: &'ast syn::Variant) {
        self.add(&item.ident);
        visit::visit_variant(self, item);
    }

    fn visit_field(&mut self, item: &'ast syn::Field) {
        if let Some(ident) = &item.ident {
            self.add(ident);
        }
        visit::visit_field(self, item);
    }

    fn visit_pat_ident(&mut self, item: &'ast syn::PatIdent) {
        self.add(&item.ident);
        visit::visit_pat_ident(self, item);
    }
}

fn is_test(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        serde_saphyr::from_str(
            "exempt: []\ncalls: []\nphrases: [by and by]\ndenied:\n\
             - { term: cursor, words: [mark, just_sent], standard: [question_mark] }\n",
        )
        .unwrap()
    }

    fn found(text: &str) -> Vec<(&'static str, String, usize)> {
        let sources = Sources::from([("a.rs".to_owned(), syn::parse_file(text).unwrap())]);
        let all = BTreeMap::from([("a.rs".to_owned(), text.to_owned())]);
        let files = Files { root: std::path::PathBuf::new(), all };
        let mut violations = Vec::new();
        check(&files, &rules(), &sources, &Scripts::new(), &mut violations);
        violations.into_iter().map(|violation| (violation.rule, violation.item, violation.size)).collect()
    }

    #[test]
    fn denied_words_are_found_where_names_are_defined_and_only_as_whole_words() {
        for text in
            ["struct ScriptMark;", "fn f(mark: u8) {}", "fn mark() {}", "enum E { Mark }", "const MARK: u8 = 1;"]
        {
            assert_eq!(found(text), [("word", "mark".to_owned(), 1)], "{text}");
        }
        assert_eq!(found("struct S { just_sent: u8 }"), [("word", "just_sent".to_owned(), 1)]);
        for text in ["struct Markdown;", "fn f() { other::mark(1) }", "fn question_mark() {}", "#[test] fn a_mark() {}"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn comments_are_checked_for_phrases_and_for_how_they_begin() {
        assert_eq!(found("/// What is sent.\nstruct S;"), [("comment", "(opening)".to_owned(), 1)]);
        assert_eq!(found("/// The text that is sent.\n/// When it is.\nstruct S;"), []);
        assert_eq!(found("struct S; // filled by and by\n"), []);
        assert_eq!(found("// Filled by and by.\nstruct S;"), [("comment", "by and by".to_owned(), 1)]);
    }
}
