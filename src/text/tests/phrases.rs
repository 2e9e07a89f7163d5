//! The text functions of the script API.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::BTreeMap;

use palabre_text::{duration, escape, is_emoji, plural, similarity, skeleton, truncate};
use proptest::prelude::*;

#[test]
fn escaped_text_shows_as_it_is() {
    assert_eq!(escape("*hi* _you_ [a](b)!"), r"\*hi\* \_you\_ \[a\]\(b\)\!");
    assert_eq!(escape("`x` \\ ~~é~~ a@b"), r"\`x\` \\ \~\~é\~\~ a@b");
}

#[test]
fn a_text_is_cut_at_a_word_if_there_is_one_and_never_within_a_character() {
    assert_eq!(truncate("hello", 5, "…"), "hello");
    assert_eq!(truncate("hello world", 8, "…"), "hello…");
    assert_eq!(truncate("hello world", 6, "…"), "hello…");
    // Cutting at the word would leave half of the space empty.
    assert_eq!(truncate("a verylongword", 9, "…"), "a verylo…");
    assert_eq!(truncate("hello world", 9, "..."), "hello...");
    assert_eq!(truncate("hello", 2, "..."), "he");
    assert_eq!(truncate("hello", 0, "…"), "");
    // A family emoji has five code points and is one grapheme cluster.
    assert_eq!(truncate("👨‍👩‍👧 at home", 4, "…"), "…");
    assert_eq!(truncate("👨‍👩‍👧 at home", 6, "…"), "👨‍👩‍👧…");
    assert_eq!(truncate("cafe\u{301}s", 5, "…"), "caf…");
}

#[test]
fn likeness_counts_what_was_mistyped() {
    assert!((similarity("kitten", "sitting") - 4.0 / 7.0).abs() < 1e-9);
    assert!((similarity("ban", "abn") - 2.0 / 3.0).abs() < 1e-9);
    assert!((similarity("", "") - 1.0).abs() < 1e-9);
    assert!(similarity("abc", "xyz").abs() < 1e-9);
}

#[test]
fn each_language_has_its_own_plurals() {
    let forms = ["zero", "one", "two", "few", "many", "other"].map(|name| (name.to_owned(), name.to_owned()));
    let forms = BTreeMap::from(forms);
    for (locale, n, form) in [
        ("en", 1.0, "one"),
        ("en-GB", 2.0, "other"),
        ("en", 1.5, "other"),
        ("fr", 0.0, "one"),
        ("fr_CA", 1.5, "one"),
        ("pl", 3.0, "few"),
        ("pl", 5.0, "many"),
        ("ar", 2.0, "two"),
        ("ja", 1.0, "other"),
        ("no language", 1.0, "one"),
        ("xx", f64::NAN, "other"),
    ] {
        assert_eq!(plural(locale, n, &forms), Ok(form), "{locale} {n}");
    }
    let few = BTreeMap::from([("other".to_owned(), "pieces".to_owned())]);
    assert_eq!(plural("pl", 3.0, &few), Ok("pieces"));
    let error = plural("en", 1.0, &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("`one`") && error.contains("`other`"), "{error}");
}

#[test]
fn a_duration_is_given_in_its_two_largest_units() {
    for (seconds, english, french) in [
        (9_000.0, "2 hours 30 minutes", "2 heures 30 minutes"),
        (3_600.0, "1 hour", "1 heure"),
        (1.0, "1 second", "1 seconde"),
        (0.0, "0 seconds", "0 seconde"),
        (59.6, "1 minute", "1 minute"),
        (86_700.0, "1 day", "1 jour"),
        (93_784.0, "1 day 2 hours", "1 jour 2 heures"),
        (400.0 * 86_400.0, "1 year 35 days", "1 an 35 jours"),
        (-90.0, "-1 minute 30 seconds", "-1 minute 30 secondes"),
        (f64::NAN, "0 seconds", "0 seconde"),
    ] {
        assert_eq!(duration(seconds, "en"), english);
        assert_eq!(duration(seconds, "fr-FR"), french);
    }
}

proptest! {
    #[test]
    fn a_cut_text_has_no_more_characters_than_allowed(
        text in ".{0,24}",
        chars_max in 0usize..24,
        ellipsis in "[.…]{0,4}",
    ) {
        let cut = truncate(&text, chars_max, &ellipsis);
        prop_assert!(cut.chars().count() <= chars_max);
        prop_assert!(cut == text || text.starts_with(cut.strip_suffix(ellipsis.as_str()).unwrap_or(&cut)));
    }

    #[test]
    fn likeness_lies_between_none_and_all(a in ".{0,12}", b in ".{0,12}") {
        prop_assert!((0.0..=1.0).contains(&similarity(&a, &b)));
        prop_assert!((similarity(&a, &a) - 1.0).abs() < 1e-9);
    }
}

#[test]
fn one_emoji_is_distinguished_from_more_and_from_words() {
    for emoji in ["👍", "❤️", "❤", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "👩🏽‍⚕️", "❤️‍🔥", "☠"]
    {
        assert!(is_emoji(emoji), "{emoji}");
    }
    let letters = "a".repeat(32);
    let many = "👍\u{200D}".repeat(40);
    for other in
        ["", "a", &letters, "1", "👍👍", "👍 ", " 👍", "👍a", "🇫", "\u{200D}", "\u{FE0F}", "👍\n", "👍\u{200D}", &many]
    {
        assert!(!is_emoji(other), "{other:?}");
    }
}

#[test]
fn names_that_look_alike_have_the_same_skeleton_and_numbered_ones_do_not() {
    for (a, b) in [("paul", "Раul"), ("bill", "b1ll"), ("palabre", "PALABRE"), ("oscar", "0scar"), ("ana", "аnа")] {
        assert_eq!(skeleton(a), skeleton(b), "{a} {b}");
    }
    let numbered: std::collections::BTreeSet<_> = (0..2_000).map(|number| skeleton(&format!("user{number}"))).collect();
    assert_eq!(numbered.len(), 2_000);
}
