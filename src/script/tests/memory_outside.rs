//! Memory that the host keeps for scripts outside their VM: each kind has a limit, which errors name.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_script::*;
use palabre_types::Limits;
use support::*;

fn bench(text: &str, limits: Limits) -> Bench {
    Bench::try_new(&Source::from_text("test", text), &limits).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Returns the first failure within a number of messages.
fn fails_within(bench: &mut Bench, messages: usize) -> Option<Failure> {
    (0..messages).find_map(|_| match bench.says("go") {
        Step::Failed(failure) => Some(*failure),
        Step::Done(_) | Step::Waiting(..) => None,
    })
}

#[test]
fn stored_sent_and_set_data_counts_into_the_bytes_of_a_minute() {
    for (what, line) in [
        ("values", r#"store.set("k", string.rep("x", 100000))"#),
        ("messages", r#"event:reply(string.rep("x", 100000))"#),
        ("buttons", r#"event:reply({ text = "x", buttons = { { label = string.rep("x", 100000), action = "a" } } })"#),
        (
            "embeds",
            r#"local fields = { { name = string.rep("x", 100000), value = "v" } }
               event:reply({ embeds = { { title = "t", fields = fields } } })"#,
        ),
        ("timers", r#"for n = 1, 8 do timers.set("t", { after = 1, key = "k" .. n }, string.rep("x", 12000)) end"#),
    ] {
        let text = format!("on_timer('t', function() end) function on_message(event) {line} end");
        let mut bench = bench(&text, Limits { write_mb_per_minute: 1, ..limits() });
        assert!(fails_within(&mut bench, 5).is_none(), "{what}: five of them are less than a MiB");
        let failure = fails_within(&mut bench, 20).unwrap_or_else(|| panic!("{what}: never ended"));
        assert_eq!(failure.limit, Some(Limit::Written(1)), "{what}: {failure}");
        assert!(failure.to_string().contains("limits.write_mb_per_minute"), "{failure}");
        bench.now += 60_000;
        assert!(fails_within(&mut bench, 5).is_none(), "{what}: the next minute begins anew");
    }
}

#[test]
fn a_payload_of_255_kb_is_refused_at_the_script_s_line() {
    let mut bench = bench(
        r#"on_timer("t", function() end)
           function on_message(event)
             local done, problem = pcall(timers.set, "t", "1h", string.rep("x", 255000))
             event:reply(problem)
             timers.set("t", "1h", { text = string.rep("x", 10000) })
           end"#,
        limits(),
    );
    let replies = bench.replies("go");
    assert!(replies[0].contains("a payload has at most 16 KiB"), "{replies:?}");
}

#[test]
fn timers_at_their_limit_can_still_be_cancelled() {
    let text = r#"on_timer("t", function() end)
                  function on_message(event)
                    if event.text == "cancel" then timers.cancel("k") event:reply("cancelled") return end
                    for n = 1, 3 do timers.set("t", { after = "1h", key = "k" .. n }) end
                  end"#;
    let mut bench = bench(text, Limits { timers: 2, ..limits() });
    assert!(bench.failure("go").to_string().contains("limits.timers"));
    assert_eq!(bench.replies("cancel"), ["cancelled"]);
}

#[test]
fn choices_of_waiting_runs_have_a_limit_together() {
    let text = r#"function on_message(event)
                    event.room:choose(event.user, "which?", { string.rep("x", 100000), "b" })
                  end"#;
    let mut bench = bench(text, Limits { waiting_mb: 1, ..limits() });
    let mut waiting = Vec::new();
    let failure = loop {
        match bench.says("go") {
            Step::Waiting(_, _, suspended) => waiting.push(suspended),
            Step::Failed(failure) => break failure,
            Step::Done(_) => panic!("it does not wait"),
        }
        assert!(waiting.len() < 20, "never ended");
    };
    assert_eq!(failure.limit, Some(Limit::WaitingBytes(1)), "{failure}");
    assert!(failure.to_string().contains("limits.waiting_mb"), "{failure}");
    // The memory of a run is released when it ends, however it ends.
    waiting.clear();
    bench.now += 60_000;
    assert!(matches!(bench.says("go"), Step::Waiting(..)));
}

#[test]
fn further_return_values_are_not_copied() {
    let text = r#"function before_message(event)
                    local large = {}
                    for n = 1, 20000 do large[n] = "x" end
                    return table.unpack(table.create(200, large))
                  end"#;
    let source = Source::from_text("test", text);
    let ticker = Ticker::start().unwrap();
    let host = std::rc::Rc::new(EmptyHost(vec!["moderation".to_owned()]));
    let mut vm = Vm::build(&source, &limits(), &serde_json::json!({}), host, &ticker).unwrap();
    let palabre_types::EventKind::Message { message } = said("x").kind else { panic!() };
    let event = palabre_types::Event { kind: palabre_types::EventKind::BeforeMessage { message }, ..said("x") };
    let effects = done(vm.start(Input { event: event.into(), run: palabre_types::RunId::hook(1, 0), now: 1, seed: 1 }));
    assert_eq!(effects.result.unwrap().as_array().map(Vec::len), Some(2));
}

#[test]
fn declarations_have_a_limit_together() {
    for (what, line) in [
        (
            "choices",
            r#"local choices = { string.rep("x", 200000) }
               command("c" .. n, { args = { { name = "a", type = "choice", choices = choices } } }, f)"#,
        ),
        (
            "arguments",
            r#"local args = {}
               for i = 1, 90 do args[i] = { name = string.rep("x", 500) .. i, description = string.rep("y", 190) } end
               command("c" .. n, { args = args }, f)"#,
        ),
        (
            "tasks",
            r#"every("1h", { name = string.rep("x", 500) .. n, after = n > 1 and names or nil }, f)
               if n == 1 then for i = 1, 400 do names[i] = string.rep("x", 500) .. 1 end end"#,
        ),
    ] {
        let text = format!("local f, names = function() end, {{}} for n = 1, 150 do {line} end");
        let Err(failure) =
            Bench::try_new(&Source::from_text("test", &text), &Limits { memory_mb: 64, cpu_ms: 20_000, ..limits() })
        else {
            panic!("{what}: it loads")
        };
        assert!(failure.to_string().contains("declaration limit"), "{what}: {failure}");
    }
}
