//! JavaScript and CSS: lengths of functions, cycles of imports, dead files.

use std::collections::BTreeMap;
use std::path::Path;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use tree_sitter::{Node, Parser, TreeCursor};

use super::files::Files;
use super::rust::FUNCTION_LINES_MAX;
use super::tree::normalise;
use super::violation::Violation;
use crate::problem::Problem;

/// One parsed script.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Name, first line, number of lines.
    functions: Vec<(String, usize, usize)>,
    /// The imported paths as written, each with its line.
    imports: Vec<(String, usize)>,
    /// Names that are declared, each with its line.
    pub(crate) names: Vec<(String, usize)>,
}

pub(crate) type Scripts = BTreeMap<String, Script>;

/// Parses all scripts.
pub(crate) fn parse(files: &Files) -> Result<Scripts, Problem> {
    let mut parser = Parser::new();
    let unusable = |what: String| Problem::Failed(format!("the parser of JavaScript: {what}"));
    parser.set_language(&tree_sitter_javascript::LANGUAGE.into()).map_err(|error| unusable(error.to_string()))?;
    let mut scripts = Scripts::new();
    for (name, text) in files.with(&["js", "cjs", "mjs"]) {
        let tree = parser.parse(text, None).ok_or_else(|| unusable(format!("{name} was not parsed")))?;
        let mut script = Script::default();
        script.visit(&mut tree.walk(), text);
        scripts.insert(name.to_owned(), script);
    }
    Ok(scripts)
}

pub(crate) fn check(files: &Files, scripts: &Scripts, violations: &mut Vec<Violation>) {
    for (name, script) in scripts {
        for (item, line, lines) in &script.functions {
            if *lines > FUNCTION_LINES_MAX {
                let message = format!("the function {item} has {lines} lines, at most {FUNCTION_LINES_MAX}");
                violations.push(violation("function-lines", name, item, *lines, *line, message));
            }
        }
    }
    for (file, line) in on_cycles(scripts) {
        violations.push(violation("cycle", &file, "", 1, line, "lies on a cycle of imports".to_owned()));
    }
    for (name, _) in files.with(&["js", "cjs", "mjs", "css"]) {
        let base = name.rsplit('/').next().unwrap_or(name);
        if !files.all.iter().any(|(other, text)| other != name && text.contains(base)) {
            violations.push(violation("dead-file", name, "", 1, 1, "no other file names this one".to_owned()));
        }
    }
}

impl Script {
    fn visit(&mut self, cursor: &mut TreeCursor<'_>, text: &str) {
        let node = cursor.node();
        let line = node.start_position().row + 1;
        let of = |node: Option<Node<'_>>| node.and_then(|node| text.get(node.byte_range())).map(ToOwned::to_owned);
        match node.kind() {
            "function_declaration" | "generator_function_declaration" | "method_definition" => {
                let name = of(node.child_by_field_name("name")).unwrap_or_default();
                self.names.push((name.clone(), line));
                self.functions.push((name, line, lines(node)));
            }
            "arrow_function" | "function_expression" => {
                let holder = node.parent().filter(|parent| parent.kind() == "variable_declarator");
                let name = of(holder.and_then(|holder| holder.child_by_field_name("name")));
                self.functions.push((name.unwrap_or_else(|| format!("(line {line})")), line, lines(node)));
            }
            "variable_declarator" => {
                let name = node.child_by_field_name("name").filter(|name| name.kind() == "identifier");
                self.names.extend(of(name).map(|name| (name, line)));
            }
            "formal_parameters" => {
                for index in 0..node.named_child_count() {
                    let parameter = node.named_child(index as u32).filter(|child| child.kind() == "identifier");
                    self.names.extend(of(parameter).map(|name| (name, line)));
                }
            }
            "import_statement" | "export_statement" => {
                let source = of(node.child_by_field_name("source"));
                self.imports.extend(source.map(|source| (source.trim_matches(['"', '\'']).to_owned(), line)));
            }
            "call_expression"
                if node.child_by_field_name("function").is_some_and(|called| called.kind() == "import") =>
            {
                let source = of(node.child_by_field_name("arguments")).unwrap_or_default();
                self.imports.push((source.trim_matches(['(', ')', '"', '\'']).to_owned(), line));
            }
            _ => {}
        }
        if cursor.goto_first_child() {
            loop {
                self.visit(cursor, text);
                if !cursor.goto_next_sibling() {
                    break;
                }
            }
            cursor.goto_parent();
        }
    }
}

/// Returns the files that lie on cycles of imports, each with the line of an import.
fn on_cycles(scripts: &Scripts) -> Vec<(String, usize)> {
    let mut graph: DiGraphMap<&str, ()> = DiGraphMap::new();
    let mut lines = BTreeMap::new();
    for (name, script) in scripts {
        for (import, line) in &script.imports {
            let folder = Path::new(name).parent().unwrap_or(Path::new(""));
            let target = normalise(&folder.join(import));
            if let Some((target, _)) = scripts.get_key_value(target.to_string_lossy().as_ref()) {
                graph.add_edge(name.as_str(), target.as_str(), ());
                lines.entry(name.clone()).or_insert(*line);
            }
        }
    }
    let cycles = tarjan_scc(&graph).into_iter().filter(|component| component.len() > 1);
    cycles.flatten().map(|file| (file.to_owned(), lines.get(file).copied().unwrap_or(1))).collect()
}

fn lines(node: Node<'_>) -> usize {
    node.end_position().row + 1 - node.start_position().row
}

fn violation(rule: &'static str, file: &str, item: &str, size: usize, line: usize, message: String) -> Violation {
    Violation { rule, file: file.to_owned(), item: item.to_owned(), size, line, message }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn found(files: &[(&str, String)]) -> Vec<(&'static str, String)> {
        let all = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        let files = Files { root: PathBuf::new(), all };
        let mut violations = Vec::new();
        check(&files, &parse(&files).unwrap(), &mut violations);
        violations.into_iter().map(|violation| (violation.rule, violation.file)).collect()
    }

    #[test]
    fn long_functions_cycles_and_dead_files_are_found() {
        let long = format!("import {{ b }} from './b.js';\nconst f = () => {{\n{}}};\n", "g();\n".repeat(69));
        let files = [
            ("web/a.js", long),
            ("web/b.js", "export { f } from \"./a.js\";\n".to_owned()),
            ("web/c.js", "import './a.js'; // c".to_owned()),
            ("web/index.html", "<link href='used.css'>".to_owned()),
            ("web/used.css", String::new()),
        ];
        let expected =
            [("function-lines", "web/a.js"), ("cycle", "web/a.js"), ("cycle", "web/b.js"), ("dead-file", "web/c.js")];
        let mut found = found(&files);
        found.sort_unstable();
        let mut expected = expected.map(|(rule, file)| (rule, file.to_owned()));
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}
