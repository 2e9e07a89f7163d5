//! Which part of a file is asked for (RFC 9110, sections 13 and 14).

use std::ops::Range;

use axum::http::{HeaderMap, HeaderValue, header};

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole of it: nothing else is asked for, or nothing that is understood.
    All,
    /// These bytes.
    Of(Range<usize>),
    /// Nothing that is in it.
    Beyond,
}

/// Whether whoever asks has the file already.
pub(super) fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let lists = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut known = lists.flat_map(|list| list.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

impl Part {
    /// What the headers of a request ask for, of a file of that tag and size.
    pub(super) fn asked_for(asked: &HeaderMap, tag: &str, size: usize) -> Self {
        // Whoever has a part of another file wants all of this one.
        if asked.get(header::IF_RANGE).is_some_and(|condition| condition.as_bytes() != tag.as_bytes()) {
            return Self::All;
        }
        let range = asked.get(header::RANGE).and_then(|range| range.to_str().ok());
        range.and_then(|range| Self::read(range, size)).unwrap_or(Self::All)
    }

    /// A range of `bytes`, which is one alone: for several, all of the file is an answer too.
    fn read(range: &str, size: usize) -> Option<Self> {
        let (first, last) = range.strip_prefix("bytes=")?.trim().split_once('-')?;
        let number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse::<usize>().ok());
        let (start, end) = match (first, last) {
            ("", "") => return None,
            ("", count) => (size.saturating_sub(number(count)?.unwrap_or(usize::MAX)), size),
            (first, "") => (number(first)?.unwrap_or(usize::MAX), size),
            (first, last) => {
                let (first, last) = (number(first)?.unwrap_or(usize::MAX), number(last)?.unwrap_or(usize::MAX));
                if last < first {
                    return None;
                }
                (first, last.saturating_add(1).min(size))
            }
        };
        Some(if start < end { Self::Of(start..end) } else { Self::Beyond })
    }

    /// What the answer says of it.
    pub(super) fn content_range(&self, size: usize) -> Option<HeaderValue> {
        let text = match self {
            Self::All => return None,
            Self::Of(range) => format!("bytes {}-{}/{size}", range.start, range.end - 1),
            Self::Beyond => format!("bytes */{size}"),
        };
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_standard_has_it() {
        for (range, size, wanted) in [
            ("bytes=0-3", 10, Part::Of(0..4)),
            ("bytes=4-", 10, Part::Of(4..10)),
            ("bytes=-3", 10, Part::Of(7..10)),
            ("bytes=-30", 10, Part::Of(0..10)),
            ("bytes=9-99", 10, Part::Of(9..10)),
            ("bytes=0-99999999999999999999999", 10, Part::Of(0..10)),
            ("bytes=10-", 10, Part::Beyond),
            ("bytes=99999999999999999999999-", 10, Part::Beyond),
            ("bytes=-0", 10, Part::Beyond),
            ("bytes=0-0", 0, Part::Beyond),
            ("bytes=5-4", 10, Part::All),
            ("bytes=0-1,3-4", 10, Part::All),
            ("bytes=-", 10, Part::All),
            ("bytes=a-b", 10, Part::All),
            ("bytes=+1-2", 10, Part::All),
            ("lines=0-1", 10, Part::All),
        ] {
            let asked = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(Part::asked_for(&asked, "\"t\"", size), wanted, "{range} of {size}");
        }
    }

    #[test]
    fn a_part_of_another_file_is_no_use() {
        for (condition, wanted) in [("\"t\"", Part::Of(1..3)), ("\"other\"", Part::All), ("W/\"t\"", Part::All)] {
            let asked = [(header::RANGE, "bytes=1-2"), (header::IF_RANGE, condition)];
            let asked = asked.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
            assert_eq!(Part::asked_for(&asked, "\"t\"", 10), wanted, "{condition}");
        }
    }

    #[test]
    fn a_file_that_is_known_is_named_in_a_list() {
        for (list, wanted) in
            [("\"t\"", true), ("W/\"t\"", true), ("\"a\", \"t\"", true), ("*", true), ("\"a\"", false), ("", false)]
        {
            let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(list))]);
            assert_eq!(is_known(&asked, "\"t\""), wanted, "{list}");
        }
    }
}
