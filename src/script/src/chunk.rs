//! Compilation of a script's files, and resolution of `require`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::chunk::Compiler;
use mlua::{Function, Lua, LuaString, Table};

use crate::limits::SOURCE_BYTES;
use crate::reply::reply;
use crate::source::Source;

/// Adds `host.resolve` and `host.load`, which work on the files already read.
pub(crate) fn install(lua: &Lua, host: &Table, source: Source, compiled: &Compiled) -> mlua::Result<()> {
    let source = Rc::new(source);
    let compiled = Rc::clone(compiled);
    let files = Rc::clone(&source);
    host.set(
        "resolve",
        lua.create_function(move |_, (requirer, wanted): (String, LuaString)| {
            Ok(reply(files.resolve(&requirer, &wanted.to_string_lossy())))
        })?,
    )?;
    host.set(
        "load",
        lua.create_function(move |lua, path: String| {
            Ok(reply(compile(lua, &source, &path, &compiled).map_err(|error| syntax(&error))))
        })?,
    )
}

/// Compiles the file `path` and returns its main function.
///
/// The chunk's name is what errors show. It must not begin with `@`, or the VM's own loader would look for a file.
pub(crate) fn compile(lua: &Lua, source: &Source, path: &str, compiled: &Compiled) -> mlua::Result<Function> {
    let text = source.files.get(path).map_or("", String::as_str);
    if text.len() > SOURCE_BYTES {
        // Files are limited when they are read; this is for sources that were not read from files.
        return Err(mlua::Error::runtime(format!("{path} is larger than {} KiB", SOURCE_BYTES >> 10)));
    }
    // Optimisation level 1 folds constant strings: a small source could make the compiler build hundreds of
    // megabytes. Debug level 1 keeps line numbers; level 2 would also keep the names of locals, which nothing
    // reads.
    let level = if source.is_measured { 1 } else { 0 };
    let compiler = Compiler::new().set_optimization_level(0).set_debug_level(1).set_coverage_level(level);
    let name = source.display_name(path);
    let function = lua.load(text).set_name(format!("={name}")).set_compiler(compiler).into_function()?;
    if source.is_measured {
        compiled.borrow_mut().push((name, function.clone()));
    }
    Ok(function)
}

/// Returns the syntax error of a source, if any: the line, counted from 1, and the reason.
///
/// Luau's parser limits the nesting depth, so a source without errors can be given to parsers that do not.
#[must_use]
pub fn syntax_error(text: &str) -> Option<(usize, String)> {
    let error = Compiler::new().set_optimization_level(0).set_debug_level(0).compile(text).err()?;
    let message = syntax(&error);
    let place = message.trim_start_matches(':').split_once(": ");
    let found = place.and_then(|(line, reason)| Some((line.parse().ok()?, reason.to_owned())));
    Some(found.unwrap_or((1, message)))
}

/// The main functions of the compiled files, by name, when coverage is measured.
pub(crate) type Compiled = Rc<RefCell<Vec<(String, Function)>>>;

/// The number of times that each line of each file has run. Lines without code are missing.
pub type Coverage = BTreeMap<String, BTreeMap<u32, u32>>;

/// Returns the coverage of the compiled files so far.
pub(crate) fn coverage(compiled: &Compiled) -> Coverage {
    let mut coverage = Coverage::new();
    for (name, function) in compiled.borrow().iter() {
        let lines = coverage.entry(name.clone()).or_default();
        function.coverage(|info| {
            for (line, hits) in (0_u32..).zip(info.hits) {
                if let Ok(hits) = u32::try_from(hits) {
                    let known = lines.entry(line).or_default();
                    *known = (*known).max(hits);
                }
            }
        });
    }
    coverage
}

fn syntax(error: &mlua::Error) -> String {
    match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    }
}
