//! Runs the tests of the shipped scripts and of every script in the guide.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::path::{Path, PathBuf};
use std::process::Command;

use palabre_tests::{Project, palabre};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the exit code and the output.
fn test(folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(palabre()).arg("test").args(more).arg(folder).current_dir(root()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_tests_of_what_ships_pass_and_the_same_seed_prints_the_same() {
    let scripts = root().join("scripts");
    let (code, first) = test(&scripts, &["--seed", "7", "--coverage"]);
    assert_eq!(code, Some(0), "{first}");
    assert!(first.contains(" passed, 0 failed (seed 7)"), "{first}");
    for _ in 0..2 {
        assert_eq!(test(&scripts, &["--seed", "7", "--coverage"]).1, first);
    }
}

#[test]
fn every_chapter_of_the_guide_has_scripts_whose_tests_pass() {
    let mut chapters = 0;
    for entry in std::fs::read_dir(root().join("docs/examples")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() {
            chapters += 1;
            let (code, printed) = test(&folder, &[]);
            assert_eq!(code, Some(0), "{}: {printed}", folder.display());
            assert!(!printed.starts_with("0 passed") && printed.contains("ok    "), "{}: {printed}", folder.display());
        }
    }
    assert!(chapters >= 12, "{chapters} chapters");
}

#[test]
fn a_test_that_fails_shows_the_chat_and_the_line_and_is_in_the_junit_file() {
    let project = palabre_tests::Project::new("bots: {}", &[]);
    project.write_script(
        "dice.luau",
        r#"function on_message(event)
  if event.text == "boom" then error("a bug") end
  event:reply("six")
end
"#,
    );
    project.write_script(
        "dice.test.luau",
        "test(\"rolls\", function(t)\n  t:equal(t:user(\"alice\"):says(\"roll\"):last(), \"seven\")\nend)\n\
         test(\"booms\", function(t) t:user(\"bob\"):says(\"boom\") end)\n\
         test(\"passes\", function(t) t:expect(t:user(\"carol\"):says(\"hi\"):heard(\"six\")) end)\n",
    );
    let (code, out, _) = project.run(&["test", "--junit", "junit.xml", "--coverage"]);
    assert_eq!(code, Some(1));
    for line in [
        "  FAIL  rolls",
        "        dice.test.luau:2: found \"six\", expected \"seven\"",
        "        | #general alice: roll",
        "        | #general sim: six",
        "        (script error: dice: dice.luau:2: a bug)",
        "  ok    passes",
        "2 passed, 1 failed (seed 1)",
        "  100 %  dice.luau: 3 of 3",
    ] {
        assert!(out.lines().any(|shown| shown == line), "{line}\n{out}");
    }
    let junit = std::fs::read_to_string(project.path().join("junit.xml")).unwrap();
    assert!(
        junit.contains("tests=\"3\"") && junit.contains("failures=\"1\"") && junit.contains("alice: roll"),
        "{junit}"
    );
    let (code, out, _) = project.run(&["test", "--filter", "pass"]);
    assert!(code == Some(0) && out.contains("1 passed, 0 failed"), "{out}");
    let (code, out, _) = project.run(&["test", "--filter", "nothing like it"]);
    assert!(code == Some(1) && out.contains("no test has \"nothing like it\" in its name"), "{out}");
}

#[test]
fn junit_counts_every_test_at_its_root() {
    let project = Project::new("bots: { lobby: { platform: rooms } }", &[("one.luau", "function on_message() end")]);
    let tests = "test('holds', function(t) t:expect(true) end)\ntest('fails', function(t) t:expect(false) end)\n";
    project.write_script("one.test.luau", tests);
    let (code, out, _) = project.run(&["test", "--junit", "results.xml"]);
    assert_eq!(code, Some(1), "{out}");
    let results = std::fs::read_to_string(project.path().join("results.xml")).unwrap();
    let root = results.lines().find(|line| line.contains("<testsuites")).unwrap();
    assert!(root.contains("tests=\"2\"") && root.contains("failures=\"1\""), "{root}");
}

#[test]
fn a_test_fails_when_an_action_is_refused_unless_it_says_so() {
    let project = palabre_tests::Project::new("bots: {}", &[]);
    project.write_script(
        "odd.luau",
        "function on_message(event)\n\
           local gone = event.room:message(\"nowhere\")\n\
           if event.text == \"react\" then gone:react(\"x\")\n\
           elseif event.text == \"ask\" then event:reply(if gone:react(\"x\"):outcome() then \"yes\" else \"no\")\n\
           elseif event.text == \"elsewhere\" then rooms.get(\"other/room\"):send(\"hi\")\n\
           elseif event.text == \"mute\" then event.member:mute(\"1m\") end\n\
         end\n",
    );
    project.write_script(
        "odd.test.luau",
        "local grants = { grants = { \"rooms\", \"moderation\" } }\n\
         test(\"one\", grants, function(t) t:user(\"a\"):says(\"react\") end)\n\
         test(\"two\", grants, function(t) t:equal(t:user(\"a\"):says(\"ask\"):last(), \"no\") end)\n\
         test(\"three\", grants, function(t) t:user(\"a\"):says(\"elsewhere\") end)\n\
         test(\"four\", grants, function(t) t:user(\"a\", { permission = \"moderator\" }):says(\"mute\") end)\n\
         test(\"five\", grants, function(t) t:expect_refused(\"react\") end)\n\
         test(\"six\", grants, function(t)\n\
           t:user(\"a\"):says(\"react\")\n\
           t:expect_refused(\"react\", \"nowhere\")\n\
         end)\n\
         test(\"seven\", grants, function(t)\n\
           t:user(\"a\", { permission = \"moderator\" }):says(\"mute\")\n\
           t:expect_refused(\"mute\")\n\
         end)\n\
         test(\"eight\", grants, function(t)\n\
           local a = t:user(\"a\")\n\
           t:refuse(\"mute\", \"not enough rights\")\n\
           a:says(\"mute\")\n\
           t:expect(not a.muted)\n\
           t:allow(\"mute\")\n\
           a:says(\"mute\")\n\
           t:expect(a.muted)\n\
         end)\n",
    );
    let (code, out, _) = project.run(&["test"]);
    assert_eq!(code, Some(1), "{out}");
    for name in ["one", "two", "three", "four", "five"] {
        assert!(out.contains(&format!("  FAIL  {name}\n")), "{name}\n{out}");
    }
    for name in ["six", "seven", "eight"] {
        assert!(out.contains(&format!("  ok    {name}\n")), "{name}\n{out}");
    }
    let told = "an action of odd was refused: react in sim/general: not found: message nowhere";
    assert!(out.contains(told) && out.contains("no react was refused; nothing was"), "{out}");
}
