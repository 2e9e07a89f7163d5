//! Range requests (RFC 9110, sections 13 and 14).

use std::ops::Range;

use axum::http::{HeaderMap, HeaderValue, header};

/// The part of a file that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RequestedRange {
    /// The whole file: no range was requested, or none that is supported.
    Whole,
    /// These bytes.
    Bytes(Range<usize>),
    /// A range outside the file.
    Unsatisfiable,
}

/// Whether the client has this version of the file already (`If-None-Match`).
pub(super) fn is_cached(asked: &HeaderMap, tag: &str) -> bool {
    let lists = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut known = lists.flat_map(|list| list.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

impl RequestedRange {
    /// Evaluates the headers of a request for a file with this tag and size.
    pub(super) fn of_request(asked: &HeaderMap, tag: &str, size: usize) -> Self {
        // `If-Range` names another version: the client needs the whole file.
        if asked.get(header::IF_RANGE).is_some_and(|condition| condition.as_bytes() != tag.as_bytes()) {
            return Self::Whole;
        }
        let range = asked.get(header::RANGE).and_then(|range| range.to_str().ok());
        range.and_then(|range| Self::read(range, size)).unwrap_or(Self::Whole)
    }

    /// Parses a single `bytes` range. For several ranges the whole file is a valid answer.
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
        Some(if start < end { Self::Bytes(start..end) } else { Self::Unsatisfiable })
    }

    /// Returns the `Content-Range` header of the response.
    pub(super) fn content_range(&self, size: usize) -> Option<HeaderValue> {
        let text = match self {
            Self::Whole => return None,
            Self::Bytes(range) => format!("bytes {}-{}/{size}", range.start, range.end - 1),
            Self::Unsatisfiable => format!("bytes */{size}"),
        };
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_parsed_as_in_rfc_9110() {
        for (range, size, wanted) in [
            ("bytes=0-3", 10, RequestedRange::Bytes(0..4)),
            ("bytes=4-", 10, RequestedRange::Bytes(4..10)),
            ("bytes=-3", 10, RequestedRange::Bytes(7..10)),
            ("bytes=-30", 10, RequestedRange::Bytes(0..10)),
            ("bytes=9-99", 10, RequestedRange::Bytes(9..10)),
            ("bytes=0-99999999999999999999999", 10, RequestedRange::Bytes(0..10)),
            ("bytes=10-", 10, RequestedRange::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, RequestedRange::Unsatisfiable),
            ("bytes=-0", 10, RequestedRange::Unsatisfiable),
            ("bytes=0-0", 0, RequestedRange::Unsatisfiable),
            ("bytes=5-4", 10, RequestedRange::Whole),
            ("bytes=0-1,3-4", 10, RequestedRange::Whole),
            ("bytes=-", 10, RequestedRange::Whole),
            ("bytes=a-b", 10, RequestedRange::Whole),
            ("bytes=+1-2", 10, RequestedRange::Whole),
            ("lines=0-1", 10, RequestedRange::Whole),
        ] {
            let asked = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(RequestedRange::of_request(&asked, "\"t\"", size), wanted, "{range} of {size}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        let cases = [
            ("\"t\"", RequestedRange::Bytes(1..3)),
            ("\"other\"", RequestedRange::Whole),
            ("W/\"t\"", RequestedRange::Whole),
        ];
        for (condition, wanted) in cases {
            let asked = [(header::RANGE, "bytes=1-2"), (header::IF_RANGE, condition)];
            let asked = asked.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
            assert_eq!(RequestedRange::of_request(&asked, "\"t\"", 10), wanted, "{condition}");
        }
    }

    #[test]
    fn a_cached_file_is_listed_by_its_tag() {
        for (list, wanted) in
            [("\"t\"", true), ("W/\"t\"", true), ("\"a\", \"t\"", true), ("*", true), ("\"a\"", false), ("", false)]
        {
            let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(list))]);
            assert_eq!(is_cached(&asked, "\"t\""), wanted, "{list}");
        }
    }
}
