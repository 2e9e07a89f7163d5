//! Fetches repositories with the `git` program, which uses the operator's keys and proxies.

use std::path::Path;
use std::process::{Command, Stdio};

use super::terminal::printable;
use crate::problem::Problem;

/// The number of last lines of git's output that are shown.
const OUTPUT_LINES_MAX: usize = 6;

/// Fetches the newest commit of a branch or tag, by default of the main branch, and returns its id.
///
/// The files go to `into`, which must not exist yet. The history is not kept.
pub(super) fn clone(address: &str, reference: Option<&str>, into: &Path) -> Result<String, Problem> {
    let mut clone = git();
    clone.args(["clone", "--quiet", "--depth", "1", "--template="]);
    if let Some(reference) = reference {
        clone.args(["--branch", reference]);
    }
    // After the two dashes, git takes nothing as an option.
    clone.arg("--").arg(address).arg(into);
    run(&mut clone, &format!("cannot fetch {address}"))?;
    let mut head = git();
    head.arg("-C").arg(into).args(["rev-parse", "HEAD"]);
    let revision = run(&mut head, &format!("cannot find out the commit fetched from {address}"))?;
    let history = into.join(".git");
    std::fs::remove_dir_all(&history).map_err(|cause| Problem::File { doing: "remove", path: history, cause })?;
    Ok(revision.trim().to_owned())
}

/// Prepares git for untrusted repositories: no hooks, no programs in addresses, no prompts.
fn git() -> Command {
    let mut git = Command::new("git");
    git.args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false"]);
    git.env("GIT_TERMINAL_PROMPT", "0");
    if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
        git.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    // These are set when this is run from a hook of another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git.stdin(Stdio::null());
    git
}

/// Runs git and returns its standard output.
fn run(git: &mut Command, failure: &str) -> Result<String, Problem> {
    let output = git.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Problem::Other(format!("{failure}: there is no git program; install git, or use a folder or an archive"))
        }
        _ => Problem::Other(format!("{failure}: cannot run git: {error}")),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = stderr.lines().filter(|line| !line.trim().is_empty()).map(printable).collect();
    let last = lines[lines.len().saturating_sub(OUTPUT_LINES_MAX)..].join("\n  ");
    Err(Problem::Other(format!("{failure}; git says:\n  {last}")))
}
