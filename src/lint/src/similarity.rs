//! Names that authors may confuse with one another.

/// The minimum similarity of names that may be confused.
const SIMILARITY_MIN: f64 = 0.85;

/// Returns the name most similar to `name`, if it is similar enough.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, candidate)| *similarity >= SIMILARITY_MIN && *candidate != name)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}
