//! Finds test files, each with the script that it tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use palabre_script::read_file;
use palabre_types::ScriptName;

use crate::config::Config;
use crate::problem::Problem;

/// A test file and its script.
pub(super) struct Suite {
    /// The displayed name: `dice.test.luau`, `trivia/rounds.test.luau`.
    pub(super) name: String,
    pub(super) text: String,
    /// The folder of the scripts.
    pub(super) folder: PathBuf,
    pub(super) script: ScriptName,
}

/// Finds the test files below `paths`, sorted.
pub(super) fn find(config: Option<&Config>, paths: &[PathBuf]) -> Result<Vec<Suite>, Problem> {
    let own = config.map(Config::scripts_folder);
    let paths: Vec<PathBuf> = match (paths, own) {
        ([], Some(folder)) => vec![folder],
        ([], None) => vec![PathBuf::from("scripts")],
        (paths, _) => paths.to_vec(),
    };
    let mut files = BTreeSet::new();
    for path in &paths {
        let failed = |cause| Problem::File { doing: "read the tests in", path: path.clone(), cause };
        if path.join("init.luau").is_file() {
            let parent = path.parent().unwrap_or(Path::new("")).to_owned();
            for entry in std::fs::read_dir(path).map_err(failed)? {
                let entry = entry.map_err(failed)?.path();
                if is_test(&entry) {
                    files.insert((parent.clone(), entry));
                }
            }
        } else if path.is_dir() {
            for entry in std::fs::read_dir(path).map_err(failed)? {
                let entry = entry.map_err(failed)?.path();
                if is_test(&entry) {
                    files.insert((path.clone(), entry));
                } else if entry.join("init.luau").is_file() {
                    for inner in std::fs::read_dir(&entry).map_err(failed)? {
                        let inner = inner.map_err(failed)?.path();
                        if is_test(&inner) {
                            files.insert((path.clone(), inner));
                        }
                    }
                }
            }
        } else if is_test(path) {
            let parent = path.parent().unwrap_or(Path::new("")).to_owned();
            let folder = if parent.join("init.luau").is_file() {
                parent.parent().unwrap_or(Path::new("")).to_owned()
            } else {
                parent
            };
            files.insert((folder, path.clone()));
        } else {
            let what = "it is neither a folder of scripts nor a *.test.luau file";
            return Err(Problem::Other(format!("{}: {what}", path.display())));
        }
    }
    files.into_iter().map(|(folder, file)| suite(folder, &file)).collect()
}

fn is_test(path: &Path) -> bool {
    path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".test.luau"))
}

fn suite(folder: PathBuf, file: &Path) -> Result<Suite, Problem> {
    let text = read_file(file)?;
    let inside = file.strip_prefix(&folder).unwrap_or(file);
    let name = inside.to_string_lossy().replace('\\', "/");
    let script = match name.split_once('/') {
        Some((script, _)) => script,
        None => name.trim_end_matches(".test.luau"),
    };
    Ok(Suite { script: script.into(), text, folder, name })
}
