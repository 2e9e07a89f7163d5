//! Cycles between modules, and files that belong to no target.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::files::Files;
use super::paths::{Kind, WrittenPath, collect};
use super::rust::Sources;
use super::tree::{ModulePath, Tree};
use super::violation::Violation;
use crate::problem::Problem;

/// The maximum number of aliases and globs that are followed for one path.
const DEPTH_MAX: usize = 8;

pub(crate) fn check(files: &Files, sources: &Sources, violations: &mut Vec<Violation>) -> Result<(), Problem> {
    let mut dead: BTreeSet<&str> = sources.keys().map(String::as_str).collect();
    let mut in_cycles = BTreeMap::new();
    for root in targets(files)? {
        let tree = Tree::read(&root, sources);
        for file in tree.reached() {
            dead.remove(file);
        }
        in_cycles.extend(cycles(&tree, sources));
    }
    for file in dead {
        let message = "no target of Cargo contains this file".to_owned();
        violations.push(violation("dead-file", file, 1, message));
    }
    for (file, (line, message)) in in_cycles {
        violations.push(violation("cycle", &file, line, message));
    }
    Ok(())
}

/// Returns the root files of all targets of all packages.
fn targets(files: &Files) -> Result<Vec<String>, Problem> {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_unset| "cargo".to_owned()));
    command.current_dir(&files.root).args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let told = command.output().map_err(|cause| Problem::Program { program: "cargo metadata".to_owned(), cause })?;
    let metadata: serde_json::Value = serde_json::from_slice(&told.stdout)
        .map_err(|_not_json| Problem::Failed(format!("cargo metadata: {}", String::from_utf8_lossy(&told.stderr))))?;
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let targets = metadata["packages"].as_array().into_iter().flatten().flat_map(|package| {
        package["targets"].as_array().into_iter().flatten().filter_map(|target| target["src_path"].as_str())
    });
    let relative =
        targets.filter_map(|path| path.strip_prefix(root)).map(|path| path.trim_start_matches('/').to_owned());
    Ok(relative.collect())
}

/// Returns the files that lie on cycles, with the line and the text of one import that closes each.
fn cycles(tree: &Tree, sources: &Sources) -> BTreeMap<String, (usize, String)> {
    let edges = edges(tree, sources);
    let mut graph: DiGraphMap<&str, ()> = DiGraphMap::new();
    for (from, to) in edges.keys() {
        graph.add_edge(from.as_str(), to.as_str(), ());
    }
    let mut found = BTreeMap::new();
    for mut cycle in tarjan_scc(&graph).into_iter().filter(|component| component.len() > 1) {
        cycle.sort_unstable();
        for file in &cycle {
            let inside = cycle.iter().filter_map(|to| Some((to, edges.get(&((*file).to_owned(), (*to).to_owned()))?)));
            let imports: Vec<(&&str, &(usize, String))> = inside.collect();
            let Some((_, (line, path))) = imports.first() else { continue };
            let to: Vec<&str> = imports.iter().map(|(to, _)| **to).collect();
            let message =
                format!("lies on a cycle of {} files: {path} (and more) leads to {}", cycle.len(), to.join(", "));
            found.insert((*file).to_owned(), (*line, message));
        }
    }
    found
}

/// Imports between files, each with the line and the path of the first one.
fn edges(tree: &Tree, sources: &Sources) -> BTreeMap<(String, String), (usize, String)> {
    let mut scopes: BTreeMap<ModulePath, Vec<WrittenPath>> = BTreeMap::new();
    for (module, file) in &tree.files {
        // Inline modules come along with the file around them.
        let is_own_file = module.split_last().is_none_or(|(_, parent)| tree.files.get(parent) != Some(file));
        if let Some(parsed) = sources.get(file).filter(|_| is_own_file) {
            for path in collect(parsed) {
                scopes.entry(module.iter().chain(&path.inside).cloned().collect()).or_default().push(path);
            }
        }
    }
    let resolver = Resolver { tree, scopes: &scopes };
    let mut edges = BTreeMap::new();
    for (module, paths) in &scopes {
        let Some(from) = tree.files.get(module) else { continue };
        for path in paths {
            let Some(to) = resolver.resolve(module, &path.segments, 0).and_then(|to| tree.files.get(&to)) else {
                continue;
            };
            if from != to {
                edges.entry((from.clone(), to.clone())).or_insert((path.line, path.segments.join("::")));
            }
        }
    }
    edges
}

/// Finds the module that a path leads to.
struct Resolver<'t> {
    tree: &'t Tree,
    scopes: &'t BTreeMap<ModulePath, Vec<WrittenPath>>,
}

