//! The names that a file defines and reads, and which of them are globals.
//!
//! Selene resolves them. This module adds what selene does not distinguish: where a global is
//! defined, whether it is read before that, and whether a name is a parameter.

use std::collections::{BTreeMap, BTreeSet};

use full_moon::ast::{Assignment, Ast, Block, FunctionBody, FunctionDeclaration, LocalFunction, Parameter, Var};
use full_moon::node::Node;
use full_moon::tokenizer::TokenReference;
use full_moon::visitors::Visitor;
use selene_lib::lints::AstContext;

/// A place that assigns to a name without declaring it: `x = 1`, `function x() end`.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) range: (usize, usize),
    /// Whether it is a function declaration.
    pub(crate) is_function: bool,
    /// Whether it runs when the file is loaded, not inside a function.
    pub(crate) is_loading: bool,
    /// Whether it is a statement at the top level of the file, not inside any block.
    pub(crate) is_outermost: bool,
    pub(crate) is_global: bool,
}

/// The names that a file defines and reads.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// By the byte at which they begin.
    sites: BTreeMap<usize, Site>,
    parameters: BTreeSet<usize>,
    /// Local functions at the top level of the file: name and range.
    pub(crate) local_functions: Vec<(String, (usize, usize))>,
    /// The names of all local variables anywhere in the file.
    pub(crate) locals: BTreeSet<String>,
    read_globals: BTreeSet<String>,
    read: BTreeSet<String>,
    depth: usize,
    functions: usize,
}

impl Names {
    pub(crate) fn of(ast: &Ast, context: &AstContext) -> Self {
        let mut names = Self::default();
        names.visit_ast(ast);
        names.resolve(context);
        names
    }

    /// Returns all definitions of globals, in order.
    pub(crate) fn globals(&self) -> impl Iterator<Item = &Site> {
        self.sites.values().filter(|site| site.is_global)
    }

    /// Returns the definition of a global that begins at this byte.
    pub(crate) fn global_at(&self, start: usize) -> Option<&Site> {
        self.sites.get(&start).filter(|site| site.is_global)
    }

    pub(crate) fn is_parameter(&self, start: usize) -> bool {
        self.parameters.contains(&start)
    }

    /// Whether the file defines a global of this name anywhere.
    pub(crate) fn defines(&self, name: &str) -> bool {
        self.globals().any(|site| site.name == name)
    }

    /// Whether a global of this name has a value once the file is loaded.
    pub(crate) fn defines_loading(&self, name: &str) -> bool {
        self.globals().any(|site| site.is_loading && site.name == name)
    }

    /// Whether the file reads a global of this name.
    pub(crate) fn reads_global(&self, name: &str) -> bool {
        self.read_globals.contains(name)
    }

    /// Whether the file reads any variable of this name.
    pub(crate) fn reads(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    fn resolve(&mut self, context: &AstContext) {
        let manager = &context.scope_manager;
        for (_, variable) in &manager.variables {
            if variable.identifiers.first().is_some_and(|(start, _)| !self.sites.contains_key(start)) {
                self.locals.insert(variable.name.clone());
            }
        }
        for (_, reference) in &manager.references {
            // Selene creates a variable for a global at its first definition in a scope; elsewhere
            // it is unresolved.
            let is_global = reference.resolved.is_none_or(|id| {
                manager.variables[id].identifiers.first().is_some_and(|(start, _)| self.sites.contains_key(start))
            });
            let site = self.sites.get_mut(&reference.identifier.0);
            let is_declaration = site.as_ref().is_some_and(|site| site.is_function);
            if let Some(site) = site {
                site.is_global = is_global;
            }
            // Selene treats the name in a function declaration as read.
            if reference.read && !is_declaration {
                self.read.insert(reference.name.clone());
                if is_global {
                    self.read_globals.insert(reference.name.clone());
                }
            }
        }
    }

    fn add_site(&mut self, token: &TokenReference, is_function: bool) {
        if let Some(range) = range_of(token) {
            let (is_loading, is_outermost) = (self.functions == 0, self.depth <= 1);
            let name = token.token().to_string();
            let site = Site { name, range, is_function, is_loading, is_outermost, is_global: false };
            self.sites.insert(range.0, site);
        }
    }
}

impl Visitor for Names {
    fn visit_block(&mut self, _: &Block) {
        self.depth += 1;
    }

    fn visit_block_end(&mut self, _: &Block) {
        self.depth -= 1;
    }

    fn visit_function_body(&mut self, body: &FunctionBody) {
        self.functions += 1;
        for parameter in body.parameters() {
            if let Parameter::Name(token) = parameter {
                self.parameters.extend(range_of(token).map(|(start, _)| start));
            }
        }
    }

    fn visit_function_body_end(&mut self, _: &FunctionBody) {
        self.functions -= 1;
    }

    fn visit_assignment(&mut self, assignment: &Assignment) {
        for variable in assignment.variables() {
            if let Var::Name(token) = variable {
                self.add_site(token, false);
            }
        }
    }

    fn visit_function_declaration(&mut self, declaration: &FunctionDeclaration) {
        let name = declaration.name();
        if name.names().len() == 1
            && name.method_name().is_none()
            && let Some(token) = name.names().iter().next()
        {
            self.add_site(token, true);
        }
    }

    fn visit_local_function(&mut self, function: &LocalFunction) {
        if self.depth <= 1
            && let Some(range) = range_of(function.name())
        {
            self.local_functions.push((function.name().token().to_string(), range));
        }
    }
}

/// Returns the range of a token in bytes, without surrounding space and comments.
fn range_of(token: &TokenReference) -> Option<(usize, usize)> {
    token.range().map(|(start, end)| (start.bytes(), end.bytes()))
}
