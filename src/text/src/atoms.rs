//! Derives the literal strings (*atoms*) that a text must contain for a pattern to match it.
//!
//! At least one atom of the set is in every text that matches. Atoms are compared with texts folded
//! by [`same_case`], so `(?i)` costs nothing: all cases of a letter fold to one.

use std::collections::BTreeSet;
use std::iter::repeat_n;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Literal, Repetition};

use crate::letters::{fold, same_case};

/// The largest character class that is enumerated.
const CLASS_CHARS_MAX: usize = 32;
/// The maximum number of strings that a concatenation is expanded to.
const STRINGS_MAX: usize = 64;
/// The maximum total size of the strings of a concatenation, in bytes.
const BYTES_MAX: usize = 8_192;
/// The maximum number of atoms of a pattern: a list of words joined by `|` is still a good filter.
const ATOMS_MAX: usize = 1_024;
/// The maximum number of copies that a counted repetition is unrolled to.
const COPIES_MAX: u32 = 4;
/// The length in bytes above which a longer atom is not considered more selective.
const SELECTIVITY_MAX: usize = 8;

/// Returns the atoms of a pattern; `None` if it has no selective ones.
pub(crate) fn atoms(pattern: &Hir) -> Option<Vec<String>> {
    let atoms: BTreeSet<String> = best(part(pattern))?.into_iter().collect();
    Some(atoms.into_iter().collect())
}

/// The strings that a subexpression of a pattern can match.
#[derive(Debug, Clone)]
enum Part {
    /// Exactly one of these strings.
    Exact(Vec<String>),
    /// A string that begins with one of `head`, ends with one of `tail` and, if `body` is given,
    /// contains one of `body`.
    Open { head: Vec<String>, body: Option<Vec<String>>, tail: Vec<String> },
}

fn nothing() -> Vec<String> {
    vec![String::new()]
}

fn anything() -> Part {
    Part::Open { head: nothing(), body: None, tail: nothing() }
}

fn part(pattern: &Hir) -> Part {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Part::Exact(nothing()),
        HirKind::Literal(Literal(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Part::Exact(vec![fold(text)]),
            Err(_) => anything(),
        },
        HirKind::Class(class) => of_class(class),
        HirKind::Repetition(repetition) => of_repetition(repetition),
        HirKind::Capture(capture) => part(&capture.sub),
        HirKind::Concat(parts) => in_sequence(parts.iter().map(part)),
        HirKind::Alternation(parts) => one_of(parts.iter().map(part).collect()),
    }
}

fn of_class(class: &Class) -> Part {
    let class = match class {
        Class::Unicode(class) => Some(class.clone()),
        Class::Bytes(class) => class.to_unicode_class(),
    };
    let ranges = class.as_ref().map(ClassUnicode::ranges).unwrap_or_default();
    let size: usize = ranges.iter().map(ClassUnicodeRange::len).sum();
    if size == 0 || size > CLASS_CHARS_MAX {
        return anything();
    }
    let chars = ranges.iter().flat_map(|range| range.start()..=range.end());
    let chars: BTreeSet<char> = chars.map(same_case).collect();
    Part::Exact(chars.into_iter().map(String::from).collect())
}

fn of_repetition(repetition: &Repetition) -> Part {
    let Repetition { min, max, ref sub, .. } = *repetition;
    let once = part(sub);
    if min == 0 {
        return match once {
            Part::Exact(mut strings) if max == Some(1) && strings.len() < STRINGS_MAX => {
                strings.push(String::new());
                Part::Exact(strings)
            }
            Part::Exact(_) | Part::Open { .. } => anything(),
        };
    }
    let copies = in_sequence(repeat_n(once, min.min(COPIES_MAX) as usize));
    if max == Some(min) && min <= COPIES_MAX {
        return copies;
    }
    in_sequence([copies.clone(), anything(), copies])
}

