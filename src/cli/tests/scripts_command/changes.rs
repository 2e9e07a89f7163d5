//! Changes to installed scripts and bots.yaml: update, enable, disable, remove and reload.

use std::fs::File;

use palabre_tests::Project;

use crate::fixture::{BOTS, SCRIPT, checks_out, done, in_folder, lock, read, refused, trivia, write};

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
fn a_byte_order_mark_in_bots_yaml_is_read_as_if_it_were_not_there() {
    let scripts = format!("\u{FEFF}scripts:\n  fine:\n    enabled: true\n{BOTS}");
    let project = Project::new(&scripts, &[("fine.luau", SCRIPT)]);
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
    done(&project, &["disable", "fine"]);
    assert!(read(&project, "bots.yaml").contains("enabled: false"));
    assert_eq!(Project::new("\u{FEFF}", &[]).run(&["check"]).0, Some(0));
}
