use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

use crate::domains::is_domain;
use crate::letters::is_unspaced;

/// How much of a text is looked at, and how long a stretch without spaces may be: what finds links takes the square of
/// that.
const MOST_BYTES: usize = 64 * 1_024;
const LONGEST_STRETCH: usize = 4 * 1_024;

/// A link in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The link as it was written.
    pub url: String,
    /// Where it leads: the name or address alone, in small letters.
    pub host: String,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// The links of a text, in its order, without the punctuation that follows them.
///
/// Anything with a scheme (`https://…`) is one; without a scheme (`example.com/x`) the name has to end like one on the
/// Internet, so that `main.rs` and a forgotten space after a full stop are none. Only the first 64 KiB are looked at.
#[must_use]
pub fn links(text: &str) -> Vec<Link> {
    links_while(text, &|| true).unwrap_or_default()
}

/// As [`links`], as long as `goes_on`, which is asked before each stretch without spaces. `None` where it said no.
#[must_use]
pub fn links_while(text: &str, goes_on: &dyn Fn() -> bool) -> Option<Vec<Link>> {
    let mut with_scheme = LinkFinder::new();
    with_scheme.kinds(&[LinkKind::Url]);
    let mut without = LinkFinder::new();
    without.kinds(&[LinkKind::Url]).url_must_have_scheme(false);

    let looked_at = text.floor_char_boundary(MOST_BYTES);
    let mut urls = Vec::new();
    // The finder takes all characters beyond ASCII for parts of a link, and quotation marks are none.
    for stretch in split(text, 0..looked_at, |c| c.is_whitespace() || !(c.is_ascii() || c.is_alphanumeric())) {
        if !goes_on() {
            return None;
        }
        // Links with a scheme come first: `see.https://example.com` must not be read as the name `see.https`.
        let mut free = stretch.start;
        for url in find(&with_scheme, text, stretch.clone()) {
            names(&without, text, free..url.start, &mut urls);
            free = url.end;
            urls.push(url);
        }
        names(&without, text, free..stretch.end, &mut urls);
    }
    Some(urls.into_iter().filter_map(|url| link(text, url)).collect())
}

/// Finds names without a scheme. They often stand among Chinese or Thai without a space.
fn names(finder: &LinkFinder, text: &str, within: Range<usize>, urls: &mut Vec<Range<usize>>) {
    for part in split(text, within, is_unspaced) {
        urls.extend(find(finder, text, part));
    }
}

/// The parts of a text between the characters that keep them apart, the longest ones cut.
fn split(text: &str, within: Range<usize>, apart: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let gaps = text[within.clone()].match_indices(apart);
    let gaps = gaps.map(|(offset, gap)| (within.start + offset, gap.len()));
    let mut parts = Vec::new();
    let mut start = within.start;
    for (end, gap) in gaps.chain([(within.end, 0)]) {
        while start < end {
            let cut = text.floor_char_boundary(end.min(start + LONGEST_STRETCH));
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

/// The host of what follows the scheme, and whether anything follows the host.
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
