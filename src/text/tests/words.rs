//! Word lists: whole words, in any case, and in disguise if requested.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_text::{Found, Prepared, TextError, WordList, check_words};
use proptest::prelude::*;

fn find(words: &[&str], normalise: bool, text: &str) -> Vec<Found> {
    WordList::new(words, normalise).unwrap().find(&Prepared::new(text))
}

fn names(words: &[&str], normalise: bool, text: &str) -> Vec<String> {
    find(words, normalise, text).into_iter().map(|found| found.word).collect()
}

#[test]
fn whole_words_are_found_in_any_case() {
    for normalise in [false, true] {
        assert_eq!(names(&["Badword"], normalise, "a bAdWoRd!"), ["Badword"]);
        assert_eq!(names(&["ÉTÉ"], normalise, "l'été..."), ["ÉTÉ"]);
        assert_eq!(names(&["привет"], normalise, "Привет, ПРИВЕТ"), ["привет", "привет"]);
        assert_eq!(names(&["ναι"], normalise, "ναι Ναι ΝΑΙ"), ["ναι", "ναι", "ναι"]);
        assert_eq!(names(&["bad"], normalise, "badge bad_ 2bad"), ["bad"]);
    }
}

#[test]
fn the_people_of_scunthorpe_may_speak() {
    let list = ["cunt", "ass", "tit", "hell"];
    for normalise in [false, true] {
        assert!(find(&list, normalise, "Scunthorpe's class has a title: hello, as it says").is_empty());
    }
}

#[test]
fn disguises_are_seen_through_and_found_whole() {
    let zalgo: String = "viagra".chars().flat_map(|c| [c, '\u{334}', '\u{316}', '\u{489}']).collect();
    for disguise in [
        "VIAGRA",
        "v1agra",
        "v!agra",
        "vi@gr4",
        "v.i.a.g.r.a",
        "v i a g r a",
        "v-1-@-g-r-4",
        "viiiiagra",
        "ｖｉａｇｒａ",
        "𝓿𝓲𝓪𝓰𝓻𝓪",
        "ⓥⓘⓐⓖⓡⓐ",
        "ᴠɪᴀɢʀᴀ",
        "🇻🇮🇦🇬🇷🇦",
        "vіаgrа",
        "víàgrä",
        "v\u{200d}i\u{200d}a\u{200d}g\u{200d}r\u{200d}a",
        zalgo.as_str(),
    ] {
        let text = format!("né {disguise}, là");
        let found = find(&["viagra"], true, &text);
        assert_eq!(found.len(), 1, "{disguise}");
        assert_eq!(&text[found[0].start..found[0].end], disguise);
        assert!(disguise == "VIAGRA" || find(&["viagra"], false, &text).is_empty(), "{disguise}");
    }
}

#[test]
fn a_stretched_letter_may_be_one_or_two_and_the_others_are_counted() {
    let finds = |word: &str, text: &str| !find(&[word], true, text).is_empty();
    assert!(finds("ass", "ass") && finds("ass", "asssss") && finds("ass", "aaasss") && finds("ass", "a55"));
    assert!(!finds("ass", "as") && !finds("ass", "aass"));
    assert!(finds("as", "asssss") && !finds("as", "ass"));
    assert!(finds("class", "class") && finds("class", "claaasss") && !finds("class", "clas"));
    assert!(finds("www.example.com", "www.example.com") && !finds("www.example.com", "w.example.com"));
    assert!(finds("strasse", "Straße") && finds("Straße", "STRASSE"));
}

#[test]
fn a_word_of_a_list_may_be_written_in_disguise_itself() {
    assert_eq!(names(&["h4x0r", "1337", "b.a.d"], true, "haxor 1337 bad"), ["h4x0r", "1337", "b.a.d"]);
}

#[test]
fn phrases_are_found_and_the_longest_wins() {
    let list = ["new", "new york", "york city"];
    assert_eq!(names(&list, false, "New York City is new"), ["new york", "new"]);
    // The longest match is not a whole word here.
    assert_eq!(names(&list, false, "new yorkers"), ["new"]);
}

#[test]
fn pictures_and_scripts_without_spaces_have_no_word_ends() {
    for normalise in [false, true] {
        assert_eq!(names(&["坏话"], normalise, "这是坏话吗"), ["坏话"]);
        assert_eq!(names(&["💩"], normalise, "hello💩you"), ["💩"]);
    }
}

#[test]
fn places_are_those_of_the_original_whatever_the_case_does_to_its_length() {
    // Each of these takes a different number of bytes in another case.
    let text = "ȺȾ İK ſ «Été» ẞ";
    let found = find(&["été"], false, text);
    assert_eq!(&text[found[0].start..found[0].end], "Été");
    let found = find(&["ⱥⱦ"], false, text);
    assert_eq!(&text[found[0].start..found[0].end], "ȺȾ");
}

#[test]
fn what_is_reported_and_accepted_has_limits() {
    assert_eq!(find(&["a"], false, &"a ".repeat(100)).len(), 32);
    assert!(find(&["", "  ", "\u{301}"], true, "a  b \u{301}").is_empty());

    let many = vec!["a"; 100_001];
    assert_eq!(check_words(&many), Err(TextError::TooManyWords { words: 100_001 }));
    assert!(WordList::new(&many[1..], true).is_ok());
    let long = "é".repeat(65);
    let error = check_words(&[&long]).unwrap_err().to_string();
    assert!(error.contains("130 bytes") && error.contains("at most 128"), "{error}");
}

/// A slow reference implementation of the search, for ASCII.
fn slowly(words: &[String], text: &str) -> Vec<(usize, usize)> {
    let text = text.to_ascii_lowercase();
    let is_one_word = |at: usize| {
        let is_letter = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
        at > 0 && is_letter(at - 1) && is_letter(at)
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let words = words.iter().map(|word| word.trim().to_ascii_lowercase());
        let here = words.filter(|word| !word.is_empty() && text[at..].starts_with(word.as_str()));
        let ends = here.map(|word| at + word.len()).filter(|end| !is_one_word(at) && !is_one_word(*end));
        match ends.max() {
            Some(end) => {
                found.push((at, end));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

proptest! {
    #[test]
    fn nothing_is_missed_and_nothing_invented(
        words in proptest::collection::vec("[abA -]{0,4}", 0..8),
        text in "[abAB -]{0,24}",
    ) {
        let found = WordList::new(&words, false).unwrap().find(&Prepared::new(&text));
        let found: Vec<(usize, usize)> = found.into_iter().map(|found| (found.start, found.end)).collect();
        prop_assert_eq!(found, slowly(&words, &text));
    }

    #[test]
    fn what_is_found_lies_on_whole_characters(
        words in proptest::collection::vec("[abАвéßſ4@ ]{1,3}", 1..6),
        text in "[abАВвéßſẞİ4@.\u{200d}\u{301}𝓫 ]{0,24}",
        normalise: bool,
    ) {
        let mut last = 0;
        for found in WordList::new(&words, normalise).unwrap().find(&Prepared::new(&text)) {
            prop_assert!(words.contains(&found.word));
            prop_assert!(found.start < found.end && found.start >= last);
            prop_assert!(text.get(found.start..found.end).is_some());
            last = found.end;
        }
    }
}
