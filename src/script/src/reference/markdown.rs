//! The reference chapter of the guide.

use palabre_types::EventName;

use super::item::{ApiItem, ApiKind};
use super::read::api;

const HEAD: &str = "# Reference

Generated from the type definitions for editors (`palabre.d.luau`). Types are written as in Luau: `any?` is optional,
`A | B` is either type, `{ T }` is a list.
";

/// Returns the reference as a chapter of the guide (mdBook).
///
/// It has the hooks as a table, the functions, then the members of each table and type.
#[must_use]
pub fn reference_markdown() -> String {
    let items = api();
    let mut page = HEAD.to_owned();
    hooks(&items, &mut page);

    let is_type = |name: &str| items.iter().any(|item| item.kind == ApiKind::Type && item.path == name);
    let globals: Vec<&ApiItem> = items
        .iter()
        .filter(|item| item.path == item.root() && !matches!(item.kind, ApiKind::Hook | ApiKind::Type))
        .collect();
    let (tables, alone): (Vec<&ApiItem>, Vec<&ApiItem>) =
        globals.into_iter().partition(|item| !is_type(&item.path) && parts(&items, &item.path).next().is_some());

    section(&mut page, 2, "Functions and values", "");
    for item in alone {
        entry(&mut page, 3, item);
    }
    for table in tables {
        section(&mut page, 2, &format!("`{}`", table.path), &table.doc);
        if table.kind == ApiKind::Function {
            code(&mut page, &table.signature());
        }
        for part in parts(&items, &table.path) {
            entry(&mut page, 3, part);
        }
    }
    section(&mut page, 2, "Types", "");
    for named in items.iter().filter(|item| item.kind == ApiKind::Type) {
        describe_type(&mut page, &items, named);
    }
    page
}

/// Returns the members of the table or type `root`, in order.
fn parts<'a>(items: &'a [ApiItem], root: &'a str) -> impl Iterator<Item = &'a ApiItem> {
    items.iter().filter(move |item| item.path != root && item.root() == root)
}

fn hooks(items: &[ApiItem], page: &mut String) {
    let doc = "A script defines a global function with the hook's name, which receives the event.";
    section(page, 2, "Hooks", doc);
    page.push_str("\n| hook | argument | when |\n|---|---|---|\n");
    for hook in items.iter().filter(|item| item.kind == ApiKind::Hook) {
        let gets: Vec<String> = hook.parameters.iter().map(|one| cell_code(&one.type_text)).collect();
        let said = EventName::from_hook(&hook.path).map(EventName::doc).unwrap_or_default();
        let when: &str = if hook.doc.is_empty() { said } else { &hook.doc };
        let returns = match hook.returns.as_str() {
            "()" => String::new(),
            returns => format!(" Returns {}.", cell_code(returns)),
        };
        page.push_str(&format!("| `{}` | {} | {}{returns} |\n", hook.path, gets.join(", "), cell(when)));
    }
}

/// Writes a heading and a paragraph.
fn section(page: &mut String, level: usize, title: &str, doc: &str) {
    page.push_str(&format!("\n{} {title}\n", "#".repeat(level)));
    if !doc.is_empty() {
        page.push_str(&format!("\n{doc}\n"));
    }
}

fn code(page: &mut String, text: &str) {
    page.push_str(&format!("\n```luau\n{text}\n```\n"));
}

/// Writes a function with its signature, or a value with its type.
fn entry(page: &mut String, level: usize, item: &ApiItem) {
    section(page, level, &format!("`{}`", item.path), "");
    match item.kind {
        ApiKind::Value => code(page, &format!("{}: {}", item.path, item.returns)),
        ApiKind::Function | ApiKind::Method | ApiKind::Hook | ApiKind::Type => code(page, &item.signature()),
    }
    if !item.doc.is_empty() {
        page.push_str(&format!("\n{}\n", item.doc));
    }
}

fn describe_type(page: &mut String, items: &[ApiItem], named: &ApiItem) {
    section(page, 3, &format!("`{}`", named.path), &named.doc);
    let is_class = named.returns.is_empty() || named.returns.starts_with("extends ");
    if !is_class {
        code(page, &format!("type {} = {}", named.path, named.returns));
        return;
    }
    if let Some(parent) = named.returns.strip_prefix("extends ") {
        page.push_str(&format!("\nHas all members of `{parent}`, and:\n"));
    }
    let mut fields = parts(items, &named.path).filter(|item| item.kind == ApiKind::Value).peekable();
    if fields.peek().is_some() {
        page.push_str("\n| field | type | |\n|---|---|---|\n");
    }
    for field in fields {
        let name = field.path.split_once('.').map_or(field.path.as_str(), |(_, name)| name);
        page.push_str(&format!("| `{name}` | {} | {} |\n", cell_code(&field.returns), cell(&field.doc)));
    }
    for method in parts(items, &named.path).filter(|item| item.kind != ApiKind::Value) {
        entry(page, 4, method);
    }
}

/// Escapes text for a table cell.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// Formats code for a table cell.
fn cell_code(text: &str) -> String {
    format!("`{}`", cell(text))
}
