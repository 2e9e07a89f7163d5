/// Returns what a name looks like: two names with the same skeleton can be taken for each other (UTS #39), whatever their case.
#[must_use]
pub fn skeleton(name: &str) -> String {
    let shape: String = unicode_security::skeleton(&name.to_lowercase()).collect();
    shape.to_lowercase()
}
