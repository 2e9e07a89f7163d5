//! The tree of modules of one crate target: which file each module lies in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::rust::Sources;

/// A module's path within its crate; the root is empty.
pub(crate) type ModulePath = Vec<String>;

/// The modules of one target.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The file of each module. An inline module lies in the file of the one around it.
    pub(crate) files: BTreeMap<ModulePath, String>,
}

impl Tree {
    /// Follows the `mod` items from the file `root`.
    pub(crate) fn read(root: &str, sources: &Sources) -> Self {
        let mut tree = Self::default();
        let folder = Path::new(root).parent().unwrap_or(Path::new("")).to_owned();
        tree.add_file(Vec::new(), root, &folder, sources);
        tree
    }

    /// The files of the tree.
    pub(crate) fn reached(&self) -> BTreeSet<&str> {
        self.files.values().map(String::as_str).collect()
    }

    fn add_file(&mut self, module: ModulePath, file: &str, folder: &Path, sources: &Sources) {
        // A file can be a module of several, which happens with `#[path]`; a circle of them cannot compile.
        let Some(parsed) = sources.get(file) else { return };
        self.files.insert(module.clone(), file.to_owned());
        self.add_items(&module, &parsed.items, file, folder, sources);
    }

    fn add_items(&mut self, module: &ModulePath, items: &[syn::Item], file: &str, folder: &Path, sources: &Sources) {
        for item in items {
            let syn::Item::Mod(item) = item else { continue };
            let name = item.ident.to_string();
            let name = name.trim_start_matches("r#");
            let path: ModulePath = module.iter().cloned().chain([name.to_owned()]).collect();
            if let Some((_, items)) = &item.content {
                self.files.insert(path.clone(), file.to_owned());
                self.add_items(&path, items, file, &folder.join(name), sources);
                continue;
            }
            let named = path_attribute(&item.attrs).map(|named| {
                let beside = Path::new(file).parent().unwrap_or(Path::new(""));
                (normalise(&beside.join(named)), true)
            });
            let candidates = [(folder.join(format!("{name}.rs")), false), (folder.join(name).join("mod.rs"), true)];
            let candidates = named.into_iter().chain(candidates);
            let found =
                candidates.map(|(path, owns)| (slashed(&path), path, owns)).find(|(key, ..)| sources.contains_key(key));
            if let Some((key, found, owns_folder)) = found {
                let parent = found.parent().unwrap_or(Path::new(""));
                let inside = if owns_folder { parent.to_owned() } else { parent.join(name) };
                self.add_file(path, &key, &inside, sources);
            }
        }
    }
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    let syn::Meta::NameValue(value) = &attribute.meta else { return None };
    match &value.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Resolves `..` without asking the file system.
pub(crate) fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
