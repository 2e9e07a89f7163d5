//! Normalising: which disguises are undone, and which texts stay as they are.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_text::{normalise, normalise_while};
use proptest::prelude::*;

fn read(text: &str) -> String {
    normalise(text).into_text()
}

#[test]
fn characters_are_read_as_what_they_look_like() {
    for (written, read_as) in [
        ("Hello World", "hello world"),
        ("Ｆｕｌｌ", "full"),
        ("𝓫𝔞𝕕 ⓑⓐⓓ 🅱🅰🅳", "bad bad bad"),
        ("ÉTÉ à Łódź", "ete a lodz"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
        // Cyrillic and Greek, lower and upper case.
        ("раураl", "paypal"),
        ("ВАD ΝΑΖΙ", "bad nazi"),
        ("İstanbul", "istanbul"),
        ("ᴠɪᴀɢʀᴀ", "viagra"),
        ("don´t “quote”", "don't \"quote\""),
        // Nothing looks Latin.
        ("你好 한국어 ひらがな", "你好 한국어 ひらか\u{3099}な"),
        ("¡hola! 10€ 🎉", "¡hola! 10€ 🎉"),
    ] {
        assert_eq!(read(written), read_as, "{written}");
    }
}

#[test]
fn what_shows_nothing_vanishes() {
    assert_eq!(read("v\u{200d}i\u{200b}a\u{2060}g\u{ad}r\u{fe0f}a"), "viagra");
    let zalgo: String =
        "bad".chars().flat_map(|c| [c, '\u{334}', '\u{316}', '\u{489}', '\u{35d}', '\u{20dd}']).collect();
    assert_eq!(read(&zalgo), "bad");
    assert_eq!(read("\u{200b}\u{301}"), "");
}

#[test]
fn digits_are_letters_only_next_to_letters() {
    for (written, read_as) in [
        ("v1agra h4x0r 5h1t a55 sh!t", "viagra haxor shit ass shit"),
        ("@ss $ex", "ass sex"),
        ("at 10:30, 1337 of them for $5!", "at 10:30, 1337 of them for $5!"),
        ("hi! 100% + 2", "hi! 100% + 2"),
        ("2nd", "2nd"),
        ("第1回", "第1回"),
    ] {
        assert_eq!(read(written), read_as, "{written}");
    }
}

#[test]
fn letters_that_are_drawn_out_or_set_apart_come_together() {
    for (written, read_as) in [
        ("niiiice", "nice"),
        ("class good", "class good"),
        ("111 ...", "111 ..."),
        ("b a d", "bad"),
        ("B.A.D!", "bad!"),
        ("v-1-@-g-r-4", "viagra"),
        ("so b_a_d it is", "so bad it is"),
        // Not joined: two letters, letters two spaces apart, digits.
        ("e.g. a b", "e.g. a b"),
        ("a  b  c", "a  b  c"),
        ("1.5.0 a + b", "1.5.0 a + b"),
    ] {
        assert_eq!(read(written), read_as, "{written}");
    }
}

#[test]
fn every_part_knows_where_it_came_from() {
    let text = "né: раууу́раl!";
    let normalised = normalise(text);
    assert_eq!(normalised.text(), "ne: paypal!");
    let at = normalised.text().find("paypal").unwrap();
    assert_eq!(&text[normalised.original(at..at + 6)], "раууу́раl");
    // The repeated letter, with the accent on the last one.
    assert_eq!(&text[normalised.original(at + 2..at + 3)], "ууу́");

    let normalised = normalise("oh b.a.d dog");
    assert_eq!(normalised.text(), "oh bad dog");
    assert_eq!(normalised.original(3..6), 3..8);
    assert_eq!(normalised.original(4..5), 5..6);

    let plain = normalise("Plain Text");
    assert_eq!(plain.original(6..10), 6..10);
}

#[test]
fn a_phrase_in_one_character_makes_no_text_many_times_as_long() {
    // U+FDFA would expand to eighteen letters and stays; U+FDFB expands to eight, U+3316 to six.
    assert_eq!(read(&"\u{FDFA} ".repeat(5_000)), "\u{FDFA} ".repeat(5_000));
    for (written, letters) in [("\u{FDFB}", 8), ("\u{3316}", 8), ("ﬃ", 3), ("½", 3)] {
        let many = read(&format!("{written} ").repeat(1_000));
        assert!(many.chars().count() <= 1_000 * (letters + 1), "{written}: {}", many.chars().count());
    }
}

#[test]
fn normalising_ends_where_it_may_not_go_on() {
    assert!(normalise_while("é", &|| false).is_none());
    assert_eq!(normalise_while("é", &|| true).map(|read| read.into_text()).as_deref(), Some("e"));
    let asked = std::cell::Cell::new(0);
    let goes_on = || {
        asked.set(asked.get() + 1);
        asked.get() < 3
    };
    assert!(normalise_while(&"é".repeat(100_000), &goes_on).is_none());
    assert_eq!(asked.get(), 3);
}

proptest! {
    #[test]
    fn reading_twice_is_reading_once(text in "[aAbsS5541!$@+26 ..\u{200b}\u{301}АвßÉд你ﬁ！ -]{0,16}") {
        let once = read(&text);
        prop_assert_eq!(read(&once), once);
    }

    #[test]
    fn reading_twice_is_reading_once_in_any_script(text in ".{0,12}") {
        let once = read(&text);
        prop_assert_eq!(read(&once), once);
    }

    #[test]
    fn every_part_comes_from_whole_characters(
        text in "[aA5! .\u{301}Аßﬁ你𝓫🎉]{0,16}",
        from in 0usize..16,
        len in 1usize..8,
    ) {
        let normalised = normalise(&text);
        let original = normalised.original(from..from + len);
        prop_assert!(text.get(original.clone()).is_some(), "{:?}", original);
        prop_assert_eq!(original.is_empty(), from >= normalised.text().len());
    }

    #[test]
    fn plain_words_are_only_made_small(text in "[A-Z][a-z]{1,2}( [b-d][e-g][h-j]){0,5}[.?]") {
        let normalised = normalise(&text);
        prop_assume!(!text.to_lowercase().as_bytes().windows(3).any(|run| run[0] == run[1] && run[1] == run[2]));
        prop_assert_eq!(normalised.text(), text.to_lowercase());
    }
}
