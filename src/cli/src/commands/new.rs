//! `palabre new`: creates a project that runs without changes.

use std::path::PathBuf;

use super::schema::schema;
use crate::output;
use crate::problem::Problem;

const BOTS: &str = include_str!("../../templates/bots.yaml");
const SCRIPT: &str = include_str!("../../templates/hello.luau");
const LUAURC: &str = include_str!("../../templates/luaurc.json");
const IGNORE: &str = "/data\n";

/// The arguments of `palabre new`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the project, which must be empty or not exist yet.
    dir: PathBuf,
}

pub(crate) fn new(args: &Args) -> Result<(), Problem> {
    let dir = &args.dir;
    let occupied = dir.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if occupied || dir.is_file() {
        let cause = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it is not an empty folder");
        return Err(Problem::File { doing: "create a project in", path: dir.clone(), cause });
    }
    let files = [
        ("bots.yaml", BOTS),
        ("bots.schema.json", &schema()),
        ("scripts/hello.luau", SCRIPT),
        ("scripts/palabre.d.luau", palabre_script::EDITOR_TYPES),
        ("scripts/.luaurc", LUAURC),
        (".gitignore", IGNORE),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        let failed = |doing| {
            let path = path.clone();
            move |cause| Problem::File { doing, path, cause }
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed("create the folder of"))?;
        }
        std::fs::write(&path, text).map_err(failed("write"))?;
    }
    output::line(&format!("Created {}. Next:", dir.display()));
    output::line(&format!("  cd {}", dir.display()));
    output::line("  palabre            # then open http://127.0.0.1:8080 and say !ping");
    output::line("  palabre chat       # or chat with the script in the terminal");
    Ok(())
}
