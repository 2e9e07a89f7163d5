//! A project with the script trivia to install, and runs of `palabre scripts` in it.

use palabre_tests::Project;
use serde_json::Value;

pub(crate) const BOTS: &str = "bots:\n  lobby:\n    platform: rooms\n";
pub(crate) const SCRIPT: &str = "function on_message(event)\n  event:reply(\"which?\")\nend\n";

/// Returns a manifest of trivia.
pub(crate) fn manifest(version: &str, needs: &str) -> String {
    format!("name: trivia\nversion: {version}\nneeds: [{needs}]\n")
}

/// Writes trivia into the project's folder `origin/trivia`.
pub(crate) fn trivia(project: &Project, version: &str, needs: &str) {
    write(project, "origin/trivia/init.luau", SCRIPT);
    write(project, "origin/trivia/script.yaml", &manifest(version, needs));
}

pub(crate) fn write(project: &Project, path: &str, text: &str) {
    let path = project.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub(crate) fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path().join(path)).unwrap()
}

pub(crate) fn lock(project: &Project) -> Value {
    serde_json::from_str(&read(project, "scripts.lock")).unwrap()
}

/// Returns the names in the scripts folder, including those that begin with a dot.
pub(crate) fn in_folder(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.path().join("scripts")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs `palabre scripts`, which must succeed, and returns its output.
pub(crate) fn done(project: &Project, args: &[&str]) -> String {
    let (code, out, err) = project.run(&[&["scripts"][..], args].concat());
    assert_eq!(code, Some(0), "{args:?}\n{out}{err}");
    out
}

/// Runs `palabre scripts`, which must fail, and returns its error output.
pub(crate) fn refused(project: &Project, args: &[&str]) -> String {
    let (code, out, err) = project.run(&[&["scripts"][..], args].concat());
    assert_eq!(code, Some(1), "{args:?}\n{out}{err}");
    err
}

pub(crate) fn checks_out(project: &Project) {
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
}
