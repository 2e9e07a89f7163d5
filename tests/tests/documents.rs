//! Files and links named in documents exist.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::path::Path;

use palabre_tests::Project;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the words in single backticks that contain a slash and no space.
fn paths(text: &str) -> Vec<String> {
    let outside_blocks = text.split("```").step_by(2).collect::<String>();
    let quoted = outside_blocks.split('`').skip(1).step_by(2);
    let is_path =
        |word: &&str| word.contains('/') && !word.contains([' ', '<', '{', '*', ':']) && !word.starts_with('/');
    quoted.filter(is_path).map(ToOwned::to_owned).collect()
}

#[test]
fn every_path_that_the_architecture_names_exists() {
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/INVARIANTS.md"] {
        let paths = paths(&read(document));
        assert!(document != "ARCHITECTURE.md" || paths.len() > 20, "it names hardly any");
        for path in paths {
            assert!(root().join(&path).exists(), "{document} names {path}, which is not there");
        }
    }
}

#[test]
fn every_invariant_names_a_test_that_is_in_its_file() {
    let document = read("docs/INVARIANTS.md");
    let mut count = 0;
    for invariant in document.split("\n- **").skip(1) {
        let (title, rest) = invariant.split_once("**").unwrap();
        let quoted: Vec<&str> = rest.split_once("Tests:").unwrap().1.split('`').skip(1).step_by(2).collect();
        let (files, names): (Vec<&str>, Vec<&str>) = quoted.into_iter().partition(|word| word.contains('/'));
        assert!(!files.is_empty(), "{title} names no file with a test");
        for name in names {
            let is_there = files.iter().any(|file| read(file).contains(&format!("fn {name}(")));
            assert!(is_there, "{title}: {name} is in none of {files:?}");
            count += 1;
        }
    }
    assert!(count > 20, "only {count} tests are named");
}

#[test]
fn every_promise_names_a_test_that_is_in_its_file_or_says_that_there_is_none() {
    let document = read("docs/promises.md");
    let rows = document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise |"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 3, "{row}");
        // Tests of a file come before its name.
        for part in cells[2].split("; ").filter(|_| cells[2] != "no test") {
            let (names, file) = part.split_once(" in `").unwrap_or_else(|| panic!("{row}"));
            let text = read(file.trim_end_matches('`'));
            for name in names.split('`').skip(1).step_by(2) {
                assert!(text.contains(&format!("fn {name}(")), "{name} is not in {file}");
                count += 1;
            }
        }
    }
    assert!(count > 100, "only {count} tests are named");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for link in read(document).split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let file = link.split('#').next().unwrap();
            assert!(link.starts_with("http") || root().join(file).exists(), "{document} links to {link}");
        }
    }
}

#[test]
fn the_editor_types_are_next_to_the_scripts_too() {
    assert_eq!(read("src/script/palabre.d.luau"), read("scripts/palabre.d.luau"));
}

#[test]
fn every_chapter_of_the_guide_is_in_its_contents_and_every_script_that_it_shows_is_there() {
    let contents = read("docs/guide/SUMMARY.md");
    for entry in std::fs::read_dir(root().join("docs/guide")).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(file == "SUMMARY.md" || contents.contains(&file), "SUMMARY.md does not lead to {file}");
        for shown in read(&format!("docs/guide/{file}")).split("{{#include ").skip(1) {
            let path = shown.split(['}', ':']).next().unwrap().trim();
            assert!(root().join("docs/guide").join(path).exists(), "{file} includes {path}, which is not there");
        }
    }
}

#[test]
fn the_reference_in_the_guide_is_what_the_program_prints() {
    let (code, out, _) = Project::new("bots: {}", &[]).run(&["reference"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        out.trim_end(),
        read("docs/guide/reference.md").trim_end(),
        "palabre reference > docs/guide/reference.md"
    );
}

#[test]
fn the_shipped_configuration_is_what_new_makes_a_project_of() {
    let shipped = read("bots.yaml");
    let made = read("src/cli/templates/bots.yaml");
    for line in ["listen: 127.0.0.1:8080", "    platform: rooms"] {
        assert!(shipped.contains(line) && made.contains(line), "{line}");
    }
}
