//! Paths in a file of Rust: imports, re-exports, paths in expressions, types and macros.
//!
//! Only `mod` items and visibilities are left out.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A path as written, and the inline module of the file in which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenPath {
    pub(crate) inside: Vec<String>,
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// The use of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `use path` or `use path as name`: the name that it brings into scope.
    Use(String),
    /// `use path::*`.
    Glob,
    /// In an expression, a type, a pattern, an attribute or a macro.
    Mention,
}

/// Returns all paths of a file.
pub(crate) fn collect(file: &syn::File) -> Vec<WrittenPath> {
    let mut collector = Collector::default();
    collector.visit_file(file);
    collector.found
}

#[derive(Default)]
struct Collector {
    inside: Vec<String>,
    found: Vec<WrittenPath>,
}

impl Collector {
    fn add(&mut self, segments: Vec<String>, line: usize, kind: Kind) {
        self.found.push(WrittenPath { inside: self.inside.clone(), segments, line, kind });
    }

    fn add_use(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([plain(name)]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.add_use(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => {
                let line = name.ident.span().start().line;
                let segments = if name.ident == "self" { before.to_vec() } else { with(&name.ident) };
                let last = segments.last().cloned().unwrap_or_default();
                self.add(segments, line, Kind::Use(last));
            }
            syn::UseTree::Rename(rename) => {
                let line = rename.ident.span().start().line;
                let segments = if rename.ident == "self" { before.to_vec() } else { with(&rename.ident) };
                self.add(segments, line, Kind::Use(plain(&rename.rename)));
            }
            syn::UseTree::Glob(glob) => {
                self.add(before.to_vec(), glob.star_token.spans[0].start().line, Kind::Glob);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use(before, tree)),
        }
    }

    /// Looks for paths in the tokens of a macro.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut index = 0;
        while index < tokens.len() {
            match &tokens[index] {
                TokenTree::Ident(first) => {
                    let (mut segments, line) = (vec![plain(first)], first.span().start().line);
                    let is_continued = index > 0 && is_colon(&tokens[index - 1]);
                    while let (Some(one), Some(two), Some(TokenTree::Ident(next))) =
                        (tokens.get(index + 1), tokens.get(index + 2), tokens.get(index + 3))
                        && is_colon(one)
                        && is_colon(two)
                    {
                        segments.push(plain(next));
                        index += 3;
                    }
                    if segments.len() > 1 && !is_continued {
                        self.add(segments, line, Kind::Mention);
                    }
                }
                TokenTree::Group(group) if group.delimiter() != Delimiter::None || !group.stream().is_empty() => {
                    self.add_tokens(group.stream());
                }
                _ => {}
            }
            index += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.inside.push(plain(&item.ident));
            visit::visit_item_mod(self, item);
            self.inside.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.add_use(&[], &item.tree);
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            let line = path.segments[0].ident.span().start().line;
            self.add(segments, line, Kind::Mention);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.add_tokens(item.tokens.clone());
    }
}

fn plain(ident: &syn::Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let found = collect(&syn::parse_file(text).unwrap());
        found.iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn every_kind_of_path_is_found() {
        assert_eq!(paths("use crate::{a::{self, B as C}, d::*};"), ["crate::a", "crate::a::B", "crate::d"]);
        assert_eq!(paths("pub(crate) use super::x::Y;"), ["super::x::Y"]);
        assert_eq!(paths("pub(in crate::a) fn f(x: super::T) -> crate::b::U { crate::c::d() }").len(), 3);
        assert_eq!(paths("fn f() { assert!(crate::a::b(&[super::c::D])) }"), ["crate::a::b", "super::c::D"]);
        assert_eq!(paths("mod a; mod b;"), Vec::<String>::new());
        assert_eq!(paths("fn f() { match x { crate::e::E::V => 1, _ => 2 } }"), ["crate::e::E::V"]);
        assert_eq!(paths("macro_rules! m { () => { $crate::a::f() } }"), ["crate::a::f"]);
    }
}
