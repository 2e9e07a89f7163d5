//! Our own lints.
//!
//! They find functions that look like hooks but are not, hooks that are never called, and functions
//! that hide a global of Palabre.

use std::collections::BTreeSet;

use crate::finding::RawFinding;
use crate::known::Known;
use crate::names::{Names, Site};
use crate::similarity::nearest;

/// A global with a name like a hook's, when there is no such hook.
const UNKNOWN_HOOK: &str = "unknown_hook";
/// A local function with the name of a hook, which is therefore never called.
const LOCAL_HOOK: &str = "local_hook";
/// A second definition of a hook.
const REPEATED_HOOK: &str = "repeated_hook";
/// A function with the name of an existing global.
const HIDDEN_GLOBAL: &str = "hidden_global";

/// The codes of these lints.
///
/// Selene does not know them, so a comment that allows one applies to the whole file.
pub(crate) const CODES: &[&str] = &[UNKNOWN_HOOK, LOCAL_HOOK, REPEATED_HOOK, HIDDEN_GLOBAL];

/// Whether a name is, or is meant to be, that of a hook.
pub(crate) fn looks_like_hook(name: &str) -> bool {
    name.starts_with("on_") || name.starts_with("before_")
}

pub(crate) fn check(names: &Names, known: &Known<'_>) -> Vec<RawFinding> {
    let mut findings = Vec::new();
    let (mut unknown, mut defined) = (BTreeSet::new(), BTreeSet::new());
    for site in names.globals() {
        let name = site.name.as_str();
        if known.hooks.contains(name) {
            // Within a branch it may be one of two alternative definitions.
            if site.is_outermost && !defined.insert(name) {
                findings.push(repeated(site));
            }
        } else if known.globals.contains(name) {
            // Selene itself reports assignments.
            findings.extend(site.is_function.then(|| hidden(site, known)));
        } else if looks_like_hook(name) && unknown.insert(name) {
            findings.extend(unknown_hook(site, names, known));
        }
    }
    for (name, range) in &names.local_functions {
        if known.hooks.contains(name) && !names.reads(name) && !names.defines(name) {
            let message = format!("{name} is local, so it is never called");
            let help = format!("write `function {name}` without `local`");
            findings.push(RawFinding::warning(*range, LOCAL_HOOK, message, Some(help)));
        }
    }
    findings
}

fn unknown_hook(site: &Site, names: &Names, known: &Known<'_>) -> Option<RawFinding> {
    let name = &site.name;
    let near = nearest(name, known.hooks.iter().map(String::as_str));
    // A script may have a function of its own named before_midnight, as long as it calls it.
    if near.is_none() && !name.starts_with("on_") && names.reads_global(name) {
        return None;
    }
    let message = match near {
        Some(hook) => format!("there is no hook {name}; did you mean {hook}?"),
        None => format!("there is no hook {name}"),
    };
    Some(RawFinding::warning(site.range, UNKNOWN_HOOK, message, None))
}

fn repeated(site: &Site) -> RawFinding {
    let name = &site.name;
    let help = "only the last one is called: do both things in one function".to_owned();
    RawFinding::warning(site.range, REPEATED_HOOK, format!("{name} is defined a second time"), Some(help))
}

fn hidden(site: &Site, known: &Known<'_>) -> RawFinding {
    let name = &site.name;
    let help = known.function(name).map(|item| format!("it is called as `{}`", item.signature()));
    RawFinding::warning(site.range, HIDDEN_GLOBAL, format!("`{name}` already exists, and this function hides it"), help)
}
