//! Scripts that fail to load, with file and reason, and scripts that load.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_script::*;
use palabre_types::Limits;
use support::*;

const SAYS: &str = "function on_message(event) event:reply(t('x', { v = event.text })) end";

fn with_texts(ftl: &str) -> Source {
    let mut source = Source::from_text("test", SAYS);
    source.locales.insert("en".to_owned(), ftl.to_owned());
    source
}

fn refusal(source: &Source) -> String {
    match Bench::try_new(source, &limits()) {
        Err(failure) => failure.to_string(),
        Ok(_) => panic!("it loads"),
    }
}

#[test]
fn twelve_thousand_braces_in_a_file_of_texts_do_not_overflow_the_stack() {
    let braces = format!("x = {}\"a\"{}\n", "{".repeat(12_000), "}".repeat(12_000));
    let calls = format!("y = text\nx = {{ {}\"a\"{} }}\n", "A(".repeat(12_000), ")".repeat(12_000));
    let choices = format!("x = {}a\n{}\n", "{ $v ->\n *[b] ".repeat(5_000), " }".repeat(5_000));
    let after_an_error = format!("x = {{ =\ny = \" {}\n", "{".repeat(12_000));
    for (text, line) in [(braces, 1), (calls, 2), (choices, 17), (after_an_error, 2)] {
        let told = refusal(&with_texts(&text));
        assert!(told.contains("locales/en.ftl:"), "{told}");
        assert!(told.contains(&format!("en.ftl:{line}:")), "line {line}: {told}");
    }
}

#[test]
fn a_folder_whose_texts_nest_too_deeply_is_refused_where_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("f");
    std::fs::create_dir_all(script.join("locales")).unwrap();
    std::fs::write(script.join("init.luau"), SAYS).unwrap();
    std::fs::write(script.join("locales/en.ftl"), format!("x = {}", "{".repeat(12_000))).unwrap();
    let told = Source::read(folder.path(), "f").unwrap_err().to_string();
    assert!(told.contains("f/locales/en.ftl:1: more than 16 placeables"), "{told}");
}

#[test]
fn texts_that_would_take_long_to_format_are_refused() {
    let variants: String = (0..101).map(|number| format!("    [a{number}] a\n")).collect();
    let told = refusal(&with_texts(&format!("x = {{ $v ->\n{variants}   *[b] b\n}}\n")));
    assert!(told.contains("the text \"x\" has a choice of more than 100 variants"), "{told}");
    let told = refusal(&with_texts(&format!("x = {{ A({}) }}\n", "$v, ".repeat(17))));
    assert!(told.contains("more than 16 arguments"), "{told}");
    let told = refusal(&with_texts(&format!("x = {{ A({}) }}\n", "$v, ".repeat(1_000))));
    assert!(told.contains("more than 1024 bytes"), "{told}");
    for (text, what) in [
        ("x = { { $v } }\n", "directly in another"),
        ("x = { 1 ->\n   *[a] a\n}\n", "always the same"),
        ("x = { -t(n: 1.0000000000000000) }\n-t = { $n ->\n   *[a] a\n}\n", "more than 15 decimals"),
    ] {
        let told = refusal(&with_texts(text));
        assert!(told.contains(what), "{told}");
    }
}

#[test]
fn more_than_a_hundred_placeables_are_no_panic() {
    let many = "{ $v }".repeat(101);
    for text in [format!("x = a {{ y }}\ny = {many}\n"), format!("x = {{ $v ->\n   *[a] {many}\n}}\n")] {
        let mut bench = Bench::try_new(&with_texts(&text), &limits()).unwrap();
        assert_eq!(bench.replies("b").len(), 1);
    }
}

