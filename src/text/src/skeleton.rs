/// Returns the confusable skeleton of a name (UTS #39), regardless of its case.
///
/// Two names with the same skeleton can be mistaken for each other.
#[must_use]
pub fn skeleton(name: &str) -> String {
    let shape: String = unicode_security::skeleton(&name.to_lowercase()).collect();
    // A capital I looks like a small L. So does the digit 1, which the tables cover.
    shape.to_lowercase().replace('i', "l")
}
