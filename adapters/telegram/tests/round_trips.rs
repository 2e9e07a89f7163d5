//! Round trips: nothing is lost on the way to Telegram and back, whatever the text.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

#[path = "round_trips/documents.rs"]
mod documents;
#[path = "round_trips/formats.rs"]
mod formats;

use documents::{document, hostile};
use formats::{formats, formatted, lines};
use palabre_telegram::text::{Entity, Rich, cut, quiet, to_commonmark, to_telegram};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

/// Checks that entities lie in the text, between characters, and do not overlap.
fn check(rich: &Rich) -> Result<(), TestCaseError> {
    let borders: Vec<i64> = rich.text.chars().fold(vec![0], |mut borders, c| {
        borders.push(borders[borders.len() - 1] + i64::try_from(c.len_utf16()).unwrap());
        borders
    });
    for Entity { offset, length, .. } in &rich.entities {
        prop_assert!(
            *length > 0 && borders.binary_search(offset).is_ok() && borders.binary_search(&(offset + length)).is_ok()
        );
    }
    for (at, one) in rich.entities.iter().enumerate() {
        for other in &rich.entities[at + 1..] {
            let (end, other_end) = (one.offset + one.length, other.offset + other.length);
            prop_assert!(other.offset >= end || other_end <= end, "{one:?} overlaps {other:?}");
        }
    }
    prop_assert_eq!(rich.text.trim(), &rich.text);
    Ok(())
}

/// Returns the number of cases of each test: as many as `PROPTEST_CASES` says, if it is set.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(512))
}

/// An offset or a length, which may lie outside of the text.
fn position() -> impl Strategy<Value = i64> {
    prop_oneof![-5_i64..60, any::<i64>()]
}

fn graphemes(text: &str) -> Vec<String> {
    text.graphemes(true).filter(|grapheme| !grapheme.trim().is_empty()).map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_document_means_the_same_after_its_way_to_telegram_and_back(markdown in document()) {
        let sent = to_telegram(&markdown);
        check(&sent)?;
        let back = to_commonmark(&sent.text, &sent.entities);
        let again = to_telegram(&back);
        prop_assert_eq!(&again.text, &sent.text, "{}\n==> {}", markdown, back);
        prop_assert_eq!(formats(&again), formats(&sent), "{}\n==> {}", markdown, back);
    }

    #[test]
    fn any_text_means_the_same_after_its_way_to_telegram_and_back(markdown in hostile()) {
        let sent = to_telegram(&markdown);
        check(&sent)?;
        let back = to_commonmark(&sent.text, &sent.entities);
        let again = to_telegram(&back);
        prop_assert_eq!(&again.text, &sent.text, "{}\n==> {}", markdown, back);
        prop_assert_eq!(formats(&again), formats(&sent), "{}\n==> {}", markdown, back);
    }

    #[test]
    fn the_entities_that_telegram_sends_are_kept((text, entities) in formatted()) {
        let received = Rich { text, entities };
        let back = to_commonmark(&received.text, &received.entities);
        let again = to_telegram(&back);
        check(&again)?;
        prop_assert_eq!(lines(&again.text), lines(&received.text), "{:?}", back);
        prop_assert_eq!(formats(&again), formats(&received), "{:?}", back);
    }

    #[test]
    fn no_markdown_is_too_strange(markdown in any::<String>()) {
        check(&to_telegram(&markdown))?;
    }

    #[test]
    fn no_entities_are_too_strange(
        text in prop_oneof![any::<String>(), hostile()],
        places in prop::collection::vec((documents::kind(), position(), position()), 0..8),
    ) {
        let entities = places.into_iter().map(|(kind, offset, length)| Entity { kind, offset, length });
        let entities: Vec<_> = entities.collect();
        check(&to_telegram(&to_commonmark(&text, &entities)))?;
        let rich = Rich { text, entities };
        let quiet = quiet(&rich, |_| false);
        prop_assert!(quiet.length() >= rich.length());
        for part in cut(&rich, 10) {
            prop_assert!(!part.text.is_empty());
        }
    }

    #[test]
    fn parts_fit_and_together_are_the_whole(markdown in document(), limit in 12_usize..80) {
        let whole = to_telegram(&markdown);
        let parts = cut(&whole, limit);
        let mut rest = &whole.text[..];
        for part in &parts {
            check(part)?;
            prop_assert!(part.length() <= limit);
            let Some(behind) = rest.trim_start().strip_prefix(&part.text) else {
                return Err(TestCaseError::fail(format!("{part:?} is not where {rest:?} begins")));
            };
            rest = behind;
        }
        prop_assert_eq!(rest, "");
        let together: Vec<_> = parts.iter().flat_map(formats).collect();
        prop_assert_eq!(together, formats(&whole));
        let lengths = whole.text.graphemes(true).map(|grapheme| grapheme.encode_utf16().count());
        if lengths.max().unwrap_or_default() <= limit {
            let of_parts: Vec<_> = parts.iter().flat_map(|part| graphemes(&part.text)).collect();
            prop_assert_eq!(of_parts, graphemes(&whole.text));
        }
    }
}