#[test]
fn texts_that_refer_to_each_other_end() {
    // With the stack size of the daemon's workers.
    let run = || {
        let mut bench = Bench::try_new(&with_texts("x = { -a }\n-a = { -b }\n-b = { -a }\n"), &limits()).unwrap();
        assert_eq!(bench.replies("go").len(), 1);
        let chain: String = (0..120).map(|number| format!("x{number} = {{ x{} }}\n", number + 1)).collect();
        let mut bench =
            Bench::try_new(&with_texts(&format!("x = a {{ x0 }}\n{chain}x120 = end\n")), &limits()).unwrap();
        assert_eq!(bench.replies("go").len(), 1);
    };
    std::thread::Builder::new().stack_size(8 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_text_that_holds_a_value_a_hundred_times_is_bounded() {
    let mut bench = Bench::try_new(&with_texts(&format!("x = {}\n", "{ $v }".repeat(99))), &limits()).unwrap();
    assert_eq!(bench.replies("ab"), ["ab".repeat(99)]);
    let told = bench.failure(&"a".repeat(60_000)).to_string();
    assert!(told.contains("t: the text \"x\" becomes longer than 256 KiB"), "{told}");
    let told = bench.failure(&"a".repeat(70_000)).to_string();
    assert!(told.contains("t: it is larger than 65536 bytes"), "{told}");
}

#[test]
fn a_task_on_the_thirtieth_of_february_is_refused() {
    for never in ["0 9 30 2 *", "0 0 31 4,6,9,11 *", "0 0 9 29 2 * 2027", "0 0 9 1 1 * 1960"] {
        let told = refusal(&Source::from_text("test", &format!("every('{never}', function() end)")));
        assert!(told.contains(never) && told.contains("no such date ever comes"), "{told}");
    }
    for comes in ["0 9 29 2 *", "0 9 31 * *", "0 9 30 2 MON", "10m"] {
        Bench::new(&format!("every('{comes}', function() end)"));
    }
}

#[test]
fn a_byte_order_mark_is_read_as_if_it_were_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("mark");
    std::fs::create_dir_all(script.join("locales")).unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), format!("\u{FEFF}{text}")).unwrap();
    write("mark/init.luau", "local said = require('./said')\nfunction on_message(event) event:reply(said(event)) end");
    write("mark/said.luau", "return function(event) return t('x', { v = event.text }) end");
    write("mark/locales/en.ftl", "x = said { $v }\n");
    write("mark/script.yaml", "name: mark\nversion: 1.2.3\n");
    write("alone.luau", "function on_message(event) event:reply('alone') end");
    let source = Source::read(folder.path(), "mark").unwrap();
    assert_eq!(source.manifest.as_ref().unwrap().version.as_ref().unwrap().to_string(), "1.2.3");
    let mut bench = Bench::try_new(&source, &limits()).unwrap();
    assert_eq!(bench.replies("this"), ["said this"]);
    let mut bench = Bench::try_new(&Source::read(folder.path(), "alone").unwrap(), &limits()).unwrap();
    assert_eq!(bench.replies("x"), ["alone"]);
    // Within a text it is an ordinary character.
    assert_eq!(Bench::new("function on_message(event) event:reply('a\u{FEFF}b') end").replies("x"), ["a\u{FEFF}b"]);
}

#[test]
fn patterns_and_words_have_limits_for_each_script() {
    let patterns = "for i = 1, 40 do hear('[ab]*a[ab]{' .. 300 + i .. '}c[ab]*', function() end) end";
    let source = Source::from_text("test", patterns);
    let limits = || Limits { cpu_ms: 10_000, ..limits() };
    let few = Limits { patterns_kb: 64, ..limits() };
    let Err(failure) = Bench::try_new(&source, &few) else { panic!("it loads") };
    assert!(failure.to_string().contains("limits.patterns_kb"), "{failure}");
    assert_eq!(failure.limit, Some(Limit::Patterns(64)));
    assert!(Bench::try_new(&source, &limits()).is_ok());

    let words = "hear({ words = { ('a'):rep(100), ('b'):rep(100) } }, function() end)";
    let few = Limits { words_kb: 0, ..limits() };
    let Err(failure) = Bench::try_new(&Source::from_text("test", words), &few) else { panic!("it loads") };
    assert_eq!(failure.limit, Some(Limit::Words(0)));
    // The same pattern again does not count twice.
    let repeated = "for i = 1, 400 do hear('[ab]{100}', function() end) end";
    assert!(Bench::try_new(&Source::from_text("test", repeated), &Limits { patterns_kb: 256, ..limits() }).is_ok());
}

#[test]
fn commands_have_limits_of_arguments_and_choices() {
    let refused = |text: &str| refusal(&Source::from_text("test", text));
    let told = refused(
        "local args = {} for i = 1, 101 do args[i] = { name = 'a' .. i, optional = true } end
         command('x', { args = args }, function() end)",
    );
    assert!(told.contains("has 101 arguments"), "{told}");
    let told = refused(
        "local choices = {} for i = 1, 1001 do choices[i] = 'c' .. i end
         command('x', { args = { { name = 'a', type = 'choice', choices = choices } } }, function() end)",
    );
    assert!(told.contains("at most 1000"), "{told}");
}
