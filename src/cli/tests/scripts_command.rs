//! `palabre scripts`: accepted and refused origins, and the changes to files and bots.yaml.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use palabre_tests::Project;
use serde_json::Value;
use zip::write::SimpleFileOptions;

const BOTS: &str = "bots:\n  lobby:\n    platform: rooms\n";
const SCRIPT: &str = "function on_message(event)\n  event:reply(\"which?\")\nend\n";

/// Returns a manifest of trivia.
fn manifest(version: &str, needs: &str) -> String {
    format!("name: trivia\nversion: {version}\nneeds: [{needs}]\n")
}

/// Writes trivia into the project's folder `origin/trivia`.
fn trivia(project: &Project, version: &str, needs: &str) {
    write(project, "origin/trivia/init.luau", SCRIPT);
    write(project, "origin/trivia/script.yaml", &manifest(version, needs));
}

fn write(project: &Project, path: &str, text: &str) {
    let path = project.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path().join(path)).unwrap()
}

fn lock(project: &Project) -> Value {
    serde_json::from_str(&read(project, "scripts.lock")).unwrap()
}

/// Returns the names in the scripts folder, including those that begin with a dot.
fn in_folder(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.path().join("scripts")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs `palabre scripts`, which must succeed, and returns its output.
fn done(project: &Project, args: &[&str]) -> String {
    let (code, out, err) = project.run(&[&["scripts"][..], args].concat());
    assert_eq!(code, Some(0), "{args:?}\n{out}{err}");
    out
}

/// Runs `palabre scripts`, which must fail, and returns its error output.
fn refused(project: &Project, args: &[&str]) -> String {
    let (code, out, err) = project.run(&[&["scripts"][..], args].concat());
    assert_eq!(code, Some(1), "{args:?}\n{out}{err}");
    err
}

fn checks_out(project: &Project) {
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
}

/// Writes an archive with the names as they are; the builder would refuse those that lead outside.
fn make_tar_gz(project: &Project, name: &str, files: &[(&str, &str)]) {
    let file = File::create(project.path().join(name)).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (inside, text) in files {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..inside.len()].copy_from_slice(inside.as_bytes());
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

fn make_zip(project: &Project, name: &str, files: &[(&str, &str)]) {
    let mut archive = zip::ZipWriter::new(File::create(project.path().join(name)).unwrap());
    for (inside, text) in files {
        archive.start_file(*inside, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

fn git(folder: &Path, args: &[&str]) -> String {
    let settings = ["user.name=Ada", "user.email=ada@example.com", "commit.gpgsign=false", "init.defaultBranch=main"];
    let settings = settings.iter().flat_map(|setting| ["-c", *setting]);
    let output = Command::new("git").args(settings).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_folder_is_installed_once_and_noted_in_the_lock() {
    let project = Project::new(BOTS, &[]);
    trivia(&project, "1.0.0", "moderation");
    write(&project, "origin/trivia/.git/config", "[core]\n");
    write(&project, "origin/trivia/lib/words.luau", "return {}\n");
    let output = done(&project, &["install", "origin/trivia"]);
    assert!(output.contains("trivia 1.0.0 is installed in scripts/trivia"), "{output}");
    assert!(output.contains("needs moderation  not granted"), "{output}");
    assert!(output.contains("  scripts:\n    trivia:\n      grants: [moderation]\n"), "{output}");
    assert_eq!(in_folder(&project), ["trivia"]);
    assert!(project.path().join("scripts/trivia/lib/words.luau").is_file());
    assert!(!project.path().join("scripts/trivia/.git").exists());
    let lock = lock(&project);
    let noted = &lock["scripts"]["trivia"];
    assert_eq!((&noted["version"], &noted["needs"][0]), (&Value::from("1.0.0"), &Value::from("moderation")));
    assert_eq!(noted["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(read(&project, "bots.yaml"), BOTS);
    assert!(refused(&project, &["install", "origin/trivia"]).contains("there is already a script trivia"));
}

#[test]
fn a_grant_is_written_only_for_what_is_asked_for() {
    let project = Project::new(BOTS, &[]);
    trivia(&project, "1.0.0", "moderation, \"http:opentdb.com\"");
    let output = refused(&project, &["install", "origin/trivia", "--grant", "files"]);
    assert!(output.contains("trivia does not need it; it needs moderation, http:opentdb.com"), "{output}");
    assert!(in_folder(&project).is_empty());
    let output = done(&project, &["install", "origin/trivia", "--grant", "http:opentdb.com"]);
    assert!(output.contains("needs moderation        not granted"), "{output}");
    assert!(output.contains("grants: [\"http:opentdb.com\", moderation]"), "{output}");
    let bots = format!("{BOTS}\nscripts:\n  trivia:\n    grants: [\"http:opentdb.com\"]\n");
    assert_eq!(read(&project, "bots.yaml"), bots);
}

#[test]
fn a_single_file_is_installed_under_its_own_name_or_another() {
    let project = Project::new(BOTS, &[]);
    write(&project, "origin/roll.luau", SCRIPT);
    done(&project, &["install", "origin/roll.luau"]);
    done(&project, &["install", "origin", "--name", "dice"]);
    assert_eq!(in_folder(&project), ["dice.luau", "roll.luau"]);
    checks_out(&project);
}

#[test]
fn archives_are_installed_with_or_without_a_folder_around_it_all() {
    let project = Project::new(BOTS, &[]);
    let text = manifest("2.0.0", "");
    let files = [("trivia-2.0.0/init.luau", SCRIPT), ("trivia-2.0.0/script.yaml", &text)];
    make_tar_gz(&project, "trivia.tar.gz", &files);
    make_zip(&project, "quiz.zip", &[("init.luau", SCRIPT), ("words/all.luau", "return {}")]);
    assert!(done(&project, &["install", "trivia.tar.gz"]).contains("trivia 2.0.0 is installed"));
    assert!(done(&project, &["install", "quiz.zip"]).contains("quiz is installed in scripts/quiz"));
    assert_eq!(in_folder(&project), ["quiz", "trivia"]);
    checks_out(&project);
}

#[test]
fn archives_that_lead_out_of_the_folder_are_refused() {
    let project = Project::new(BOTS, &[]);
    let bad = [("init.luau", SCRIPT), ("../../evil.luau", "x")];
    make_tar_gz(&project, "up.tgz", &bad);
    make_zip(&project, "up.zip", &bad);
    let root = [("init.luau", SCRIPT), ("/tmp/palabre-evil.luau", "x")];
    make_tar_gz(&project, "root.tgz", &root);
    make_zip(&project, "root.zip", &root);
    make_zip(&project, "back.zip", &[("init.luau", SCRIPT), ("..\\evil.luau", "x")]);
    for archive in ["up.tgz", "up.zip", "root.tgz", "root.zip", "back.zip"] {
        let output = refused(&project, &["install", archive]);
        assert!(output.contains("is outside of the folder"), "{archive}: {output}");
    }
    assert!(in_folder(&project).is_empty());
    assert!(!project.path().join("evil.luau").exists() && !Path::new("/tmp/palabre-evil.luau").exists());
}

#[cfg(unix)]
#[test]
fn links_are_refused_wherever_they_are() {
    let project = Project::new(BOTS, &[]);
    trivia(&project, "1.0.0", "");
    std::os::unix::fs::symlink("/etc/hostname", project.path().join("origin/trivia/words.txt")).unwrap();
    let mut archive = zip::ZipWriter::new(File::create(project.path().join("a.zip")).unwrap());
    archive.add_symlink("init.luau", "/etc/hostname", SimpleFileOptions::default()).unwrap();
    archive.finish().unwrap();
    let file = File::create(project.path().join("a.tgz")).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "init.luau", "/etc/hostname").unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    for origin in ["origin/trivia", "a.zip", "a.tgz"] {
        let output = refused(&project, &["install", origin]);
        assert!(output.contains("link"), "{origin}: {output}");
    }
    assert!(in_folder(&project).is_empty());
}

#[test]
fn what_is_too_large_or_no_script_is_refused() {
    let project = Project::new(BOTS, &[]);
    write(&project, "large/init.luau", &"-- so much\n".repeat(30_000));
    write(&project, "many/init.luau", SCRIPT);
    for number in 0..1_000 {
        write(&project, &format!("many/data/{number}.txt"), "x");
    }
    write(&project, "empty/README.md", "nothing");
    write(&project, "wrong/init.luau", SCRIPT);
    write(&project, "wrong/script.yaml", "name: wrong\nneds: [files]\n");
    write(&project, "lib/init.luau", SCRIPT);
    trivia(&project, "1.0.0", "");
    for (args, words) in [
        (vec!["large"], "is larger than 256 KiB"),
        (vec!["many"], "more than 1000 files"),
        (vec!["empty"], "there is no init.luau in it"),
        (vec!["wrong"], "did you mean needs?"),
        (vec!["lib"], "a script cannot be called lib"),
        (vec!["origin/trivia", "--name", "quiz"], "its script.yaml says name: trivia"),
        (vec!["nowhere"], "cannot install from nowhere"),
        (vec!["."], "it contains the scripts folder"),
        (vec!["--", "-oops"], "an origin is"),
        (vec!["http://example.com/trivia"], "use https://"),
        (vec!["ext::sh -c true"], "an origin is"),
        (vec!["https://token@example.com/trivia"], "it contains a password or token"),
        (vec!["file:///nowhere/at/all"], "git says:"),
    ] {
        let output = refused(&project, &[&["install"][..], args.as_slice()].concat());
        assert!(output.contains(words), "{args:?}: {output}");
        assert!(in_folder(&project).is_empty(), "{args:?}");
    }
}

#[test]
fn a_repository_is_installed_at_a_tag_and_followed_on_a_branch() {
    let project = Project::new(BOTS, &[]);
    let repository = project.path().join("repository");
    write(&project, "repository/scripts/trivia/init.luau", SCRIPT);
    write(&project, "repository/scripts/trivia/script.yaml", &manifest("1.0.0", ""));
    git(&repository, &["init", "--quiet"]);
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "--quiet", "--message", "first"]);
    git(&repository, &["tag", "v1"]);
    write(&project, "repository/scripts/trivia/script.yaml", &manifest("1.1.0", ""));
    git(&repository, &["commit", "--quiet", "--all", "--message", "second"]);
    let address = format!("file://{}//scripts/trivia", repository.display());
    let output = done(&project, &["install", &format!("{address}#v1")]);
    assert!(output.contains("trivia 1.0.0 is installed"), "{output}");
    assert!(!project.path().join("scripts/trivia/.git").exists());
    let revision = git(&repository, &["rev-parse", "v1"]);
    assert_eq!(lock(&project)["scripts"]["trivia"]["revision"], Value::from(revision));
    assert!(done(&project, &["update"]).contains("trivia 1.0.0 is up to date"));
    done(&project, &["remove", "trivia", "--yes"]);
    assert!(done(&project, &["install", &address]).contains("trivia 1.1.0 is installed"));
    write(&project, "repository/scripts/trivia/script.yaml", &manifest("1.2.0", ""));
    git(&repository, &["commit", "--quiet", "--all", "--message", "third"]);
    assert!(done(&project, &["update", "trivia"]).contains("trivia 1.1.0 → 1.2.0"));
    assert_eq!(in_folder(&project), ["trivia"]);
}

#[test]
fn an_update_that_needs_more_is_refused_until_that_is_granted() {
    let project = Project::new(BOTS, &[]);
    trivia(&project, "1.0.0", "rooms");
    done(&project, &["install", "origin/trivia", "--grant", "rooms"]);
    let before = (read(&project, "bots.yaml"), lock(&project));
    trivia(&project, "1.1.0", "moderation");
    let output = refused(&project, &["update", "trivia"]);
    assert!(output.contains("palabre scripts update trivia --grant moderation"), "{output}");
    assert_eq!((read(&project, "bots.yaml"), lock(&project)), before);
    assert!(read(&project, "scripts/trivia/script.yaml").contains("1.0.0"));
    assert!(refused(&project, &["update", "trivia", "--grant", "files"]).contains("does not need it"));
    let output = done(&project, &["update", "trivia", "--grant", "moderation"]);
    assert!(output.contains("trivia 1.0.0 → 1.1.0"), "{output}");
    assert!(output.contains("needs moderation, which the old version did not"), "{output}");
    assert!(output.contains("no longer needs rooms"), "{output}");
    assert!(read(&project, "bots.yaml").ends_with("\n    grants: [rooms, moderation]\n"));
    assert!(read(&project, "scripts/trivia/script.yaml").contains("1.1.0"));
    assert_eq!(lock(&project)["scripts"]["trivia"]["needs"], serde_json::json!(["moderation"]));
    checks_out(&project);
}

#[test]
fn what_was_changed_here_is_not_overwritten_unless_forced_and_then_kept() {
    let project = Project::new(BOTS, &[]);
    trivia(&project, "1.0.0", "");
    done(&project, &["install", "origin/trivia"]);
    write(&project, "scripts/trivia/init.luau", "-- mine\n");
    assert!(done(&project, &["list"]).contains("changed since it was installed"));
    trivia(&project, "1.1.0", "");
    assert!(refused(&project, &["update", "trivia"]).contains("pass --force"));
    assert!(done(&project, &["update", "trivia", "--force"]).contains("kept as scripts/.trivia.old-1"));
    assert_eq!(in_folder(&project), [".trivia.old-1", "trivia"]);
    assert_eq!(read(&project, "scripts/.trivia.old-1/init.luau"), "-- mine\n");
    assert!(!done(&project, &["list"]).contains("old-1"));
}

#[test]
fn switching_a_script_keeps_comments_and_order() {
    let before = "# The house.\nbots:\n  lobby:\n    platform: rooms   # the page\n\nscripts:\n  # Says hello.\n  \
                  hello:   # a greeting\n    config:\n      greeting: \"Hi\"  # short\n\n# The end.\n";
    let project = Project::new(before, &[("hello.luau", SCRIPT), ("other.luau", SCRIPT)]);
    done(&project, &["disable", "hello"]);
    let disabled = before.replace("# a greeting\n", "# a greeting\n    enabled: false\n");
    assert_eq!(read(&project, "bots.yaml"), disabled);
    assert!(done(&project, &["disable", "hello"]).contains("already disabled"));
    done(&project, &["enable", "hello"]);
    assert_eq!(read(&project, "bots.yaml"), disabled.replace("enabled: false", "enabled: true"));
    done(&project, &["disable", "other"]);
    let other = "  # short\n  other:\n    enabled: false\n\n# The end.\n";
    assert!(read(&project, "bots.yaml").ends_with(other), "{}", read(&project, "bots.yaml"));
    assert!(refused(&project, &["disable", "helo"]).contains("did you mean hello?"));
}

#[test]
fn a_shape_that_cannot_be_edited_is_left_alone_and_the_lines_are_shown() {
    let bots = format!("{BOTS}scripts: {{ hello: {{ config: {{ a: 1 }} }} }}\n");
    let project = Project::new(&bots, &[("hello.luau", SCRIPT)]);
    let output = refused(&project, &["disable", "hello"]);
    assert!(output.contains("  scripts:\n    hello:\n      enabled: false\n"), "{output}");
    assert_eq!(read(&project, "bots.yaml"), bots);
}

#[test]
fn list_and_info_show_what_there_is_without_secrets() {
    let bots = format!("{BOTS}scripts:\n  mine:\n    enabled: false\n");
    let project = Project::new(&bots, &[("mine.luau", SCRIPT)]);
    trivia(&project, "1.0.0", "moderation");
    let config = "depends: { economy: \"^1\" }\nconfig:\n  rounds: { type: integer, default: 10, min: 1, max: 50 }\n  \
                  api_token: { type: string }\n";
    let text = format!("{}description: Questions\n{config}", manifest("1.0.0", "moderation"));
    write(&project, "origin/trivia/script.yaml", &text);
    write(&project, "origin/trivia/rounds.test.luau", "");
    let output = done(&project, &["install", "origin/trivia"]);
    assert!(output.contains("depends on economy ^1, which is not installed"), "{output}");
    let settings = "  trivia:\n    config:\n      rounds: 7\n      api_token: hush-hush\n";
    write(&project, "bots.yaml", &format!("{bots}{settings}"));
    let list = done(&project, &["list"]);
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines[0], "mine    -      disabled  local");
    assert!(lines[1].starts_with("trivia  1.0.0  enabled   /"), "{list}");
    assert!(lines[1].ends_with("/origin/trivia  not granted: moderation"), "{list}");
    let info = done(&project, &["info", "trivia"]);
    for line in [
        "  about      Questions",
        "  needs moderation  not granted",
        "  rounds = 7 (integer, 1 to 50, in bots.yaml)",
        "  api_token = (not shown) (string, in bots.yaml)",
        "  init.luau (55 bytes)",
        "  rounds.test.luau (0 bytes)",
    ] {
        assert!(info.lines().any(|shown| shown == line), "{line}\n{info}");
    }
    assert!(!info.contains("hush"), "{info}");
}

#[test]
fn removing_leaves_a_configuration_that_works() {
    let project = Project::new(BOTS, &[]);
    trivia(&project, "1.0.0", "moderation");
    done(&project, &["install", "origin/trivia", "--grant", "moderation"]);
    write(&project, "scripts/user/init.luau", SCRIPT);
    write(&project, "scripts/user/script.yaml", "name: user\ndepends: { trivia: \"^1\" }\n");
    assert!(refused(&project, &["remove", "trivia", "--yes"]).contains("it is used by user"));
    done(&project, &["remove", "user", "--yes"]);
    assert!(refused(&project, &["remove", "trivia"]).contains("pass --yes"));
    let output = done(&project, &["remove", "trivia", "--yes"]);
    assert!(output.contains("its stored values are kept"), "{output}");
    assert!(in_folder(&project).is_empty());
    assert_eq!(lock(&project)["scripts"], serde_json::json!({}));
    let bots = format!("{BOTS}\nscripts:\n  # trivia:\n  #   grants: [moderation]\n");
    assert_eq!(read(&project, "bots.yaml"), bots);
    checks_out(&project);
}

#[test]
fn reloading_touches_the_file_that_runs_first() {
    let project = Project::new(BOTS, &[("hello.luau", SCRIPT)]);
    let path = project.path().join("scripts/hello.luau");
    File::options().append(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    assert!(done(&project, &["reload", "hello"]).contains("touched scripts/hello.luau"));
    assert!(std::fs::metadata(&path).unwrap().modified().unwrap() > std::time::UNIX_EPOCH);
    assert_eq!(read(&project, "scripts/hello.luau"), SCRIPT);
}

#[test]
fn a_script_whose_texts_nest_too_deeply_is_refused_by_install_check_and_test() {
    let project = Project::new(BOTS, &[("fine.luau", SCRIPT)]);
    trivia(&project, "1.0.0", "");
    let texts = format!("x = {}\"a\"{}\n", "{".repeat(12_000), "}".repeat(12_000));
    write(&project, "origin/trivia/locales/en.ftl", &texts);
    let error = refused(&project, &["install", "origin/trivia"]);
    assert!(error.contains("locales/en.ftl:1: more than 16 placeables"), "{error}");
    assert!(!project.path().join("scripts/trivia").exists());

    for (path, text) in [("init.luau", SCRIPT), ("locales/en.ftl", &texts)] {
        write(&project, &format!("scripts/trivia/{path}"), text);
    }
    write(&project, "scripts/trivia/trivia.test.luau", "test(\"loads\", function(t) end)\n");
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("locales/en.ftl:1: more than 16 placeables") && out.contains("script fine: ok"), "{out}{err}");
    // The test of it may pass or fail, but the program must end.
    let (code, out, err) = project.run(&["test", "scripts"]);
    assert!(code.is_some(), "{out}{err}");
}

#[test]
fn a_test_file_that_nests_too_deeply_is_reported_and_check_continues() {
    let project = Project::new(BOTS, &[("fine.luau", SCRIPT)]);
    for (file, text) in [
        ("minus.test.luau", format!("local x = {}1\n", "- ".repeat(100_000))),
        ("open.test.luau", format!("local = 1\nlocal x = {}1\n", "not ".repeat(60_000))),
        ("blocks.test.luau", "do ".repeat(80_000)),
    ] {
        write(&project, &format!("scripts/fine/{file}"), &text);
    }
    write(&project, "scripts/fine/init.luau", SCRIPT);
    std::fs::remove_file(project.path().join("scripts/fine.luau")).unwrap();
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(1), "{out}{err}");
    for file in ["minus", "open", "blocks"] {
        assert!(out.contains(&format!("fine/{file}.test.luau:1:")), "{out}{err}");
    }
}

#[test]
fn a_byte_order_mark_in_bots_yaml_is_read_as_if_it_were_not_there() {
    let scripts = format!("\u{FEFF}scripts:\n  fine:\n    enabled: true\n{BOTS}");
    let project = Project::new(&scripts, &[("fine.luau", SCRIPT)]);
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
    done(&project, &["disable", "fine"]);
    assert!(read(&project, "bots.yaml").contains("enabled: false"));
    assert_eq!(Project::new("\u{FEFF}", &[]).run(&["check"]).0, Some(0));
}
