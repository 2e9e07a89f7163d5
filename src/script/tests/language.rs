//! Luau as scripts see it: the replaced library, `require`, and errors.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_script::*;
use support::*;

#[test]
fn errors_name_file_and_line_in_the_scripts_own_terms() {
    let Err(failure) = Bench::try_new(&Source::from_text("broken", "local x = 1\nif x then\n"), &limits()) else {
        panic!()
    };
    assert!(failure.fault.message.starts_with("broken.luau:3:"), "{failure}");

    let mut bench =
        Bench::new("local function deeper() error('boom') end\n\nfunction on_message(event)\n  deeper()\nend");
    let failure = bench.failure("x");
    assert_eq!(failure.fault.message, "test.luau:1: boom");
    let trace = failure.fault.traceback.unwrap();
    assert!(trace.contains("test.luau:1") && trace.contains("test.luau:4") && !trace.contains("palabre"), "{trace}");

    let bench = Bench::new("function on_mesage(event) end");
    assert_eq!(bench.vm.warnings(), ["there is no hook on_mesage; did you mean on_message?"]);
}

#[test]
fn an_error_of_a_replaced_function_names_the_scripts_own_line() {
    let failure = Bench::new("function on_message(event)\n  table.concat({ {} })\nend").failure("x");
    assert!(failure.fault.message.starts_with("test.luau:2: "), "{failure}");
    let failure = Bench::new("function on_message(event)\n  string.format('%d', 'x')\nend").failure("x");
    assert!(failure.fault.message.starts_with("test.luau:2: "), "{failure}");
}

#[test]
fn an_error_cannot_look_like_a_line_of_the_log() {
    let mut bench = Bench::new(r#"function on_message(event) error("x\n2026-11-25 ERROR store: all is lost") end"#);
    let Step::Failed(failure) = bench.says("go") else { panic!("it fails") };
    assert!(failure.to_string().contains("\n  | 2026-11-25 ERROR"), "{failure}");
}

#[test]
fn no_address_of_memory_reaches_a_script_a_chat_or_an_error() {
    let text = r#"
      local things = { {}, function() end, coroutine.create(function() end), buffer.create(1), print, json.null }
      function exports.fail(n) error(things[n]) end
      function on_message(event)
        if event.text ~= "say" then error(things[tonumber(event.text)]) end
        local lines = {}
        local function note(...) table.insert(lines, tostring((select(-1, ...)))) end
        for _, thing in things do
          note(thing)
          note(`{thing} and {(thing)}`)
          note(string.format("%s %*", thing, thing))
          note(("%s"):format(thing))
          note(pcall(error, thing))
          note(pcall(string.rep, thing))
          note(pcall(function() return thing .. "x" end))
          note(pcall(function() return thing < 1 end))
          note(pcall(string.format, "%p", thing))
          note(pcall(table.concat, { thing }))
          note(pcall(json.encode, thing))
          note(xpcall(error, tostring, thing))
          note(coroutine.resume(coroutine.create(error), thing))
          note(pcall(coroutine.wrap(error), thing))
          note(pcall(store.set, "k", { thing }))
        end
        event:reply(table.concat(lines, "\n"))
      end"#;
    let mut bench = Bench::new(text);
    let said = bench.replies("say").join("\n");
    assert!(!said.contains("0x"), "{said}");
    for n in 1..=6 {
        let failure = bench.failure(&n.to_string());
        assert!(!failure.to_string().contains("0x"), "{failure}");
        assert!(failure.to_string().contains("raised as an error"), "{n}: {failure}");
        let input = bench.input(support::said("x"));
        let problem = bench.vm.call("fail", &serde_json::json!([n]), input).unwrap_err();
        assert!(!problem.contains("0x"), "{problem}");
    }
}

#[test]
fn require_reaches_the_scripts_own_folder_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("game");
    std::fs::create_dir_all(script.join("lib")).unwrap();
    std::fs::write(folder.path().join("secret.luau"), "return 'secret'").unwrap();
    std::fs::write(script.join("lib/words.luau"), "local n = require('../numbers')\nreturn { n = n, name = 'words' }")
        .unwrap();
    std::fs::write(script.join("numbers.luau"), "return 7").unwrap();
    std::fs::write(script.join("round.luau"), "return require('./round')").unwrap();
    std::fs::write(script.join("bad.luau"), "return return").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", script.join("link.luau")).unwrap();
    let main = r#"local words = require("./lib/words")
        function on_message(event)
          if event.text == "words" then
            event:reply(words.name .. words.n .. tostring(words == require("./lib/words")))
            return
          end
          event:reply(tostring(require(event.text)))
        end"#;
    std::fs::write(script.join("init.luau"), main).unwrap();
    assert_eq!(discover(folder.path()).unwrap(), ["game".into(), "secret".into()]);
    let mut bench = Bench::try_new(&Source::read(folder.path(), "game").unwrap(), &limits()).unwrap();
    assert_eq!(bench.replies("words"), ["words7true"]);
    for wanted in [
        "../secret",
        "./../secret",
        "/etc/passwd",
        "secret",
        "@lib/x",
        "./link",
        "./missing",
        "./round",
        "./bad",
        "./lib/../../secret",
        "",
    ] {
        let failure = bench.failure(wanted);
        assert!(
            failure.fault.message.contains("require(") || failure.fault.message.contains("bad.luau:1"),
            "{wanted}: {failure}"
        );
    }
    let single = Source::from_text("alone", "require('./other')");
    let Err(failure) = Bench::try_new(&single, &limits()) else { panic!() };
    assert!(failure.fault.message.contains("folder of its own"), "{failure}");
}

