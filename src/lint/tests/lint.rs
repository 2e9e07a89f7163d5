//! Findings of the linter in scripts, and code without findings.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::path::Path;

use palabre_lint::{Finding, Linter, Severity};

fn check(text: &str) -> Vec<Finding> {
    Linter::new().unwrap().check("scripts/x.luau", text, false)
}

/// Returns the findings as `line:column code: message`.
fn lint(text: &str) -> Vec<String> {
    let findings = check(text);
    findings.iter().map(|one| format!("{}:{} {}: {}", one.line, one.column, one.code, one.message)).collect()
}

#[test]
fn an_unknown_global_is_reported_with_the_nearest_one() {
    let findings = check("local n = stroe.get(\"x\")\nlog.info(n)\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        findings[0].to_string(),
        "scripts/x.luau:1:11: error[undefined_variable]: `stroe` is not defined\n    did you mean `store`?"
    );
    let findings = check("do\n\tlocal inner = 1\n\tlog.info(inner)\nend\nlog.info(inner)\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].line, findings[0].code.as_str()), (5, "undefined_variable"));
    assert!(findings[0].help.as_ref().unwrap().contains("elsewhere in this file"), "{findings:?}");
}

#[test]
fn an_unknown_field_is_reported_with_the_nearest_one() {
    let findings = check("store.gett(\"x\")\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].message, "`store` has no `gett`");
    assert_eq!(findings[0].help.as_deref(), Some("did you mean `store.get`?"));
}

#[test]
fn a_hook_that_does_not_exist_is_reported() {
    assert_eq!(
        lint("function on_mesage(event)\n\tevent:reply(\"hi\")\nend\n"),
        ["1:10 unknown_hook: there is no hook on_mesage; did you mean on_message?"]
    );
    assert_eq!(
        lint("function before_mesage()\n\treturn false\nend\n"),
        ["1:10 unknown_hook: there is no hook before_mesage; did you mean before_message?"]
    );
    assert_eq!(
        lint("local function hello(event)\n\tevent:reply(\"hi\")\nend\non_jion = hello\n"),
        ["4:1 unknown_hook: there is no hook on_jion; did you mean on_join?"]
    );
    // A function of the script's own that is called.
    assert_eq!(lint("function before_lunch()\n\treturn 1\nend\nlog.info(before_lunch())\n"), [""; 0]);
}

#[test]
fn hooks_that_are_never_called_are_reported() {
    assert_eq!(
        lint("local function on_message(event)\n\tevent:reply(\"hi\")\nend\n"),
        ["1:16 local_hook: on_message is local, so it is never called"]
    );
    assert_eq!(
        lint("function on_load()\n\tsleep(1)\nend\nfunction on_load()\n\tsleep(2)\nend\n"),
        ["4:10 repeated_hook: on_load is defined a second time"]
    );
    let findings = check("function on_timer(event)\n\tlog.info(event.timer)\nend\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, "hidden_global");
    assert!(findings[0].help.as_ref().unwrap().contains("on_timer(name: string"), "{findings:?}");
}

#[test]
fn wrong_numbers_of_arguments_are_reported() {
    assert_eq!(
        lint("store.get()\nsleep()\nsleep(1, 2)\n"),
        [
            "1:1 incorrect_standard_library_use: `store.get` takes 1 to 2 arguments, and gets 0",
            "2:1 incorrect_standard_library_use: `sleep` takes 1 argument, and gets 0",
            "3:1 incorrect_standard_library_use: `sleep` takes 1 argument, and gets 2",
        ]
    );
    let findings = check("store.get(5)\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].message, "`store.get`: expected `string`, received `number`");
    assert_eq!(findings[0].help.as_deref(), Some("it is `store.get(key: string, default: any?): any`"));
    assert_eq!(findings[0].severity, Severity::Error);
}

#[test]
fn an_unused_variable_is_reported_with_its_position() {
    let findings = check("function on_message(event)\n\tlocal unused = 1\n\tevent:reply(\"hi\")\nend\n");
    assert_eq!(findings.len(), 1, "{findings:?}");
    let Finding { line, column, end_line, end_column, ref code, severity, .. } = findings[0];
    assert_eq!((line, column, end_line, end_column), (2, 8, 2, 14));
    assert_eq!((code.as_str(), severity), ("unused_variable", Severity::Warning));
    // Columns are characters, not bytes.
    assert_eq!(check("print(\"é\") local unused = 1\n")[0].column, 18);
    assert_eq!(
        lint("local _unused = 1\nfunction on_message(_)\n\tfor _ = 1, 3 do\n\t\tsleep(1)\n\tend\nend\n"),
        [""; 0]
    );
    // An unused parameter is not reported.
    assert_eq!(lint("on_timer(\"x\", function(payload, event)\n\tevent.room:send(\"now\")\nend)\n"), [""; 0]);
}

#[test]
fn globals_belong_at_the_top() {
    let text = "count = 0\nfunction on_message()\n\tcount += 1\n\tlast = 5\nend\n";
    assert_eq!(
        lint(text),
        ["4:2 unscoped_variables: `last` becomes a global here, which every function of the script sees"]
    );
    // A function may be used above its definition.
    let text = "function on_message(event)\n\tgreet(event)\nend\nfunction greet(event)\n\tevent:reply(\"hi\")\nend\n";
    assert_eq!(lint(text), [""; 0]);
    let findings = lint("function nobody()\n\tsleep(1)\nend\n");
    assert_eq!(findings, ["1:10 unused_variable: `nobody` is never used"]);
}

#[test]
fn names_that_the_sandbox_removes_are_unknown() {
    for call in [
        "getfenv()",
        "setfenv(1, {})",
        "loadstring(\"\")",
        "newproxy()",
        "collectgarbage(\"count\")",
        "gcinfo()",
        "io.open(\"x\")",
        "package.path",
        "os.date()",
        "os.getenv(\"HOME\")",
        "debug.info(1, \"s\")",
        "math.randomseed(1)",
        "table.maxn({})",
    ] {
        let findings = check(&format!("print({call})\n"));
        assert!(findings.iter().any(|finding| finding.severity == Severity::Error), "{call}: {findings:?}");
    }
    assert_eq!(lint("print(os.time(), os.clock(), debug.traceback(), math.random(6), math.isnan(1))\n"), [""; 0]);
}

#[test]
fn other_mistakes_are_reported() {
    for (code, text) in [
        ("divide_by_zero", "print(1 / 0)\n"),
        ("empty_if", "if config.x then\nend\n"),
        ("almost_swapped", "local a, b = 1, 2\na = b\nb = a\nprint(a, b)\n"),
        ("mixed_table", "print({ 1, 2, x = 3 })\n"),
        ("bad_string_escape", "print(\"\\d\")\n"),
        ("duplicate_keys", "print({ x = 1, x = 2 })\n"),
        ("mismatched_arg_count", "local function f(a)\n\treturn a\nend\nprint((f(1, 2)))\n"),
        ("must_use", "string.lower(\"A\")\n"),
    ] {
        let findings = check(text);
        assert_eq!(findings.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), [code], "{findings:?}");
    }
    assert_eq!(lint("print(\"\\u{1F3B2} \\x41 it\\'s\")\nif config.x then\n\t-- nothing to do\nend\n"), [""; 0]);
}

#[test]
fn comments_silence_lints() {
    assert_eq!(lint("-- selene: allow(unused_variable)\nlocal x = 1\n"), [""; 0]);
    assert_eq!(
        lint("-- selene: allow(unknown_hook)\nfunction on_mesage(event)\n\tevent:reply(\"hi\")\nend\n"),
        [""; 0]
    );
    assert_eq!(check("-- selene: allow(no_such_lint)\nprint(1)\n")[0].code, "invalid_lint_filter");
}

#[test]
fn syntax_errors_are_reported() {
    let findings = check("function on_message(event)\n\tevent:reply(\"hi\"\nend\n");
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|one| one.code == "syntax" && one.severity == Severity::Error), "{findings:?}");
    assert!(findings.iter().any(|one| (2..=3).contains(&one.line)), "{findings:?}");
    assert_eq!(check("local x = \"open\n")[0].code, "syntax");
    let deep = format!("local x = {}1{}\nprint(x)\n", "(".repeat(5000), ")".repeat(5000));
    assert!(check(&deep)[0].message.contains("brackets"));
    let nested = format!("local x = {}1{}\nprint(x)\n", "(".repeat(200), ")".repeat(200));
    assert_eq!(lint(&nested), [""; 0]);
    assert_eq!(lint(""), [""; 0]);
    assert_eq!(lint("-- only a comment\n"), [""; 0]);
}

#[test]
fn tests_have_a_global_of_their_own() {
    let text =
        "test(\"says hi\", function(t)\n\tlocal alice = t:user(\"alice\")\n\tassert(alice:heard(\"hi\"))\nend)\n";
    let findings = Linter::new().unwrap().check("x.test.luau", text, true);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(check(text)[0].code, "undefined_variable");
}

#[test]
fn a_clean_script_gives_nothing() {
    let text = r#"--!strict
type Tally = { count: number, names: { string } }
export type Kind = "low" | "high"

local tally: Tally = { count = 0, names = {} }

local function add<T>(list: { T }, item: T): number
	table.insert(list, item)
	return #list
end

local function kind_of(size: number): Kind
	return if size > 10 then "high" elseif size > 5 then "low" else "low"
end

function on_message(event: MessageEvent)
	if event.text == "" then
		return
	end
	for index, word in event.text:split(" ") do
		if word == "" then
			continue
		end
		tally.count += 1
		local size = add(tally.names, word :: string)
		local label = if size > 1 then "words" else "word"
		event:reply(`{index}: {size} {label} of {tally.count // 1}, {kind_of(size)}`)
	end
	local mine = store.of(event.user)
	mine.set("seen", { at = time.now() }, { ttl = "1d" })
	for key, value in store.scan("warn:", { limit = 5 }) do
		log.info(key, value)
	end
	store.update("n", function(old)
		return (old or 0) + 1
	end)
end
"#;
    assert_eq!(lint(text), [""; 0]);
}

#[test]
fn all_examples_are_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
    let linter = Linter::new().unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".luau") || name.ends_with(".d.luau") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let findings = linter.check(&name, &text, name.ends_with(".test.luau"));
        assert!(findings.is_empty(), "{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        seen += 1;
    }
    assert!(seen > 0);
}
