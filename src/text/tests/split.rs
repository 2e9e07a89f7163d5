//! Splitting of long texts into parts.

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
    fn every_part_fits_and_no_word_is_lost(
        text in "(```[a-z]{0,4}\n|[a-zé😀]{1,12}[ \n.]{1,2}){0,60}",
        units_max in 12_usize..60,
    ) {
        let parts = split(&text, units_max);
        for part in &parts {
            prop_assert!(part.encode_utf16().count() <= units_max, "{part:?} is longer than {units_max}");
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

/// Whether the delimiter occurs an even number of times, as it does if each is closed.
fn is_closed(part: &str, delimiter: &str) -> bool {
    part.matches(delimiter).count().is_multiple_of(2)
}

#[test]
fn formatting_over_a_cut_is_closed_and_opened_again() {
    let words = "word ".repeat(30);
    for delimiter in ["||", "**", "*", "_", "__", "~~"] {
        let parts = split(&format!("Before {delimiter}{}{delimiter} after it all", words.trim_end()), 60);
        assert!(parts.len() > 2, "{delimiter}: {parts:?}");
        for part in &parts {
            assert!(is_closed(part, delimiter), "{delimiter}: {part:?}");
            assert!(!part.contains(&format!("{delimiter}{delimiter}")), "{delimiter}: nothing between: {part:?}");
        }
        assert!(
            parts[1].starts_with(&format!("{delimiter}word")) && parts[1].ends_with(&format!("word{delimiter}")),
            "{parts:?}"
        );
    }
    let nested = split(&format!("||one **two *three* {}** {}||", words.trim_end(), words.trim_end()), 80);
    assert!(nested[1].starts_with("||**word") && nested[1].ends_with("word**||"), "{nested:?}");
    let both = split(&format!("***{}***", words.trim_end()), 60);
    assert!(both.iter().all(|part| part.starts_with("***") && part.ends_with("***")), "{both:?}");
    // A single delimiter that is never closed is not formatting.
    for lone in ["5 * 3 and ", "snake_case and ", "|| and ", "~~ and "] {
        let parts = split(&format!("{lone}{words}"), 60);
        assert!(parts[1..].iter().all(|part| part.starts_with("word") && part.ends_with("word")), "{parts:?}");
    }
}

#[test]
fn code_over_a_cut_is_closed_and_opened_with_its_own_fence() {
    let lines = "    local line = 1\n".repeat(8);
    for fence in ["```", "````", "~~~", "~~~~~"] {
        let parts = split(&format!("Look:\n{fence}lua\n{lines}{fence}\nThat is all."), 80);
        assert!(parts.len() > 2, "{fence}: {parts:?}");
        for part in &parts[1..parts.len() - 1] {
            assert!(part.starts_with(&format!("{fence}lua\n    local")), "{fence}: {part:?}");
            assert!(part.ends_with(&format!("= 1\n{fence}")), "{fence}: {part:?}");
        }
        assert!(parts.last().is_some_and(|part| part.ends_with("That is all.")), "{parts:?}");
    }
    // A shorter fence inside a longer one does not end the block.
    let inner = split(&format!("````\n```\n{lines}```\n{lines}````\nend"), 90);
    assert!(
        inner[..inner.len() - 1].iter().all(|part| part.starts_with("````\n") && part.ends_with("\n````")),
        "{inner:?}"
    );
    let line = split(&format!("say `{}` once", "code ".repeat(30).trim_end()), 60);
    assert!(line[1].starts_with("`code") && line[1].ends_with("code`"), "{line:?}");
}

#[test]
fn links_and_mentions_stay_whole() {
    for whole in [
        "[the page](https://page.example/a/long/way/to/go)",
        "<https://page.example/a/long/way/to/go>",
        "https://page.example/a/long/way/to/go",
        "<@123456789012345678>",
        "<@&123456789012345678>",
        "<#123456789012345678>",
        "<:tree:123456789012345678>",
        "<t:1700000000:R>",
    ] {
        for before in 1..60 {
            let parts = split(&format!("{} {whole} and more", "x".repeat(before)), 60);
            assert!(parts.iter().any(|part| part.contains(whole)), "{before}: {parts:?}");
        }
    }
    // One that does not fit into any part is cut.
    let long = format!("https://page.example/{}", "x".repeat(200));
    let parts = split(&long, 60);
    assert_eq!(parts.concat(), long);
}

#[test]
fn a_quotation_goes_on_in_the_next_part() {
    let words = "word ".repeat(30);
    let parts = split(&format!("> {}\nafter", words.trim_end()), 60);
    assert!(parts[..parts.len() - 1].iter().all(|part| part.starts_with("> word")), "{parts:?}");
    let parts = split(&format!("first\n>>> {words}\n\n{words}"), 60);
    assert!(parts[1..].iter().all(|part| part.starts_with(">>> ")), "{parts:?}");
}

proptest! {
    #[test]
    fn whatever_is_said_fits_and_is_there_once(
        text in r"([*_~|`<>\[\]()\\]{1,4}|```|~~~|https://|<@1>|[é😀]{1,9}|[ \n]{1,2}|> ){0,120}",
        units_max in 24_usize..90,
    ) {
        let parts = split(&text, units_max);
        for part in &parts {
            prop_assert!(part.encode_utf16().count() <= units_max, "{part:?} is longer than {units_max}");
        }
        let letters = |text: &str| text.chars().filter(|c| matches!(c, 'é' | '😀')).count();
        prop_assert_eq!(letters(&parts.concat()), letters(&text));
    }
}
