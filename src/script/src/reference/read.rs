//! Reads the items of the script API from type definitions.

use std::collections::BTreeMap;

use super::item::{ApiItem, ApiKind};
use super::statements::{Declaration, statements};
use super::types::{Field, Shape, Signature, Type};

/// The type whose fields are the hooks.
const HOOKS: &str = "Hooks";
/// The maximum depth to which type aliases are followed.
const ALIAS_DEPTH_MAX: usize = 4;

/// Type definitions for editors, which `palabre new` writes.
pub const EDITOR_TYPES: &str = include_str!("../../palabre.d.luau");

/// The result of [`read_types`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The declared items, in the order of the file.
    pub items: Vec<ApiItem>,
    /// The parts of the file that could not be parsed.
    pub unread: Vec<String>,
}

type Aliases<'a> = BTreeMap<&'a str, &'a Type>;

/// Returns the script API, in the order of the type definitions.
#[must_use]
pub fn api() -> Vec<ApiItem> {
    read_types(EDITOR_TYPES).items
}

/// Parses a file of type definitions, such as [`EDITOR_TYPES`].
#[must_use]
pub fn read_types(source: &str) -> Reading {
    let (statements, unread) = statements(source);
    let aliases: Aliases<'_> = statements
        .iter()
        .filter_map(|statement| match &statement.declaration {
            Declaration::Alias { of, .. } => Some((statement.name.as_str(), of)),
            Declaration::Function(_) | Declaration::Global(_) | Declaration::Class { .. } => None,
        })
        .collect();
    let mut items = Vec::new();
    for statement in &statements {
        let (name, doc) = (statement.name.as_str(), statement.doc.as_str());
        match &statement.declaration {
            Declaration::Function(signature) => items.push(callable(name, ApiKind::Function, signature, doc)),
            Declaration::Global(of) => add_global(name, doc, of, &aliases, &mut items),
            Declaration::Class { parent, members } => {
                let extends = parent.as_ref().map(|parent| format!("extends {parent}")).unwrap_or_default();
                items.push(value(name, ApiKind::Type, &extends, doc));
                items.extend(members.iter().map(|member| class_member(name, member)));
            }
            Declaration::Alias { of, .. } if name == HOOKS => items.extend(hooks(of)),
            Declaration::Alias { text, .. } => items.push(value(name, ApiKind::Type, text, doc)),
        }
    }
    Reading { items, unread }
}

fn callable(path: &str, kind: ApiKind, signature: &Signature, doc: &str) -> ApiItem {
    let Signature { parameters, returns } = signature.clone();
    ApiItem { path: path.to_owned(), kind, parameters, returns, doc: doc.to_owned() }
}

fn value(path: &str, kind: ApiKind, returns: &str, doc: &str) -> ApiItem {
    ApiItem { path: path.to_owned(), kind, parameters: Vec::new(), returns: returns.to_owned(), doc: doc.to_owned() }
}

/// Adds a global, then its fields: `store`, `store.get`, …
fn add_global<'a>(path: &str, doc: &str, of: &'a Type, aliases: &Aliases<'a>, items: &mut Vec<ApiItem>) {
    let (mut signature, mut fields) = (None, Vec::new());
    resolve(of, aliases, 0, &mut signature, &mut fields);
    items.push(match &signature {
        Some(signature) => callable(path, ApiKind::Function, signature, doc),
        None => value(path, ApiKind::Value, &of.text, doc),
    });
    if path.matches('.').count() < ALIAS_DEPTH_MAX {
        for field in fields {
            add_global(&format!("{path}.{}", field.name), &field.doc, &field.of, aliases, items);
        }
    }
}

/// Finds the signature and the fields of a type, following aliases.
fn resolve<'a>(
    of: &'a Type,
    aliases: &Aliases<'a>,
    depth: usize,
    signature: &mut Option<Signature>,
    fields: &mut Vec<&'a Field>,
) {
    match &of.shape {
        Shape::Function(one) => {
            *signature = Some(match signature.take() {
                Some(another) => another.or(one),
                None => one.clone(),
            });
        }
        Shape::Table(named) => fields.extend(named),
        Shape::All(parts) => {
            for part in parts {
                resolve(part, aliases, depth, signature, fields);
            }
        }
        Shape::Name(name) => {
            if let Some(of) = aliases.get(name.as_str()).copied().filter(|_| depth < ALIAS_DEPTH_MAX) {
                resolve(of, aliases, depth + 1, signature, fields);
            }
        }
        Shape::Other => {}
    }
}

fn class_member(class: &str, member: &Field) -> ApiItem {
    match &member.of.shape {
        Shape::Function(signature) if member.method => {
            callable(&format!("{class}:{}", member.name), ApiKind::Method, signature, &member.doc)
        }
        Shape::Function(signature) => {
            callable(&format!("{class}.{}", member.name), ApiKind::Function, signature, &member.doc)
        }
        Shape::Table(_) | Shape::All(_) | Shape::Name(_) | Shape::Other => {
            value(&format!("{class}.{}", member.name), ApiKind::Value, &member.of.text, &member.doc)
        }
    }
}

fn hooks(of: &Type) -> Vec<ApiItem> {
    let Shape::Table(fields) = &of.shape else { return Vec::new() };
    let hooks = fields.iter().filter_map(|field| match &field.of.shape {
        Shape::Function(signature) => Some(callable(&field.name, ApiKind::Hook, signature, &field.doc)),
        Shape::Table(_) | Shape::All(_) | Shape::Name(_) | Shape::Other => None,
    });
    hooks.collect()
}
