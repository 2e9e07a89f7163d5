//! Origins that `install` accepts or refuses.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use palabre_tests::Project;
use serde_json::Value;
use zip::write::SimpleFileOptions;

use crate::fixture::{BOTS, SCRIPT, checks_out, done, in_folder, lock, manifest, read, refused, trivia, write};

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
