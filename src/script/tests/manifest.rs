//! script.yaml: parsing, errors with positions, and validation of the values in bots.yaml.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_script::{ConfigFault, ConfigKind, Manifest};
use serde_json::{Map, Value, json};

const WHOLE: &str = r#"name: trivia
version: 1.2.0
author: Ada
description: Questions and answers
license: MIT
palabre: ">=0.1"
needs: [moderation, "http:opentdb.com"]
depends: { economy: "^1" }
config:
  rounds: { type: integer, default: 10, min: 1, max: 50, description: "How many questions a game has" }
  topics: { type: list, items: { type: string, min: 2 }, default: [history] }
  mode: { type: choice, choices: [easy, hard], default: easy }
  pause: { type: duration, default: 10s }
  api_token: { type: string, min: 8 }
  host: { type: user, required: true }
  prizes:
    type: map
    fields:
      first: { type: number, default: 2.5 }
      second: { type: boolean }
  labels: { type: map }
"#;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// Returns the faults of `given` under [`WHOLE`], with a host.
fn faults(given: Value) -> Vec<String> {
    let mut given = object(given);
    given.entry("host").or_insert_with(|| json!("lobby/ada"));
    let manifest = Manifest::parse("script.yaml", WHOLE).unwrap();
    let faults = manifest.configure(&given).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

/// Returns the error of an invalid manifest.
fn refused(text: &str) -> String {
    Manifest::parse("trivia/script.yaml", text).unwrap_err().to_string()
}

#[test]
fn all_that_can_stand_in_it_is_read() {
    let manifest = Manifest::parse("script.yaml", WHOLE).unwrap();
    assert_eq!(manifest.name, "trivia");
    assert_eq!(manifest.version.unwrap().to_string(), "1.2.0");
    assert_eq!(manifest.author.as_deref(), Some("Ada"));
    assert_eq!(manifest.needs, ["moderation", "http:opentdb.com"]);
    assert_eq!(manifest.depends["economy"].to_string(), "^1");
    let config = manifest.config.unwrap();
    assert_eq!(config["rounds"].kind, ConfigKind::Integer);
    assert_eq!(config["rounds"].default, Some(json!(10)));
    assert_eq!(config["rounds"].max, Some(50.0));
    assert!(config["host"].required);
}

#[test]
fn a_name_is_enough_and_then_any_config_passes() {
    let manifest = Manifest::parse("script.yaml", "name: trivia\n").unwrap();
    assert_eq!(manifest.version, None);
    assert!(manifest.needs.is_empty() && manifest.config.is_none());
    let given = json!({ "anything": [1, 2] });
    assert_eq!(manifest.configure(&object(given.clone())).unwrap(), given);
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest() {
    let error = Manifest::parse("trivia/script.yaml", "name: trivia\nversoin: 1.0.0\n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 1));
    assert!(error.message.contains("did you mean version?"), "{error}");
    let shown = error.to_string();
    assert!(shown.starts_with("trivia/script.yaml:2:1: "), "{shown}");
    assert!(shown.contains("\n>    2 | versoin: 1.0.0\n       | ^"), "{shown}");
    let text = "name: trivia\nconfig:\n  rounds: { type: integr }\n";
    assert!(refused(text).contains("did you mean integer?"), "{}", refused(text));
    let text = "name: trivia\nconfig:\n  rounds: { type: integer, defualt: 3 }\n";
    assert!(refused(text).contains("did you mean default?"), "{}", refused(text));
}

#[test]
fn an_invalid_manifest_is_refused_with_its_position() {
    let config = |field: &str| format!("name: trivia\nconfig:\n  rounds: {field}\n");
    for (text, words) in [
        ("version: 1.0.0\n".to_owned(), "missing field `name`"),
        ("name: ../trivia\n".to_owned(), "is not a valid name for a script"),
        ("name: trivia\nversion: 1.2\n".to_owned(), "\"1.2\" is not a version"),
        ("name: trivia\npalabre: \">=9\"\n".to_owned(), "the script requires Palabre >=9, but this is"),
        ("name: trivia\nneeds: [moderate]\n".to_owned(), "did you mean moderation?"),
        ("name: trivia\nneeds: [\"http:https://a.example\"]\n".to_owned(), "is more than a host"),
        ("name: trivia\nneeds: [files, files]\n".to_owned(), "files is listed twice"),
        ("name: trivia\ndepends: { economy: soon }\n".to_owned(), "is not a version requirement"),
        (config("{ type: integer, default: many }"), "the default does not fit the type: a whole number is expected"),
        (config("{ type: integer, default: 60, max: 50 }"), "at most 50 is expected, and this is 60"),
        (config("{ type: integer, min: 5, max: 1 }"), "min, 5, is greater than max, 1"),
        (config("{ type: boolean, min: 5 }"), "min and max belong to"),
        (config("{ type: string, min: -1 }"), "a length is a whole number"),
        (config("{ type: choice }"), "the type choice needs choices"),
        (config("{ type: choice, choices: [] }"), "the list of choices is empty"),
        (config("{ type: choice, choices: [on, off] }"), "into quotes"),
        (config("{ type: choice, choices: [easy], default: hard }"), "one of easy is expected"),
        (config("{ type: string, choices: [easy] }"), "choices belong to the type choice"),
        (config("{ type: string, items: { type: string } }"), "items belong to the type list"),
        (config("{ type: string, fields: {} }"), "fields belong to the type map"),
        (config("{ type: string, required: true, default: a }"), "a required key cannot have a default"),
        (config("{ type: list, items: { type: integer }, default: [1, two] }"), "rounds.2: the default does not fit"),
        (config("{ type: duration, default: soon }"), "a duration such as"),
    ] {
        let said = refused(&text);
        assert!(said.contains(words), "{text}{said}");
        assert!(said.starts_with("trivia/script.yaml:"), "{said}");
    }
}

#[test]
fn defaults_are_filled_in_also_within_maps() {
    let manifest = Manifest::parse("script.yaml", WHOLE).unwrap();
    let config = manifest.configure(&object(json!({ "host": "lobby/ada", "rounds": 20, "mode": null }))).unwrap();
    assert_eq!(
        config,
        json!({
            "host": "lobby/ada",
            "rounds": 20,
            "topics": ["history"],
            "mode": "easy",
            "pause": "10s",
            "prizes": { "first": 2.5 },
        })
    );
    let config =
        manifest.configure(&object(json!({ "host": "a/b", "prizes": { "second": true }, "pause": 5 }))).unwrap();
    assert_eq!(config["prizes"], json!({ "first": 2.5, "second": true }));
    assert_eq!(config["pause"], json!(5));
}

#[test]
fn a_wrong_value_is_reported_with_the_expected_type() {
    for (given, said) in [
        (json!({ "rounds": "ten" }), "rounds: a whole number is expected, and this is a text"),
        (json!({ "rounds": 1.5 }), "rounds: a whole number is expected, and this is the number 1.5"),
        (json!({ "rounds": 0 }), "rounds: at least 1 is expected, and this is 0"),
        (json!({ "rounds": 51 }), "rounds: at most 50 is expected, and this is 51"),
        (json!({ "topics": "art" }), "topics: a list is expected, and this is a text"),
        (json!({ "topics": ["art", 3] }), "topics.2: a text is expected, and this is the number 3"),
        (json!({ "topics": ["a"] }), "topics.1: at least 2 characters are expected, and this has 1"),
        (json!({ "mode": "hrad" }), "mode: one of easy, hard is expected, and this is \"hrad\"; did you mean hard?"),
        (json!({ "pause": "soon" }), "pause: a duration such as 90s, 10m or 2h30m is expected, and this is \"soon\""),
        (json!({ "prizes": { "second": "yes" } }), "prizes.second: true or false is expected, and this is a text"),
        (
            json!({ "prizes": { "thrid": 1 } }),
            "prizes.thrid: the script has no setting of this name; it has first, second",
        ),
        (json!({ "labels": [1] }), "labels: a map of keys and values is expected, and this is a list"),
        (json!({ "host": true }), "host: the id of a person (a text) is expected, and this is true"),
        (json!({ "runds": 3 }), "runds: the script has no setting of this name; did you mean rounds?"),
        (json!({ "api_token": 12345678 }), "api_token: a text is expected, and this is a number"),
    ] {
        assert_eq!(faults(given), [said]);
    }
}

#[test]
fn all_faults_are_reported_at_once_including_missing_keys() {
    let manifest = Manifest::parse("script.yaml", WHOLE).unwrap();
    let faults = manifest.configure(&object(json!({ "rounds": "x", "mode": 3 }))).unwrap_err();
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["host", "mode", "rounds"]);
    let expected = ConfigFault {
        key: "host".to_owned(),
        message: "this is required: the id of a person (a text) is expected, but nothing is set".to_owned(),
    };
    assert_eq!(faults[0], expected);
}

#[test]
fn names_and_secrets_are_recognised() {
    for name in ["trivia", "word_filter", "a-2", "été"] {
        assert!(Manifest::is_name(name), "{name}");
    }
    for name in ["", ".hidden", "a.b", "../up", "-x", "_x", "a b", "a".repeat(65).as_str()] {
        assert!(!Manifest::is_name(name), "{name}");
    }
    assert!(Manifest::is_secret("API_Token") && Manifest::is_secret("keys.2.name"));
    assert!(!Manifest::is_secret("rounds"));
}
