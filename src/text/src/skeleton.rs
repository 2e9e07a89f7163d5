/// Returns what a name looks like: two names with the same skeleton can be taken for each other (UTS #39), whatever their case.
#[must_use]
pub fn skeleton(name: &str) -> String {
    let shape: String = unicode_security::skeleton(&name.to_lowercase()).collect();
    // A capital I looks like a small L, and so does a one, of which the tables know.
    shape.to_lowercase().replace('i', "l")
}
