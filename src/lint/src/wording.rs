//! Conversion of selene's findings into terms of Palabre.
//!
//! Findings that are no problem in a script are dropped.

use palabre_script::Parameter;
use selene_lib::CheckerDiagnostic;
use selene_lib::lints::{Diagnostic, Severity as Level};

use crate::finding::{RawFinding, Severity};
use crate::hooks::looks_like_hook;
use crate::known::Known;
use crate::names::{Names, Site};
use crate::similarity::nearest;

/// Converts a finding of selene's. Returns `None` if script authors need not see it.
pub(crate) fn convert(found: CheckerDiagnostic, text: &str, names: &Names, known: &Known<'_>) -> Option<RawFinding> {
    let severity = match found.severity {
        Level::Allow => return None,
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
    };
    let Diagnostic { code, message, notes, primary_label, .. } = found.diagnostic;
    let range = (primary_label.range.0 as usize, primary_label.range.1 as usize);
    let name = text.get(range.0..range.1).unwrap_or_default();
    let (message, help) = match code {
        "unused_variable" => unused(range.0, name, &message, names)?,
        "unscoped_variables" => unscoped(range.0, name, names)?,
        "undefined_variable" => undefined(name, names, known)?,
        "incorrect_standard_library_use" => misused(&message, primary_label.message, &notes, known),
        // An unnecessary escape of a quote does no harm.
        "bad_string_escape" if message.contains("do not have to be escaped") => return None,
        _ => (message, advice(&notes)),
    };
    Some(RawFinding { range, severity, code: code.to_owned(), message, help })
}

type Wording = (String, Option<String>);

fn unused(start: usize, name: &str, message: &str, names: &Names) -> Option<Wording> {
    // A parameter may only be there because of the next one. A global may be read above its
    // definition, which selene does not count; one that a function creates is reported as such, and
    // one that looks like a hook by a lint of our own.
    let is_fine = |site: &Site| !site.is_loading || names.reads_global(name) || looks_like_hook(name);
    if names.is_parameter(start) || names.global_at(start).is_some_and(is_fine) {
        return None;
    }
    let what = if message.contains("assigned") { "gets a value that is never read" } else { "is never used" };
    Some((format!("`{name}` {what}"), Some("remove it, or start its name with _".to_owned())))
}

fn unscoped(start: usize, name: &str, names: &Names) -> Option<Wording> {
    // Anything but a plain name is reported as undefined. A global that is set at load time is
    // state of the script.
    if names.global_at(start).is_none() || names.defines_loading(name) || looks_like_hook(name) {
        return None;
    }
    let message = format!("`{name}` becomes a global here, which every function of the script sees");
    Some((message, Some(format!("write `local {name}` here, or at the top of the file"))))
}

fn undefined(name: &str, names: &Names, known: &Known<'_>) -> Option<Wording> {
    if names.defines(name) {
        return None;
    }
    let help = if names.locals.contains(name) {
        Some(format!("there is a local `{name}` elsewhere in this file, which is not visible here"))
    } else {
        let candidates = known.globals.iter().chain(&names.locals).map(String::as_str);
        nearest(name, candidates.chain(names.globals().map(|site| site.name.as_str())))
            .map(|near| format!("did you mean `{near}`?"))
    };
    Some((format!("`{name}` is not defined"), help))
}

/// Describes the misuse of an existing name.
fn misused(message: &str, label: Option<String>, notes: &[String], known: &Known<'_>) -> Wording {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let path = quoted.next().unwrap_or_default();
    if message.contains("does not contain the field") {
        let field = quoted.next().unwrap_or_default();
        let fields = known.paths.iter().filter_map(|known| known.strip_prefix(path)?.strip_prefix('.'));
        let help = nearest(field, fields).map(|near| format!("did you mean `{path}.{near}`?"));
        return (format!("`{path}` has no `{field}`"), help);
    }
    let item = known.function(path);
    let help = item.map(|item| format!("it is `{}`", item.signature())).or_else(|| advice(notes));
    if let Some(label) = label {
        return (format!("`{path}`: {label}"), help);
    }
    let passed = message.rsplit(", ").next().and_then(|end| end.strip_suffix(" passed"));
    if let (Some(item), Some(passed)) = (item, passed) {
        return (format!("`{path}` takes {}, and gets {passed}", arguments(&item.parameters)), help);
    }
    let kinds = ["standard library global ", "standard library function ", "standard library field "];
    let plain = kinds.iter().find_map(|kind| message.strip_prefix(kind)).unwrap_or(message);
    (plain.to_owned(), help)
}

/// Describes the number of arguments.
fn arguments(parameters: &[Parameter]) -> String {
    let max = parameters.iter().filter(|parameter| !parameter.variadic).count();
    let min = parameters.iter().filter(|parameter| !parameter.optional).count();
    let counted = |count: usize| format!("{count} argument{}", if count == 1 { "" } else { "s" });
    if max < parameters.len() {
        format!("at least {}", counted(min))
    } else if min == max {
        counted(max)
    } else {
        format!("{min} to {}", counted(max))
    }
}

/// Returns selene's own advice.
fn advice(notes: &[String]) -> Option<String> {
    let advice: Vec<&str> = notes.iter().map(|note| note.strip_prefix("help: ").unwrap_or(note)).collect();
    (!advice.is_empty()).then(|| advice.join("; "))
}