impl Resolver<'_> {
    /// Returns the module that `segments` name when written in `module`: the last of them that is a module.
    ///
    /// `None` for other crates.
    fn resolve(&self, module: &ModulePath, segments: &[String], depth: usize) -> Option<ModulePath> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (first, mut rest) = segments.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => parent(module)?,
            _ => self.named(module, first, depth)?,
        };
        while let Some((next, after)) = rest.split_first() {
            if next == "super" {
                at = parent(&at)?;
            } else {
                let child: ModulePath = at.iter().cloned().chain([next.clone()]).collect();
                if !self.tree.files.contains_key(&child) {
                    break;
                }
                at = child;
            }
            rest = after;
        }
        Some(at)
    }

    /// Returns the module that a name leads to: a child, an import, or what an import of everything brings.
    fn named(&self, module: &ModulePath, name: &str, depth: usize) -> Option<ModulePath> {
        let child: ModulePath = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.tree.files.contains_key(&child) {
            return Some(child);
        }
        let paths = self.scopes.get(module).map_or(&[][..], Vec::as_slice);
        let is_import = |path: &&WrittenPath| {
            // `use name;` and `use name::x as name` would lead here again.
            matches!(&path.kind, Kind::Use(brought) if brought == name)
                && path.segments.first().is_none_or(|first| first != name)
        };
        if let Some(import) = paths.iter().find(is_import) {
            return self.resolve(module, &import.segments, depth + 1);
        }
        let globs = paths.iter().filter(|path| path.kind == Kind::Glob);
        globs.filter(|glob| glob.segments.first().is_none_or(|first| first != name)).find_map(|glob| {
            let target = self.resolve(module, &glob.segments, depth + 1)?;
            if target == *module { None } else { self.named(&target, name, depth + 1) }
        })
    }
}

fn parent(module: &ModulePath) -> Option<ModulePath> {
    let (_, parent) = module.split_last()?;
    Some(parent.to_vec())
}

fn violation(rule: &'static str, file: &str, line: usize, message: String) -> Violation {
    Violation { rule, file: file.to_owned(), item: String::new(), size: 1, line, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Sources =
            files.iter().map(|(name, text)| ((*name).to_owned(), syn::parse_file(text).unwrap())).collect();
        cycles(&Tree::read("src/lib.rs", &sources), &sources).into_keys().collect()
    }

    #[test]
    fn imports_in_one_direction_are_no_cycle_and_mod_items_are_no_imports() {
        let files = [("src/lib.rs", "mod a; mod b;"), ("src/a.rs", "use crate::b::B;"), ("src/b.rs", "pub struct B;")];
        assert_eq!(found(&files), Vec::<String>::new());
        let child = [("src/lib.rs", "mod a;"), ("src/a.rs", "mod c; pub struct A;"), ("src/a/c.rs", "use super::A;")];
        assert_eq!(found(&child), Vec::<String>::new());
    }

    #[test]
    fn a_cycle_is_found_however_its_paths_are_written() {
        for back in [
            "use crate::a::A;",
            "use super::a::A;",
            "use super::*; fn f() { a::f() }",
            "fn f() { crate::a::f() }",
            "fn f() { assert!(crate::a::f()) }",
            "type T = Vec<super::a::A>;",
            "use crate::a as other; fn f() { other::f() }",
            "mod inner { use super::super::a::A; }",
            "pub use crate::a::A;",
        ] {
            let files = [("src/lib.rs", "mod a; mod b;"), ("src/a.rs", "use crate::b::B;"), ("src/b.rs", back)];
            assert_eq!(found(&files), ["src/a.rs", "src/b.rs"], "{back}");
        }
    }

    #[test]
    fn re_exports_count_as_imports() {
        let files = [("src/lib.rs", "mod a; pub use a::A;"), ("src/a.rs", "use crate::Error;")];
        assert_eq!(found(&files), ["src/a.rs", "src/lib.rs"]);
        let child =
            [("src/lib.rs", "mod a;"), ("src/a/mod.rs", "mod c; pub use c::C;"), ("src/a/c.rs", "use super::*;")];
        assert_eq!(found(&child), ["src/a/c.rs", "src/a/mod.rs"]);
    }

    #[test]
    fn visibilities_are_no_imports() {
        let files = [
            ("src/lib.rs", "mod a;"),
            ("src/a.rs", "mod c; fn f() { c::g() }"),
            ("src/a/c.rs", "pub(super) fn g() {}"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }
}
