//! The linter: runs selene's lints and our own on a file, in a thread with a large stack.

use std::collections::BTreeSet;

use full_moon::ast::Ast;
use palabre_script::{ApiItem, ApiKind};
use selene_lib::lints::AstContext;
use selene_lib::{Checker, CheckerDiagnostic};
use serde_json::Value;

use crate::error::LintError;
use crate::finding::{Finding, Lines, RawFinding};
use crate::known::Known;
use crate::names::Names;
use crate::{hooks, library, parse, settings, wording};

/// The stack size of the linter's thread.
///
/// Parser and lints are recursive, so they run in a thread of their own with a large stack. Only
/// the part that they use is ever allocated.
const STACK_BYTES: usize = 128 << 20;

/// A linter for scripts.
///
/// Creating one takes a few milliseconds; it can be used any number of times, from any thread.
pub struct Linter {
    items: Vec<ApiItem>,
    hooks: BTreeSet<String>,
    scripts: Rules,
    tests: Rules,
}

/// The lints and names of one kind of file.
struct Rules {
    checker: Checker<Value>,
    /// All global names with their fields: `store.get`.
    paths: BTreeSet<String>,
    /// The global names alone: `store`.
    globals: BTreeSet<String>,
}

impl Linter {
    /// Creates a linter with the API of this version.
    ///
    /// # Errors
    /// Fails when selene rejects its configuration, which is a bug in Palabre.
    pub fn new() -> Result<Self, LintError> {
        let items = palabre_script::api();
        let hooks = items.iter().filter(|item| item.kind == ApiKind::Hook).map(|item| item.path.clone()).collect();
        let (scripts, tests) = (Rules::new(&items, false)?, Rules::new(&items, true)?);
        Ok(Self { items, hooks, scripts, tests })
    }

    /// Checks a file and returns its findings in the order of their positions.
    ///
    /// `path` is the file's name in the findings; `is_test` says whether it is a `*.test.luau`. For
    /// a file that cannot be parsed, only syntax errors are returned.
    #[must_use]
    pub fn check(&self, path: &str, text: &str, is_test: bool) -> Vec<Finding> {
        let rules = if is_test { &self.tests } else { &self.scripts };
        let raw = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("lint".to_owned()).stack_size(STACK_BYTES);
            match thread.spawn_scoped(scope, || self.lint(rules, text)).map(|thread| thread.join()) {
                Ok(Ok(findings)) => findings,
                Ok(Err(_)) => vec![failed("the linter failed on this file; please report it".to_owned())],
                Err(error) => vec![failed(format!("the linter cannot start its thread: {error}"))],
            }
        });
        let lines = Lines::new(text);
        let mut findings: Vec<Finding> = raw.into_iter().map(|finding| finding.locate(path, &lines)).collect();
        findings.sort_by(|one, other| (one.line, one.column, &one.code).cmp(&(other.line, other.column, &other.code)));
        findings.dedup();
        findings
    }

    fn lint(&self, rules: &Rules, text: &str) -> Vec<RawFinding> {
        let ast = match parse::parse(text) {
            Ok(ast) => ast,
            Err(findings) => return findings,
        };
        let names = Names::of(&ast, &AstContext::from_ast(&ast));
        let Rules { paths, globals, .. } = rules;
        let known = Known { items: &self.items, hooks: &self.hooks, paths, globals };
        let (mut findings, silenced) = selene(rules, &ast, text, &names, &known);
        findings.extend(hooks::check(&names, &known).into_iter().filter(|finding| !silenced.contains(&finding.code)));
        findings
    }
}

impl Rules {
    fn new(items: &[ApiItem], is_test: bool) -> Result<Self, LintError> {
        let library = library::library(items, is_test)?;
        let paths: BTreeSet<String> = library.globals.keys().cloned().collect();
        let root = |path: &String| path.split('.').next().unwrap_or_default().to_owned();
        let globals = paths.iter().map(root).collect();
        Ok(Self { checker: settings::checker(library)?, paths, globals })
    }
}

/// Returns selene's findings, and the codes of our own lints that the file silences.
///
/// Selene complains about comments that name lints which it does not know.
fn selene(
    rules: &Rules,
    ast: &Ast,
    text: &str,
    names: &Names,
    known: &Known<'_>,
) -> (Vec<RawFinding>, BTreeSet<String>) {
    let (mut findings, mut silenced) = (Vec::new(), BTreeSet::new());
    for found in rules.checker.test_on(ast) {
        match own_code(&found) {
            Some(code) => {
                let (start, end) = found.diagnostic.primary_label.range;
                if text.get(start as usize..end as usize).is_some_and(|comment| comment.contains("allow")) {
                    silenced.insert(code.to_owned());
                }
            }
            None => findings.extend(wording::convert(found, text, names, known)),
        }
    }
    (findings, silenced)
}

/// Returns the code of our own lint that selene reports as unknown.
fn own_code(found: &CheckerDiagnostic) -> Option<&'static str> {
    let is_filter = found.diagnostic.code == "invalid_lint_filter";
    hooks::CODES.iter().copied().find(|code| is_filter && found.diagnostic.message.contains(&format!("`{code}`")))
}

fn failed(message: String) -> RawFinding {
    RawFinding::error((0, 0), "linter", message)
}
