//! Error messages for wrong input: one snapshot for each case.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_store::Store;
use palabre_tests::Project;

const BOTS: &str = "bots:\n  lobby:\n    platform: rooms\n";

/// Returns the exit code and both outputs, without what differs from run to run.
fn output(project: &Project, args: &[&str]) -> String {
    let (code, out, err) = project.run(args);
    let text = format!("exit code {}\n{out}{err}", code.map_or("none".to_owned(), |code| code.to_string()));
    let folder = project.path().to_string_lossy().into_owned();
    text.replace(&folder, "DIR")
}

macro_rules! snapshot {
    ($output:expr) => {
        insta::with_settings!({
            filters => vec![(r"process \d+", "process PID"), (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT")]
        }, {
            insta::assert_snapshot!($output);
        });
    };
}

#[test]
fn yaml_that_does_not_parse() {
    snapshot!(output(&Project::new("bots:\n  lobby: {platform: rooms\nlisten: x\n", &[]), &["check"]));
}

#[test]
fn an_unknown_key() {
    snapshot!(output(&Project::new("lissten: 127.0.0.1:80\n", &[]), &["check"]));
}

#[test]
fn an_unknown_key_deep_down() {
    let bots = format!("{BOTS}scripts:\n  hello:\n    limits:\n      memory_mbs: 3\n");
    snapshot!(output(&Project::new(&bots, &[("hello.luau", "")]), &["check"]));
}

#[test]
fn a_key_twice() {
    snapshot!(output(&Project::new("listen: a\nlisten: b\n", &[]), &["check"]));
}

#[test]
fn a_value_of_the_wrong_kind() {
    snapshot!(output(&Project::new(&format!("{BOTS}journal_days: soon\n"), &[]), &["check"]));
}

#[test]
fn an_unknown_platform() {
    snapshot!(output(&Project::new("bots:\n  lobby:\n    platform: romms\n", &[]), &["run"]));
}

#[test]
fn an_unknown_script() {
    let bots = format!("{BOTS}scripts:\n  helo:\n    enabled: false\n");
    snapshot!(output(&Project::new(&bots, &[("hello.luau", "")]), &["run"]));
}

#[test]
fn an_unknown_bot() {
    let bots = format!("{BOTS}scripts:\n  hello:\n    bots: [loby]\n");
    snapshot!(output(&Project::new(&bots, &[("hello.luau", "")]), &["check"]));
}

#[test]
fn an_unknown_grant() {
    let bots = format!("{BOTS}scripts:\n  hello:\n    grants: [moderate]\n");
    snapshot!(output(&Project::new(&bots, &[("hello.luau", "")]), &["check"]));
}

#[test]
fn two_bots_with_one_token() {
    let bot = |platform: &str, token: &str| format!("{{ platform: {platform}, token: \"{token}\" }}");
    let cases = [
        (bot("telegram", "123456789:AAsame"), bot("telegram", "123456789:AAsame"), true),
        (bot("telegram", "123456789:AAold"), bot("telegram", " 123456789:AAnew\\n"), true),
        (bot("discord", "MTIz.x.y"), bot("discord", "MTIz.x.y "), true),
        (bot("telegram", "123456789:AAsame"), bot("telegram", "1234567890:AAsame"), false),
        (bot("telegram", "123456789:AAsame"), bot("discord", "123456789:AAsame"), false),
    ];
    for (one, other, is_refused) in cases {
        let project = Project::new(&format!("bots:\n  one: {one}\n  other: {other}\n"), &[]);
        let output = output(&project, &["check"]);
        let names_both = output.contains("one and other have the token of the same bot");
        assert_eq!(names_both, is_refused, "{one} {other}: {output}");
        assert_eq!(output.starts_with("exit code 0"), !is_refused, "{one} {other}: {output}");
    }
}

#[test]
fn two_room_services() {
    snapshot!(output(&Project::new(&format!("{BOTS}  other:\n    platform: rooms\n"), &[]), &["check"]));
}

#[test]
fn a_name_that_the_environment_does_not_have() {
    let bots = format!("{BOTS}scripts:\n  hello:\n    config:\n      token: ${{NO_SUCH_NAME}}\n");
    snapshot!(output(&Project::new(&bots, &[("hello.luau", "")]), &["check"]));
}

#[test]
fn a_name_that_is_not_closed() {
    snapshot!(output(&Project::new(&format!("{BOTS}data: x/${{NOPE\n"), &[]), &["check"]));
}

#[test]
fn a_second_document() {
    snapshot!(output(&Project::new(&format!("{BOTS}---\nlisten: 127.0.0.1:80\n"), &[]), &["check"]));
}

#[test]
fn a_number_that_is_too_large() {
    let bots = format!("{BOTS}scripts:\n  hello:\n    limits: {{ memory_mb: 99999999999999999999 }}\n");
    snapshot!(output(&Project::new(&bots, &[("hello.luau", "")]), &["check"]));
}

#[test]
fn lines_of_a_hundred_thousand_characters() {
    let far = format!("{BOTS}journal_days: {}x\n", " ".repeat(100_000));
    snapshot!(output(&Project::new(&far, &[]), &["check"]));
    let unknown = format!("{BOTS}{}: 1\n", "x".repeat(1_000));
    snapshot!(output(&Project::new(&unknown, &[]), &["check"]));
}

#[test]
fn pipes_where_files_should_be_are_not_waited_for() {
    let project = Project::new(BOTS, &[("hello.luau", "")]);
    std::fs::create_dir(project.path().join("scripts/folder")).unwrap();
    std::fs::write(project.path().join("scripts/folder/init.luau"), "").unwrap();
    let pipe = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(project.path().join(name)).status().unwrap();
        assert!(made.success());
    };
    for name in ["scripts/piped.luau", "scripts/folder/module.luau", "scripts/hello.test.luau"] {
        pipe(name);
        snapshot!(output(&project, &["check"]));
        std::fs::remove_file(project.path().join(name)).unwrap();
    }
    pipe("other.yaml");
    snapshot!(output(&project, &["--config", "other.yaml", "check"]));
}

#[test]
fn a_file_where_the_data_folder_should_be() {
    let project = Project::new(BOTS, &[]);
    std::fs::write(project.path().join("data"), "").unwrap();
    snapshot!(output(&project, &["run"]));
    snapshot!(output(&project, &["check"]));
}

#[test]
fn no_configuration() {
    snapshot!(output(&Project::new("", &[]), &["--config", "other.yaml"]));
}

#[test]
fn no_folder_for_scripts() {
    snapshot!(output(&Project::new("scripts_folder: elsewhere\n", &[]), &["check"]));
}

#[test]
fn scripts_that_do_not_load() {
    let huge = format!("local t = {{ {} }}", "'x',".repeat(100_000));
    let project = Project::new(
        BOTS,
        &[
            ("a_syntax.luau", "function on_message(event)\n  event:reply(\nend\n"),
            ("b_fails.luau", "local function load()\n  error('no dictionary')\nend\nload()\n"),
            ("c_endless.luau", "while true do end"),
            ("d_hook.luau", "function on_mesage(event) end"),
            ("e_huge.luau", &huge),
            ("f_require.luau", "require('./other')"),
            ("g_fine.luau", "function on_message(event) end"),
        ],
    );
    snapshot!(output(&project, &["check"]));
}

#[test]
fn an_address_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    snapshot!(output(&Project::new(BOTS, &[]), &["run", "--listen", &address]));
}

