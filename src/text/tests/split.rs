//! Long texts become parts that can be read.

#![allow(missing_docs, reason = "a test says what it is about by its name")]

use palabre_text::split;
use proptest::prelude::*;

#[test]
fn what_fits_stays_whole_and_nothing_is_no_part() {
    assert_eq!(split("hello", 5), ["hello"]);
    assert!(split("  \n ", 5).is_empty());
}

#[test]
fn it_is_cut_behind_paragraphs_lines_sentences_and_words() {
    assert_eq!(split("one two three\n\nfour five six", 20), ["one two three", "four five six"]);
    assert_eq!(split("one two three\nfour five six", 20), ["one two three", "four five six"]);
    assert_eq!(split("One two three. Four five", 20), ["One two three.", "Four five"]);
    assert_eq!(split("aaaaaaaa bbbbbbbb", 14), ["aaaaaaaa", "bbbbbbbb"]);
}

#[test]
fn a_block_of_code_is_closed_and_opened_again() {
    let text = "Look:\n```lua\nlocal a = 1\nlocal b = 2\nlocal c = 3\n```\nThat is all.";
    let parts = split(text, 40);
    assert_eq!(parts[0], "Look:\n```lua\nlocal a = 1\nlocal b = 2\n```");
    assert_eq!(parts[1], "```lua\nlocal c = 3\n```\nThat is all.");
}

proptest! {
    #[test]
    fn every_part_fits_and_no_word_is_lost(text in "(```[a-z]{0,4}\n|[a-zé😀]{1,12}[ \n.]{1,2}){0,60}", most in 12_usize..60) {
        let parts = split(&text, most);
        for part in &parts {
            prop_assert!(part.encode_utf16().count() <= most, "{part:?} is longer than {most}");
        }
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).count();
        prop_assert_eq!(letters(&parts.concat()), letters(&text));
    }
}

#[test]
fn what_a_reader_takes_for_one_character_is_not_cut() {
    assert_eq!(split("👨‍👩‍👧👨‍👩‍👧", 12), ["👨‍👩‍👧", "👨‍👩‍👧"]);
    assert_eq!(palabre_text::end_of_part("aaaa e\u{301}\u{301}", 6), "aaaa ".len());
    assert_eq!(palabre_text::end_of_part("aaaa \u{301}bbb", 8), "aaaa \u{301}bb".len());
    assert_eq!(palabre_text::end_of_part("😀😀", 1), "😀".len());
}
