use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

use crate::domains::is_domain;
use crate::letters::is_unspaced;

/// The number of bytes of a text that are searched.
const SEARCHED_BYTES_MAX: usize = 64 * 1_024;
/// The longest run without spaces that is searched as one, in bytes.
///
/// The link finder takes quadratic time.
const UNSPACED_RUN_MAX: usize = 4 * 1_024;

/// A link in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The link as it was written.
    pub url: String,
    /// Its host: the name or address alone, in lower case.
    pub host: String,
    /// The byte offset of its start in the text.
    pub start: usize,
    /// The byte offset after its end.
    pub end: usize,
}

/// Returns the links of a text in order, without the punctuation after them.
///
/// Anything with a scheme (`https://…`) is a link. Without a scheme (`example.com/x`), the name must
/// end in a known top-level domain, so that `main.rs` or a missing space after a full stop is not
/// taken for a link. Only the first 64 KiB are searched.
#[must_use]
pub fn links(text: &str) -> Vec<Link> {
    links_while(text, &|| true).unwrap_or_default()
}

/// Does the same as [`links`] while `goes_on` returns true, else returns `None`.
///
/// `goes_on` is called before each run without spaces.
#[must_use]
pub fn links_while(text: &str, goes_on: &dyn Fn() -> bool) -> Option<Vec<Link>> {
    let mut with_scheme = LinkFinder::new();
    with_scheme.kinds(&[LinkKind::Url]);
    let mut without = LinkFinder::new();
    without.kinds(&[LinkKind::Url]).url_must_have_scheme(false);

    let searched = text.floor_char_boundary(SEARCHED_BYTES_MAX);
    let mut urls = Vec::new();
    // The finder takes all non-ASCII characters for parts of a link, even quotation marks.
    for run in split(text, 0..searched, |c| c.is_whitespace() || !(c.is_ascii() || c.is_alphanumeric())) {
        if !goes_on() {
            return None;
        }
        // Links with a scheme go first: `see.https://example.com` must not match as the name `see.https`.
        let mut free = run.start;
        for url in find(&with_scheme, text, run.clone()) {
            names(&without, text, free..url.start, &mut urls);
            free = url.end;
            urls.push(url);
        }
        names(&without, text, free..run.end, &mut urls);
    }
    Some(urls.into_iter().filter_map(|url| link(text, url)).collect())
}

/// Finds names without a scheme, also in Chinese or Thai text without spaces around them.
fn names(finder: &LinkFinder, text: &str, within: Range<usize>, urls: &mut Vec<Range<usize>>) {
    for part in split(text, within, is_unspaced) {
        urls.extend(find(finder, text, part));
    }
}

/// Splits a text at the characters for which `apart` is true, and cuts parts that are too long.
fn split(text: &str, within: Range<usize>, apart: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let gaps = text[within.clone()].match_indices(apart);
    let gaps = gaps.map(|(offset, gap)| (within.start + offset, gap.len()));
    let mut parts = Vec::new();
    let mut start = within.start;
    for (end, gap) in gaps.chain([(within.end, 0)]) {
        while start < end {
            let cut = text.floor_char_boundary(end.min(start + UNSPACED_RUN_MAX));
            parts.push(start..cut);
            start = cut;
        }
        start = end + gap;
    }
    parts
}

fn find(finder: &LinkFinder, text: &str, within: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let start = within.start;
    finder.links(&text[within]).map(move |link| start + link.start()..start + link.end())
}

fn link(text: &str, url: Range<usize>) -> Option<Link> {
    let Range { start, end } = url;
    let url = &text[start..end];
    let (address, has_scheme) = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#']) => (rest, true),
        _ => (url, false),
    };
    let (host, more) = host(address);
    let host = host.trim_end_matches('.').to_lowercase();
    let leads_somewhere = has_scheme || is_domain(&host, more);
    (leads_somewhere && !host.is_empty()).then(|| Link { url: url.to_owned(), host, start, end })
}

/// Returns the host of an address without its scheme, and whether anything follows the host.
fn host(address: &str) -> (&str, bool) {
    let end = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
    let authority = &address[..end];
    let named = authority.rsplit_once('@').map_or(authority, |(_, named)| named);
    let host = match named.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => named.split(':').next().unwrap_or(named),
    };
    (host, end < address.len() || host.len() < named.len())
}
