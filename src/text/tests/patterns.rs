//! A set of patterns finds the same as each pattern alone.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_text::{PatternSet, TextError, check_pattern};
use proptest::prelude::*;
use regex::Regex;

fn set(patterns: &[&str]) -> PatternSet<usize> {
    PatternSet::new(patterns.iter().map(|pattern| (*pattern).to_owned()).enumerate().collect()).unwrap()
}

fn keys(patterns: &[&str], text: &str) -> Vec<usize> {
    set(patterns).matches(text).into_iter().map(|found| *found.key).collect()
}

#[test]
fn the_first_match_of_each_comes_with_its_groups_in_the_order_of_the_entries() {
    let set = set(&[r"(?i)\bgood (?<when>morning|night)\b( all)?", r"never", r"\d+", r"^good"]);
    let found = set.matches("good Morning, 12 or 13 of you");
    assert_eq!(found.iter().map(|found| *found.key).collect::<Vec<_>>(), [0, 2, 3]);
    let captures: Vec<Option<&str>> = found[0].captures.iter().map(Option::as_deref).collect();
    assert_eq!(captures, [Some("good Morning"), Some("Morning"), None]);
    assert_eq!(found[0].names, [("when".to_owned(), 1)]);
    assert_eq!(found[1].captures, [Some("12".to_owned())]);
}

#[test]
fn letters_beyond_ascii_are_found_in_any_case_and_at_the_ends_of_words() {
    let patterns = [r"(?i)\bété\b", r"(?i)kiss", r"\bmot\b", r"\b\w\b", r"(?i)straße|σίσυφος", r"[^\x00-\x7F]+"];
    assert_eq!(keys(&patterns, "l'ÉTÉ"), [0, 3, 5]);
    // The Kelvin sign and the long s are a k and an s in another case.
    assert_eq!(keys(&patterns, "\u{212A}iſs"), [1, 5]);
    assert_eq!(keys(&patterns, "motté mot"), [2, 5]);
    assert_eq!(keys(&patterns, "STRAẞE"), [4, 5]);
    assert_eq!(keys(&patterns, "ΣΊΣΥΦΟΣ"), [4, 5]);
}

#[test]
fn patterns_without_letters_to_look_for_are_tried_too() {
    let patterns = ["", "^$", r"\s", r"^\S+$", "!", "a*", "(?s).{3}", r"\bx?\b"];
    assert_eq!(keys(&patterns, ""), [0, 1, 5]);
    assert_eq!(keys(&patterns, "é!"), [0, 3, 4, 5, 7]);
    assert_eq!(keys(&patterns, "two words"), [0, 2, 5, 6, 7]);
}

#[test]
fn a_pattern_that_cannot_be_used_is_named_with_the_reason() {
    assert_eq!(check_pattern(r"\bfine\b"), Ok(()));
    let error = check_pattern("foo(bar").unwrap_err().to_string();
    assert!(error.contains("`foo(bar`") && error.contains("unclosed group"), "{error}");
    let error = check_pattern(r"\w{1000}").unwrap_err().to_string();
    assert!(error.contains("1048576"), "{error}");
    let long = "a".repeat(4_097);
    assert!(matches!(check_pattern(&long), Err(TextError::PatternTooLong { bytes: 4_097, .. })));
    assert!(PatternSet::new(vec![((), "(".to_owned())]).is_err());
}

#[test]
fn a_rebuilt_set_finds_what_a_new_one_would() {
    let before = set(&["one", r"\d", r"\b"]);
    let after =
        before.rebuilt(vec![("b", r"\d".to_owned()), ("c", "two".to_owned()), ("d", "two".to_owned())]).unwrap();
    let found: Vec<&str> = after.matches("two 2 one").into_iter().map(|found| *found.key).collect();
    assert_eq!(found, ["b", "c", "d"]);
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[abckséÉ]{1,3}",
        1 => Just("[a-c]".to_owned()),
        1 => Just("[^a]".to_owned()),
        1 => Just("[é-ñ]".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just(r"\b".to_owned()),
        1 => Just("^".to_owned()),
        1 => Just("$".to_owned()),
    ];
    piece.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            4 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => proptest::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            1 => inner.clone().prop_map(|part| format!("(?i:{part})")),
            1 => inner.clone().prop_map(|part| format!("({part})")),
            1 => inner.clone().prop_map(|part| format!("(?:{part})?")),
            1 => inner.clone().prop_map(|part| format!("(?:{part})+")),
            1 => inner.clone().prop_map(|part| format!("(?:{part}){{2}}")),
            1 => inner.prop_map(|part| format!("(?:{part}){{2,3}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_set_finds_what_each_pattern_finds_alone(
        patterns in proptest::collection::vec(pattern(), 1..6),
        text in "[abcksAKSſ\u{212A}éÉ \n-]{0,12}",
    ) {
        let alone = patterns.iter().enumerate().filter_map(|(key, pattern)| {
            let captures = Regex::new(pattern).unwrap().captures(&text).map(|captures| {
                captures.iter().map(|group| group.map(|group| group.as_str().to_owned())).collect::<Vec<_>>()
            });
            Some((key, captures?))
        });
        let set = PatternSet::new(patterns.iter().cloned().enumerate().collect()).unwrap();
        let together = set.matches(&text).into_iter().map(|found| (*found.key, found.captures));
        prop_assert_eq!(together.collect::<Vec<_>>(), alone.collect::<Vec<_>>());
    }
}
