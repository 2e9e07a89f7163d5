//! A scanner with many entries finds the same as one scanner for each entry.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_text::{Entry, Hit, PatternSet, Prepared, Scanner, WordList};
use proptest::prelude::*;

fn pattern(key: usize, pattern: &str) -> Entry<usize> {
    Entry::Pattern { key, pattern: pattern.to_owned() }
}

fn words(key: usize, words: &[&str], normalise: bool) -> Entry<usize> {
    Entry::Words { key, words: words.iter().map(|word| (*word).to_owned()).collect(), normalise }
}

/// Returns the matches, as `key:texts`.
fn heard(scanner: &Scanner<usize>, text: &str) -> Vec<String> {
    let lines = scanner.scan(text).into_iter().map(|hit| match hit {
        Hit::Pattern { key, captures, .. } => format!("{key}:{}", captures[0].as_deref().unwrap()),
        Hit::Words { key, found } => {
            let words: Vec<String> = found.into_iter().map(|found| found.word).collect();
            format!("{key}:{}", words.join(","))
        }
    });
    lines.collect()
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

/// Returns a pseudo-random text of the letters a and b.
fn a_and_b(length: usize) -> String {
    let mut number: u32 = 1;
    let letter = |_| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if number >> 31 == 0 { 'a' } else { 'b' }
    };
    (0..length).map(letter).collect()
}

/// Returns false from the `last` call on.
fn until(asked: &std::cell::Cell<usize>, last: usize) -> impl Fn() -> bool {
    move || {
        asked.set(asked.get() + 1);
        asked.get() < last
    }
}

#[test]
fn forty_patterns_that_a_message_of_a_and_b_keeps_busy_are_left_where_the_time_is_over() {
    let patterns = (0..40).map(|number| pattern(number, &format!("[ab]*a[ab]{{{}}}c[ab]*", 300 + number)));
    let scanner = Scanner::new(patterns.collect()).unwrap();
    let text = a_and_b(5_000);
    let asked = std::cell::Cell::new(0);
    let scan = scanner.scan_while(&Prepared::new(&text), &until(&asked, 30));
    assert!(!scan.is_whole && scan.hits.is_empty());
    assert_eq!(asked.get(), 30, "nothing goes on after a no");
    let scan = scanner.scan_while(&Prepared::new("ab"), &|| true);
    assert!(scan.is_whole && scan.hits.is_empty());
}

#[test]
fn many_patterns_with_and_without_atoms_are_left_where_the_time_is_over() {
    let loose = (0..200).map(|number| pattern(number, &format!(r"\b[a-zé]{{{}}}\b", number % 10 + 1)));
    let with_atoms = (200..400).map(|number| pattern(number, "!!+.?!!"));
    let scanner = Scanner::new(loose.chain(with_atoms).collect()).unwrap();
    for text in ["a bb ccc !!!!! ".repeat(300), "é bb !!!!! ".repeat(300)] {
        let asked = std::cell::Cell::new(0);
        assert!(!scanner.scan_while(&Prepared::new(&text), &until(&asked, 10)).is_whole);
        assert_eq!(asked.get(), 10);
        let whole = scanner.scan_while(&Prepared::new(&text[..30]), &|| true);
        assert!(whole.is_whole && whole.hits.len() >= 200);
    }
}

#[test]
fn a_list_of_one_word_a_hundred_thousand_times_costs_no_more_than_one() {
    let many = vec!["cat"; 100_000];
    let scanner = Scanner::new(vec![words(1, &many, true), words(2, &many, false)]).unwrap();
    scanner.prepare().unwrap();
    let found = scanner.scan(&"cat dog ".repeat(1_200));
    assert_eq!(found.len(), 2);
    for hit in found {
        assert!(matches!(hit, Hit::Words { found, .. } if found.len() == 32));
    }
    let asked = std::cell::Cell::new(0);
    let scan = scanner.scan_while(&Prepared::new(&"cat dog ".repeat(1_200)), &until(&asked, 4));
    assert!(!scan.is_whole);
}

#[test]
fn what_finds_words_is_made_when_it_is_needed_and_kept() {
    let list: Vec<String> = (0..2_000).map(|number| format!("wörd{number}")).collect();
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let scanner = Scanner::new(vec![words(1, &list, true)]).unwrap();
    assert!(scanner.has_words() && !Scanner::new(vec![pattern(1, "a")]).unwrap().has_words());
    assert_eq!(heard(&scanner, "a WÖRD1357"), ["1:wörd1357"]);
    scanner.prepare().unwrap();
    assert_eq!(heard(&scanner, "a word7"), ["1:wörd7"]);
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