/// Combines the parts of a concatenation.
///
/// Consecutive exact parts are multiplied out. A part that is not exact ends such a run; the strings
/// of the run stay candidates.
fn in_sequence(parts: impl IntoIterator<Item = Part>) -> Part {
    let mut run = nothing();
    let mut head = None;
    let mut body = None;
    for part in parts {
        let (first, inner, last) = match part {
            Part::Exact(strings) => match multiply(&run, &strings) {
                Some(longer) => {
                    run = longer;
                    continue;
                }
                None => (nothing(), None, strings),
            },
            Part::Open { head, body, tail } => (head, body, tail),
        };
        body = better(body, inner);
        let closed = match multiply(&run, &first) {
            Some(longer) => longer,
            None => {
                body = better(body, Some(first));
                run
            }
        };
        if head.is_none() {
            head = Some(closed);
        } else {
            body = better(body, Some(closed));
        }
        run = last;
    }
    match head {
        Some(head) => Part::Open { head, body, tail: run },
        None => Part::Exact(run),
    }
}

fn one_of(parts: Vec<Part>) -> Part {
    let mut exact = true;
    let mut head = Vec::new();
    let mut body = Some(Vec::new());
    let mut tail = Vec::new();
    for part in parts {
        let atoms = best(part.clone());
        body = body.zip(atoms).map(|(all, atoms)| joined(all, atoms)).filter(|all| all.len() <= ATOMS_MAX);
        match part {
            Part::Exact(strings) => {
                head.extend_from_slice(&strings);
                tail.extend(strings);
            }
            Part::Open { head: first, tail: last, .. } => {
                exact = false;
                head.extend(first);
                tail.extend(last);
            }
        }
    }
    if exact && head.len() <= STRINGS_MAX {
        return Part::Exact(head);
    }
    let few = |strings: Vec<String>| if strings.len() <= STRINGS_MAX { strings } else { nothing() };
    Part::Open { head: few(head), body, tail: few(tail) }
}

fn joined(mut all: Vec<String>, more: Vec<String>) -> Vec<String> {
    all.extend(more);
    all
}

/// Returns each left string followed by each right one; `None` if the result exceeds a limit.
fn multiply(left: &[String], right: &[String]) -> Option<Vec<String>> {
    let bytes = |strings: &[String]| strings.iter().map(String::len).sum::<usize>();
    let fits =
        left.len() * right.len() <= STRINGS_MAX && bytes(left) * right.len() + bytes(right) * left.len() <= BYTES_MAX;
    fits.then(|| left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}"))).collect())
}

/// Returns the most selective string set of a part: the one expected to occur least often.
fn best(part: Part) -> Option<Vec<String>> {
    let (head, body, tail) = match part {
        Part::Exact(strings) => (Some(strings), None, None),
        Part::Open { head, body, tail } => (Some(head), body, Some(tail)),
    };
    better(better(head, body), tail).filter(|strings| worth(strings) > 0)
}

fn better(left: Option<Vec<String>>, right: Option<Vec<String>>) -> Option<Vec<String>> {
    let rank = |strings: &Option<Vec<String>>| {
        let strings = strings.as_deref().unwrap_or_default();
        (worth(strings), ATOMS_MAX.saturating_sub(strings.len()))
    };
    if rank(&right) > rank(&left) { right } else { left }
}

/// Returns the selectivity of the strings: the length of the shortest, up to [`SELECTIVITY_MAX`].
///
/// A single letter or digit counts 0, a single ASCII punctuation character such as `!` counts 1.
fn worth(strings: &[String]) -> usize {
    if strings.len() > ATOMS_MAX {
        return 0;
    }
    let of_one = |text: &String| match text.as_bytes() {
        [byte] => usize::from(byte.is_ascii_punctuation()),
        bytes => bytes.len().min(SELECTIVITY_MAX),
    };
    strings.iter().map(of_one).min().unwrap_or(0)
}
