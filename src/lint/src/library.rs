//! The global names of scripts, in selene's format.
//!
//! These are Luau's own, as far as the sandbox keeps them, and Palabre's.

use palabre_script::{ApiItem, ApiKind, Parameter};
use selene_lib::standard_library::{
    Argument, ArgumentType, Field, FieldKind, FunctionBehavior, Observes, Required, StandardLibrary,
};

use crate::error::LintError;

/// Names in selene's list that scripts do not have.
///
/// The prelude removes them (`src/script/src/prelude/builtins.luau`), or Luau never had them:
/// selene's list is that of Lua 5.1 with Luau's additions.
const REMOVED_NAMES: &[&str] = &[
    "arg",
    "collectgarbage",
    "dofile",
    "gcinfo",
    "getfenv",
    "io",
    "load",
    "loadfile",
    "loadstring",
    "math.randomseed",
    "module",
    "newproxy",
    "package",
    "setfenv",
    "table.maxn",
];

/// The global of test files.
const TEST_GLOBAL: &str = "test";

/// Returns all global names of a script or of a test file.
pub(crate) fn library(items: &[ApiItem], is_test: bool) -> Result<StandardLibrary, LintError> {
    let mut library = StandardLibrary::from_name("luau").ok_or(LintError::NoBase)?;
    // Only under this name does selene accept \x, \z and \u{…} as escapes and check typeof. Its
    // lints for that platform are disabled, see the settings.
    library.name = Some("roblox".to_owned());
    library.globals.retain(|path, _| !is_removed(path));
    for (path, arguments) in corrections() {
        library.globals.insert(path.to_owned(), function(arguments));
    }
    if is_test {
        let arguments = vec![needed(ArgumentType::String), needed(ArgumentType::Function)];
        library.globals.insert(TEST_GLOBAL.to_owned(), function(arguments));
    }
    let is_type = |root: &str| items.iter().any(|item| item.kind == ApiKind::Type && item.path == root);
    for item in items {
        if is_type(item.root()) || (item.root() == TEST_GLOBAL && !is_test) {
            continue;
        }
        let field = match item.kind {
            ApiKind::Function => function(item.parameters.iter().map(argument).collect()),
            // Scripts define them, call them and pass them on.
            ApiKind::Hook => Field::from_field_kind(FieldKind::Any),
            // For a table, its fields are listed instead.
            ApiKind::Value if has_parts(items, &item.path) => continue,
            ApiKind::Value => Field::from_field_kind(FieldKind::Any),
            ApiKind::Method | ApiKind::Type => continue,
        };
        library.globals.insert(item.path.clone(), field);
    }
    Ok(library)
}

fn is_removed(path: &str) -> bool {
    let (root, field) = path.split_once('.').unwrap_or((path, ""));
    match root {
        "os" => !matches!(field, "time" | "clock"),
        "debug" => field != "traceback",
        _ => REMOVED_NAMES.contains(&root) || REMOVED_NAMES.contains(&path),
    }
}

fn has_parts(items: &[ApiItem], path: &str) -> bool {
    items.iter().any(|item| item.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Returns functions that selene does not know, or knows with other arguments than this VM has.
fn corrections() -> Vec<(&'static str, Vec<Argument>)> {
    let number = || needed(ArgumentType::Number);
    let any = || needed(ArgumentType::Any);
    vec![
        ("assert", vec![any(), optional(ArgumentType::Any)]),
        ("buffer.readbits", vec![any(), number(), number()]),
        ("buffer.writebits", vec![any(), number(), number(), number()]),
        ("getmetatable", vec![any()]),
        ("math.isfinite", vec![number()]),
        ("math.isinf", vec![number()]),
        ("math.isnan", vec![number()]),
        ("next", vec![needed(ArgumentType::Table), optional(ArgumentType::Any)]),
        ("os.time", Vec::new()),
        ("string.format", vec![needed(ArgumentType::String), optional(ArgumentType::Vararg)]),
        ("vector.lerp", vec![any(), any(), number()]),
    ]
}

fn function(arguments: Vec<Argument>) -> Field {
    Field::from_field_kind(FieldKind::Function(FunctionBehavior { arguments, method: false, must_use: false }))
}

fn needed(argument_type: ArgumentType) -> Argument {
    Argument { required: Required::Required(None), argument_type, observes: Observes::ReadWrite, deprecated: None }
}

fn optional(argument_type: ArgumentType) -> Argument {
    Argument { required: Required::NotRequired, ..needed(argument_type) }
}

fn argument(parameter: &Parameter) -> Argument {
    if parameter.variadic {
        optional(ArgumentType::Vararg)
    } else if parameter.optional {
        optional(argument_type(&parameter.type_text))
    } else {
        needed(argument_type(&parameter.type_text))
    }
}

/// Converts a type to the one that selene checks.
///
/// Types that selene does not have become "any": a missed finding is better than a wrong one.
fn argument_type(text: &str) -> ArgumentType {
    let text = text.trim_end_matches('?');
    let words = || text.split('|').map(str::trim);
    match text {
        "string" => ArgumentType::String,
        "number" => ArgumentType::Number,
        "boolean" => ArgumentType::Bool,
        _ if words().all(is_text) => {
            ArgumentType::Constant(words().map(|word| word.trim_matches('"').to_owned()).collect())
        }
        _ if text.contains('|') || text.contains('&') => ArgumentType::Any,
        _ if text.starts_with('{') => ArgumentType::Table,
        _ if text.starts_with(['(', '<']) && text.contains("->") => ArgumentType::Function,
        _ => ArgumentType::Any,
    }
}

fn is_text(word: &str) -> bool {
    word.len() >= 2 && word.starts_with('"') && word.ends_with('"')
}