#[test]
fn the_library_that_was_replaced_behaves_as_the_original() {
    let mut bench = Bench::new(
        r##"function on_message(event)
             local long = ("ab"):rep(2000)
             assert(select("#", long:find("zz", 1, true)) == 1 or long:find("zz", 1, true) == nil)
             local a, b = long:find("ba", 3, true) assert(a == 4 and b == 5)
             a, b = long:find("", 10, true) assert(a == 10 and b == 9)
             a = long:find("ab", -2) assert(a == 3999)
             a = long:find("ab", -99999, true) assert(a == 1)
             assert(long:find("ab", 99999, true) == nil)
             a, b = long:find("b+a", 3) assert(a == 4 and b == 5)
             a, b = ("hello"):find("l+") assert(a == 3 and b == 4)
             local parts = ("a,b,,c"):split(",") assert(#parts == 4 and parts[3] == "" and parts[4] == "c")
             assert(#("abc"):split("") == 3 and #(""):split(",") == 1)
             local moved = table.move({ 1, 2, 3 }, 1, 3, 2) assert(moved[4] == 3 and moved[1] == 1)
             assert(table.move({ 5 }, 1, 1, 1, {})[1] == 5)
             local list = {} for n = 1, 60000 do list[n] = (n * 7919) % 60000 end
             table.sort(list) for n = 2, #list do assert(list[n - 1] <= list[n]) end
             local thread = coroutine.create(function(x) return coroutine.yield(x) end)
             local ok, value = coroutine.resume(thread, 4) assert(ok and value == 4)
             local gen = coroutine.wrap(function() for n = 1, 3 do coroutine.yield(n) end end) gen() assert(gen() == 2)
             event:reply("same")
           end"##,
    );
    assert_eq!(bench.replies("x"), ["same"]);
}

#[test]
fn functions_that_work_through_long_lists_in_parts_behave_as_the_original() {
    let mut bench = Bench::new(
        r##"function on_message(event)
             local many = table.create(60000, 1) many[60001] = "x"
             assert(table.find(many, "x") == 60001 and table.find(many, 2) == nil and table.find(many, 1, 5) == 5)
             assert(table.find({ "a", "b" }, "b") == 2 and table.find({ "a" }, "b") == nil)
             local joined = table.concat(many, ",") assert(#joined == 120001 and joined:sub(-4) == ",1,x")
             assert(table.concat({ 1, 2, 3 }, "-", 2) == "2-3")
             assert(table.concat({}, ",") == "" and table.concat({ "a" }) == "a")
             local sum = 0 table.foreachi({ 4, 5 }, function(i, v) sum += i * v end) assert(sum == 14)
             assert(table.foreach({ a = 1 }, function(k, v) return k .. v end) == "a1")
             assert(string.packsize("i4") == 4 and string.unpack("z", "ab\0") == "ab")
             assert(("x"):rep(10000):find(("x"):rep(9000), 1, true) == 1)
             event:reply("same")
           end"##,
    );
    assert_eq!(bench.replies("x"), ["same"]);
}
