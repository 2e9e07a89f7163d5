//! The bot that uses serenity alone, `bench/peers/serenity`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use palabre_tests::discord::StandIn;
use tokio::process::{Child, Command};

/// Builds the bot if needed, and returns its path.
///
/// It is no part of the workspace, for the reason given in its Cargo.toml.
pub(super) fn built() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/serenity/Cargo.toml");
    let ours = std::env::current_exe().expect("a running program has a file");
    let target = ours.parent().and_then(Path::parent).expect("it lies in target/PROFILE").join("peers");
    let mut build = std::process::Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]).arg(manifest);
    build.arg("--target-dir").arg(&target);
    assert!(build.status().expect("cargo is there").success(), "bench/peers/serenity does not build");
    target.join("release/bare-serenity")
}

/// Starts the bot, which ends when it is dropped.
pub(super) fn start(binary: &Path, discord: &StandIn) -> Child {
    let mut command = Command::new(binary);
    command.env("API", discord.api()).env("TOKEN", discord.token()).stdin(Stdio::null()).stdout(Stdio::null());
    command.kill_on_drop(true).spawn().expect("it was built just now")
}