#[test]
fn a_second_daemon_on_the_same_data() {
    let project = Project::new(BOTS, &[]);
    let _first = Store::open(&project.path().join("data")).unwrap();
    snapshot!(output(&project, &["run", "--listen", "127.0.0.1:0"]));
}

#[test]
fn a_damaged_store() {
    let project = Project::new(BOTS, &[]);
    std::fs::create_dir(project.path().join("data")).unwrap();
    std::fs::write(project.path().join("data/palabre.redb"), "a letter to a friend ".repeat(500)).unwrap();
    snapshot!(output(&project, &["run", "--listen", "127.0.0.1:0"]));
}

#[test]
fn a_project_where_there_is_one() {
    let project = Project::new(BOTS, &[]);
    snapshot!(output(&project, &["new", "."]));
}

#[test]
fn a_command_that_there_is_not() {
    snapshot!(output(&Project::new(BOTS, &[]), &["rnu"]));
}

#[test]
fn what_ships_and_what_new_makes_have_nothing_wrong() {
    let project = Project::shipped();
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, err) = project.run(&["new", "mine"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, err) = project.run(&["--config", "mine/bots.yaml", "check"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("script hello: ok"), "{out}");
}

#[test]
fn a_damaged_store_is_put_right_by_a_backup() {
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    let put = |text: &str| {
        const ROOMS: palabre_store::Table<String, String> =
            palabre_store::Table::new(palabre_types::TableId::ScriptValues);
        let store = Store::open(&data).unwrap();
        let mut batch = palabre_types::Batch::default();
        ROOMS.put(&mut batch, &"key".to_owned(), &text.to_owned());
        store.commit(batch).wait().unwrap();
    };
    put("precious");
    let (code, out, err) = project.run(&["backup", "copy"]);
    assert_eq!(code, Some(0), "{out}{err}");
    std::fs::write(data.join("palabre.redb"), "a letter").unwrap();
    assert_eq!(project.run(&["check"]).0, Some(65));
    assert_eq!(project.run(&["restore", "bots.yaml"]).0, Some(65), "what is no backup is refused");
    let (code, out, err) = project.run(&["restore", "copy"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("ok, 4 rows"), "{out}");
    let _daemon = Store::open(&data).unwrap();
    let (code, _, err) = project.run(&["restore", "copy"]);
    assert!(code == Some(1) && err.contains("is in use by"), "{err}");
}
