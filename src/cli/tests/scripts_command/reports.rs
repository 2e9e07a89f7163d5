//! Reports on scripts: list, info and check.

use palabre_tests::Project;

use crate::fixture::{BOTS, SCRIPT, done, manifest, trivia, write};

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
