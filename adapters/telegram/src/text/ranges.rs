//! Sets of byte positions, as sorted ranges that do not touch.

use std::ops::Range;

pub(super) type Ranges = Vec<Range<usize>>;

/// Returns the union of ranges. Those that touch become one.
pub(super) fn union(ranges: impl IntoIterator<Item = Range<usize>>) -> Ranges {
    let mut ranges: Ranges = ranges.into_iter().filter(|range| !range.is_empty()).collect();
    ranges.sort_by_key(|range| range.start);
    join(ranges, |_| false)
}

/// Joins sorted ranges that touch or overlap, or between which nothing counts.
pub(super) fn join(ranges: Ranges, is_nothing: impl Fn(Range<usize>) -> bool) -> Ranges {
    let mut joined: Ranges = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end || is_nothing(last.end..range.start) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Returns `ranges` without the positions in `without`. Both are sorted and without overlaps.
pub(super) fn subtract(ranges: &[Range<usize>], without: &[Range<usize>]) -> Ranges {
    let mut left = Vec::with_capacity(ranges.len());
    for range in ranges {
        let mut start = range.start;
        let first = without.partition_point(|gone| gone.end <= range.start);
        for gone in without[first..].iter().take_while(|gone| gone.start < range.end) {
            if start < gone.start {
                left.push(start..gone.start);
            }
            start = start.max(gone.end);
        }
        if start < range.end {
            left.push(start..range.end);
        }
    }
    left
}

/// Splits a range at the borders, which are sorted.
pub(super) fn split_at(range: Range<usize>, borders: &[usize]) -> Ranges {
    let first = borders.partition_point(|border| *border <= range.start);
    let inner = borders[first..].iter().copied().take_while(|border| *border < range.end);
    let mut start = range.start;
    inner.chain([range.end]).map(|end| std::mem::replace(&mut start, end)..end).collect()
}

/// Returns the range without white space at its ends, if anything is left.
pub(super) fn trim(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let within = &text[range.clone()];
    let start = range.start + (within.len() - within.trim_start().len());
    let end = start + within.trim().len();
    (start < end).then_some(start..end)
}
