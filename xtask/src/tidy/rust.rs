//! Rust sources: parsed once, and the length of their functions.

use std::collections::BTreeMap;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::files::Files;
use super::violation::Violation;
use crate::problem::Problem;

/// The maximum number of lines of a function, from its signature to its last brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;

/// The parsed files, by path.
pub(crate) type Sources = BTreeMap<String, syn::File>;

/// Parses all Rust files.
pub(crate) fn parse(files: &Files) -> Result<Sources, Problem> {
    let parse = |(name, text): (&str, &str)| match syn::parse_file(text) {
        Ok(file) => Ok((name.to_owned(), file)),
        Err(error) => {
            let what = format!("line {}: {error}", error.span().start().line);
            Err(Problem::Unreadable { path: files.root.join(name), what })
        }
    };
    files.with(&["rs"]).map(parse).collect()
}

pub(crate) fn check(sources: &Sources, violations: &mut Vec<Violation>) {
    for (name, file) in sources {
        let mut functions = Functions::default();
        functions.visit_file(file);
        for (item, line, lines) in functions.found {
            if lines > FUNCTION_LINES_MAX {
                let message = format!("the function {item} has {lines} lines, at most {FUNCTION_LINES_MAX}");
                violations.push(Violation {
                    rule: "function-lines",
                    file: name.clone(),
                    item,
                    size: lines,
                    line,
                    message,
                });
            }
        }
    }
}

/// The functions of a file: name with its type, first line, number of lines.
#[derive(Default)]
struct Functions {
    /// The type or trait around a method.
    owner: String,
    found: Vec<(String, usize, usize)>,
}

impl Functions {
    fn note(&mut self, signature: &syn::Signature, end: Span) {
        let name = signature.ident.to_string();
        let name = if self.owner.is_empty() { name } else { format!("{}::{name}", self.owner) };
        let first = signature.span().start().line;
        self.found.push((name, first, end.end().line + 1 - first));
    }

    fn within(&mut self, owner: String, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.owner, owner);
        visit(self);
        self.owner = outer;
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig, function.block.span());
        self.within(String::new(), |functions| visit::visit_item_fn(functions, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig, function.block.span());
        self.within(String::new(), |functions| visit::visit_impl_item_fn(functions, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.note(&function.sig, block.span());
        }
        self.within(String::new(), |functions| visit::visit_trait_item_fn(functions, function));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        self.within(owner.unwrap_or_default(), |functions| visit::visit_item_impl(functions, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.within(item.ident.to_string(), |functions| visit::visit_item_trait(functions, item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize)> {
        let sources = Sources::from([("a.rs".to_owned(), syn::parse_file(text).unwrap())]);
        let mut violations = Vec::new();
        check(&sources, &mut violations);
        violations.into_iter().map(|violation| (violation.item, violation.size)).collect()
    }

    #[test]
    fn a_function_of_71_lines_is_one_too_long_wherever_it_is() {
        let body = |lines: usize| "    1;\n".repeat(lines - 2);
        assert_eq!(found(&format!("/// Docs\nfn f() {{\n{}}}", body(70))), []);
        assert_eq!(found(&format!("fn f() {{\n{}}}", body(71))), [("f".to_owned(), 71)]);
        let method = format!("impl<T> Trait for a::S<T> {{ fn f(&self) {{\n{}}} }}", body(71));
        assert_eq!(found(&method), [("S::f".to_owned(), 71)]);
        let default = format!("trait T {{ fn f(&self) {{\n{}}} }}", body(71));
        assert_eq!(found(&default), [("T::f".to_owned(), 71)]);
        let inner = format!("mod m {{ fn f() {{ fn g() {{\n{}}} }} }}", body(72));
        assert_eq!(found(&inner), [("f".to_owned(), 72), ("g".to_owned(), 72)]);
    }
}
