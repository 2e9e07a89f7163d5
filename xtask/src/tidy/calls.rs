//! Methods that the code of a folder does not call.

use std::collections::BTreeMap;

use serde::Deserialize;
use syn::visit::{self, Visit};

use super::rust::Sources;
use super::violation::Violation;

/// Methods that the code of a folder does not call, except in tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeniedCalls {
    /// The beginning of the paths of the folder's files.
    under: String,
    methods: Vec<String>,
    /// The reason, which names what to call instead.
    reason: String,
}

/// Finds calls by the names of the methods. Types are not known, and macros are not searched.
pub(crate) fn check(denied: &[DeniedCalls], sources: &Sources, violations: &mut Vec<Violation>) {
    for rule in denied {
        let of_rule = |file: &str| file.starts_with(&rule.under) && !file.contains("/tests/");
        for (file, parsed) in sources.iter().filter(|(file, _)| of_rule(file)) {
            let mut calls = Calls { methods: &rule.methods, found: BTreeMap::new() };
            calls.visit_file(parsed);
            for (item, (size, line)) in calls.found {
                let message = format!("calls {item}: {}", rule.reason);
                violations.push(Violation { rule: "call", file: file.clone(), item, size, line, message });
            }
        }
    }
}

/// The calls of denied methods in a file: their number and the first line, by method.
struct Calls<'r> {
    methods: &'r [String],
    found: BTreeMap<String, (usize, usize)>,
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if self.methods.iter().any(|method| call.method == *method) {
            let line = call.method.span().start().line;
            self.found.entry(call.method.to_string()).or_insert((0, line)).0 += 1;
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !module.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, module);
        }
    }
}

/// Whether an attribute is `#[cfg(test)]`.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    matches!(&attribute.meta, syn::Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<(String, usize, usize)> {
        let denied: Vec<DeniedCalls> =
            serde_saphyr::from_str("- { under: adapters/, methods: [commit, sweep], reason: use the sink }\n").unwrap();
        let sources = Sources::from([(file.to_owned(), syn::parse_file(text).unwrap())]);
        let mut violations = Vec::new();
        check(&denied, &sources, &mut violations);
        violations.into_iter().map(|violation| (violation.item, violation.size, violation.line)).collect()
    }

    #[test]
    fn denied_methods_are_found_in_their_folder_except_in_tests() {
        let text = "fn f(s: S) {\n s.commit(1);\n g(|| s.a.commit(2).wait());\n commit(3); s.committed();\n}";
        assert_eq!(found("adapters/a/src/lib.rs", text), [("commit".to_owned(), 2, 2)]);
        assert_eq!(found("src/engine/src/lib.rs", text), []);
        assert_eq!(found("adapters/a/tests/a.rs", text), []);
        assert_eq!(found("adapters/a/src/lib.rs", "#[cfg(test)] mod tests { fn f(s: S) { s.sweep(1) } }"), []);
        assert_eq!(found("adapters/a/src/lib.rs", "mod m { fn f(s: S) { s.sweep(1) } }"), [("sweep".to_owned(), 1, 1)]);
    }
}
