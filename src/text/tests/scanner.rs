//! One scanner for everybody hears what each would hear alone.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_text::{Entry, Hit, PatternSet, Prepared, Scanner, WordList};
use proptest::prelude::*;

fn pattern(key: usize, pattern: &str) -> Entry<usize> {
    Entry::Pattern { key, pattern: pattern.to_owned() }
}

fn words(key: usize, words: &[&str], normalise: bool) -> Entry<usize> {
    Entry::Words { key, words: words.iter().map(|word| (*word).to_owned()).collect(), normalise }
}

/// What was heard, as `key:what`.
fn heard(scanner: &Scanner<usize>, text: &str) -> Vec<String> {
    let told = scanner.scan(text).into_iter().map(|hit| match hit {
        Hit::Pattern { key, captures, .. } => format!("{key}:{}", captures[0].as_deref().unwrap()),
        Hit::Words { key, found } => {
            let words: Vec<String> = found.into_iter().map(|found| found.word).collect();
            format!("{key}:{}", words.join(","))
        }
    });
    told.collect()
}

#[test]
fn everybody_hears_their_own_in_the_order_of_the_entries() {
    let scanner = Scanner::new(vec![
        words(10, &["bad", "very bad"], true),
        pattern(20, r"\bb\S+d\b"),
        words(30, &["bad"], false),
        words(40, &["Bad", "dog"], true),
        pattern(50, "cat"),
    ])
    .unwrap();
    assert_eq!(heard(&scanner, "very bad dog"), ["10:very bad", "20:bad", "30:bad", "40:Bad,dog"]);
    assert_eq!(heard(&scanner, "b4d d0g"), ["10:bad", "20:b4d", "40:Bad,dog"]);
    assert_eq!(heard(&scanner, "a good bird"), ["20:bird"]);
    assert!(heard(&scanner, "").is_empty());
}

#[test]
fn a_rebuilt_scanner_forgets_what_is_gone() {
    let first = Scanner::new(vec![pattern(1, "one"), words(2, &["two"], true)]).unwrap();
    let second = first.rebuilt(vec![words(3, &["two"], true), pattern(4, "one"), pattern(5, "five")]).unwrap();
    let third = second.rebuilt(vec![words(6, &["three"], true)]).unwrap();
    let text = "one two three five";
    assert_eq!(heard(&first, text), ["1:one", "2:two"]);
    assert_eq!(heard(&second, text), ["3:two", "4:one", "5:five"]);
    assert_eq!(heard(&third, text), ["6:three"]);
    assert!(heard(&third.rebuilt(Vec::new()).unwrap(), text).is_empty());
}

#[test]
fn nothing_to_listen_for_is_no_error() {
    let scanner: Scanner<usize> = Scanner::default();
    assert!(heard(&scanner, "anything").is_empty());
}

#[derive(Debug, Clone)]
enum Wanted {
    Pattern(String),
    Words(Vec<String>, bool),
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let pattern = prop_oneof!["[abé]{1,3}", r"[ab]\.?[ab]\+", r"\^\(a\|é\)"];
    prop_oneof![
        pattern.prop_map(Wanted::Pattern),
        (proptest::collection::vec("[ab4é]{1,3}( [ab])?", 0..6), any::<bool>())
            .prop_map(|(words, normalise)| Wanted::Words(words, normalise)),
    ]
}

proptest! {
    #[test]
    fn a_scanner_hears_what_each_would_hear_alone(
        wanted in proptest::collection::vec(wanted(), 0..8),
        text in "[abAB4é.\u{301} -]{0,20}",
    ) {
        let entry = |(key, wanted): (usize, &Wanted)| match wanted {
            Wanted::Pattern(text) => Entry::Pattern { key, pattern: text.clone() },
            Wanted::Words(words, normalise) => {
                Entry::Words { key, words: words.as_slice().into(), normalise: *normalise }
            }
        };
        let keys: Vec<usize> = (0..wanted.len()).collect();
        let mut alone: Vec<Hit<&usize>> = Vec::new();
        for (key, wanted) in keys.iter().zip(&wanted) {
            match wanted {
                Wanted::Pattern(pattern) => {
                    let set = PatternSet::new(vec![((), pattern.clone())]).unwrap();
                    for found in set.matches(&text) {
                        alone.push(Hit::Pattern { key, captures: found.captures, names: found.names });
                    }
                }
                Wanted::Words(words, normalise) => {
                    let found = WordList::new(words, *normalise).unwrap().find(&Prepared::new(&text));
                    if !found.is_empty() {
                        alone.push(Hit::Words { key, found });
                    }
                }
            }
        }
        let scanner = Scanner::new(wanted.iter().enumerate().map(entry).collect()).unwrap();
        prop_assert_eq!(scanner.scan(&text), alone.clone());
        let again = scanner.rebuilt(wanted.iter().enumerate().map(entry).collect()).unwrap();
        prop_assert_eq!(again.scan(&text), alone);
    }
}
