//! Stored values, timers and metrics: the effects of a run, and that a recorded run gives the same ones.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_script::*;
use palabre_types::*;
use support::*;

#[test]
fn the_store_is_read_through_the_runs_own_writes_and_forgets_those_of_a_failed_run() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             local word, key = event.text:match("^(%S+) ?(%S*)$")
             if word == "incr" then event:reply(tostring(store.incr(key, 2)) .. "," .. store.incr(key)) end
             if word == "get" then event:reply(tostring(store.get(key, "none"))) end
             if word == "fail" then store.set(key, "lost") event:reply("never") error("no") end
             if word == "table" then
               store.set(key, { list = { 1, 2, { deep = true } }, name = "é" })
               local t = store.get(key)
               event:reply(t.list[2] .. tostring(t.list[3].deep) .. t.name)
             end
             if word == "update" then event:reply(store.update(key, function(old) return (old or "") .. "+" end)) end
             if word == "mine" then
               event:reply(tostring(store.of(event.user).incr("n")) .. tostring(store.get("n")))
             end
             if word == "ttl" then store.set(key, 1, { ttl = "10s" }) end
           end"#,
    );
    assert_eq!(bench.replies("incr a"), ["2,3"]);
    assert_eq!(bench.replies("incr a"), ["5,6"]);
    assert_eq!(bench.replies("get a"), ["6"]);
    assert_eq!(bench.replies("get b"), ["none"]);
    bench.failure("fail a");
    assert_eq!(bench.replies("get a"), ["6"]);
    assert_eq!(bench.replies("table t"), ["2trueé"]);
    assert_eq!(bench.replies("update u"), ["+"]);
    assert_eq!(bench.replies("update u"), ["++"]);
    assert_eq!(bench.replies("mine x"), ["1nil"]);
    done(bench.says("ttl brief"));
    assert_eq!(bench.replies("get brief"), ["1"]);
    bench.now += 10_000;
    assert_eq!(bench.replies("get brief"), ["none"]);
}

#[test]
fn a_scan_sees_stored_rows_and_the_runs_own_in_order_both_ways() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             if event.text == "fill" then
               for n = 1, 250 do store.set(string.format("w:%03d", n), n) end
               store.set("other", 1)
               return
             end
             store.set("w:000", 0) store.delete("w:001") store.set("w:999", 999)
             local count, first, last = 0, nil, nil
             for key, value in store.scan("w:") do count += 1 first = first or key last = key end
             local top = {}
             for key in store.scan("w:", { limit = 3, reverse = true }) do table.insert(top, key) end
             event:reply(`{count} {first} {last} {table.concat(top, ",")}`)
           end"#,
    );
    done(bench.says("fill"));
    assert_eq!(bench.replies("scan"), ["251 w:000 w:999 w:999,w:250,w:249"]);
}

#[test]
fn a_value_that_cannot_be_stored_is_refused_with_the_reason() {
    let mut bench = Bench::new(
        r#"local cases = {
             function() store.set("k", print) end,
             function() local t = {} t.t = t store.set("k", t) end,
             function() store.set("k", 0/0) end,
             function() store.set("k", { 1, 2, x = 3 }) end,
             function() store.set("k", ("x"):rep(300000)) end,
             function() store.set("", 1) end,
             function() store.set(12, 1) end,
             function() store.set("k", "\255") end,
             function() store.set("k", "text") store.incr("k") end,
             function() store.of({}) end,
             function() store.set("k", 1, { ttl = "soon" }) end,
           }
           function on_message(event) cases[tonumber(event.text)]() end"#,
    );
    let needed = [
        "function",
        "contains itself",
        "JSON",
        "neither a list",
        "larger than",
        "1 to 512",
        "tostring",
        "UTF-8",
        "not a number",
        "store.of takes",
        "90s",
    ];
    for (index, word) in needed.iter().enumerate() {
        let failure = bench.failure(&(index + 1).to_string());
        assert!(failure.fault.message.contains(word), "case {}: {failure}", index + 1);
        assert!(failure.limit.is_none() && !failure.is_tainted);
    }
}

#[test]
fn timers_are_effects_with_a_key() {
    let mut bench = Bench::new(
        r#"on_timer("remind", function(payload, event) event.room:send("remember " .. payload.text) end)
           function on_message(event)
             timers.set("remind", { after = "2h", key = "r:" .. event.id }, { text = event.text })
             timers.cancel("old")
             timers.set("remind", "90s")
           end"#,
    );
    let effects = done(bench.says("milk"));
    let [remind, TimerChange::Cancel { key: old }, TimerChange::Set { .. }] = &effects.timers[..] else {
        panic!("{effects:?}")
    };
    let TimerChange::Set { name, key, due, room, payload } = remind else { panic!("{remind:?}") };
    assert_eq!((name.as_str(), key.as_str(), *due), ("remind", "r:1", 1_000_000 + 7_200_000));
    assert_eq!(
        (room.as_ref().unwrap().as_str(), payload["text"].as_str(), old.as_str()),
        ("lobby/general", Some("milk"), "old")
    );
    let timer = |name: &str| EventKind::Timer { timer: name.into(), key: None, payload: payload.clone() };
    assert_eq!(texts(&done(bench.happens(timer("remind")))), ["remember milk"]);
    let Step::Failed(failure) = bench.happens(timer("unknown")) else { panic!() };
    assert!(failure.fault.message.contains("on_timer(\"unknown\""), "{failure}");
}

#[test]
fn an_invalid_metric_is_refused_at_the_scripts_line() {
    for (call, words) in [
        (r#"metrics.observe("h", 1, { le = "5" })"#, "none of le, quantile, script"),
        (r#"metrics.count("x", 1, { script = "other" })"#, "none of le, quantile, script"),
        (r#"metrics.count("x", 1, { ["1a"] = "x" })"#, "begins with a letter"),
        (r#"metrics.count("x", 1, { [""] = "x" })"#, "begins with a letter"),
        (r#"metrics.count("x", 1, { __name__ = "x" })"#, "begins with a letter"),
        (r#"metrics.count("1x")"#, "begins with a letter"),
        (r#"metrics.count("x-y")"#, "lower-case letters"),
        (r#"metrics.count("x_total")"#, "does not end in _total"),
        (r#"metrics.observe("x_bucket", 1)"#, "does not end in _bucket"),
        (r#"metrics.count("x", -5)"#, "from 0 to 9007199254740992"),
        (r#"metrics.count("x", 0 / 0)"#, "from 0 to 9007199254740992"),
        (r#"metrics.observe("x", 1 / 0)"#, "from -9007199254740992"),
        (r#"metrics.count("x", 1, { a = string.rep("x", 129) })"#, "more than 128 bytes"),
        (r#"metrics.count("x", 1, { a = {} })"#, "a text, a number or a boolean"),
        (r#"metrics.count("x", 1, { "a" })"#, "at most 8 names and texts"),
    ] {
        let text = format!(
            "function on_message(event) local _, problem = pcall(function() {call} end) \
             event:reply(tostring(problem)) end"
        );
        let replies = Bench::new(&text).replies("x");
        assert!(replies[0].contains(words) && replies[0].contains("test.luau:1: metrics."), "{call}: {replies:?}");
    }
    let fine = r#"function on_message(event)
        metrics.count("x", 1, { a = "\"\n", b = 5, c = true })
        metrics.observe("y", -5)
      end"#;
    assert_eq!(done(Bench::new(fine).says("x")).metrics.len(), 2);
}

#[test]
fn the_same_seed_and_time_give_the_same_run() {
    let text = r#"function on_message(event)
        local shuffled = random.shuffle({ 1, 2, 3, 4, 5 })
        event:reply(table.concat({ random.integer(1, 1000000), random.number(), random.choice({ "a", "b", "c" }),
          math.random(100), table.concat(shuffled), time.now(), os.time(), time.format(0),
          time.format(3600, "%H:%M", "Europe/Paris"), time.relative(time.now() + 7200),
          time.parse("1970-01-02T00:00:00Z") }, " "))
      end"#;
    let first = Bench::new(text).replies("x");
    assert_eq!(first, Bench::new(text).replies("x"));
    assert!(first[0].ends_with("1000 1000 1970-01-01 00:00:00 02:00 in 2 hours 86400"), "{first:?}");
    let mut bench = Bench::new(text);
    assert_ne!(bench.replies("x"), bench.replies("x"));
}

/// The values that a script had before a step.
struct Before(TestHost);

impl HostRows for Before {
    fn get(&self, key: &[u8], now: Millis) -> Option<Stored> {
        HostApi::get(&self.0, key, now).unwrap()
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        backward: bool,
        limit: usize,
        now: Millis,
    ) -> Vec<(Vec<u8>, Stored)> {
        HostApi::scan(&self.0, prefix, after, backward, limit, now).unwrap()
    }
}

fn host_with_a_value() -> TestHost {
    let host = TestHost::default();
    let stored = Stored { value: encode_value(&5.into()).into(), expires: None };
    host.rows.borrow_mut().insert(b"\0n".to_vec(), stored);
    host
}

#[test]
fn a_run_whose_host_calls_were_recorded_plays_back_the_same() {
    let text = r#"function on_message(event)
        local n = store.get("n", 0)
        if n > 1 then event:reply("enough") end
        store.set("n", n + random.integer(1, 6))
        local edits = if event.bot:can("edit") then "edits" else "edits nothing"
        event:reply(`{n} at {time.now()} with {random.number()}, {store.get("other", "nothing")}, {edits}`)
      end"#;
    let source = Source::from_text("test", text);
    let ticker = Ticker::start().unwrap();
    let config = serde_json::json!({});
    let host = std::rc::Rc::new(host_with_a_value());
    let mut live = Vm::build(&source, &limits(), &config, host, &ticker).unwrap();
    let input = Input { event: said("x").into(), run: RunId::hook(7, 0), now: 123_456, seed: 99 };
    let first = done(live.start(input.clone()));
    assert_eq!(texts(&first).len(), 2);
    let observed = live.take_observations();
    assert_eq!(observed, [Observation::Can("lobby".to_owned(), "edit".to_owned(), true)], "and no own value");

    let replayed = |observed: Vec<Observation>| {
        let replaying = std::rc::Rc::new(Replaying::new(Vec::new(), Vec::new()));
        let mut vm = Vm::build(&source, &limits(), &config, std::rc::Rc::clone(&replaying) as _, &ticker).unwrap();
        replaying.begin(std::rc::Rc::new(Before(host_with_a_value())), observed);
        let effects = done(vm.start(input.clone()));
        replaying.end().map(|()| effects)
    };
    assert_eq!(replayed(observed.clone()).unwrap(), first);
    let missing = replayed(Vec::new()).unwrap_err();
    assert_eq!((missing.expected.as_str(), missing.found.contains("edit")), ("nothing more", true), "{missing}");
    let left_over = replayed([observed.clone(), observed].concat()).unwrap_err();
    assert_eq!((left_over.expected.contains("edit"), left_over.found.as_str()), (true, "nothing more"), "{left_over}");
}

#[test]
fn a_check_that_failed_is_recorded_and_fails_at_the_same_call_when_the_step_is_executed_again() {
    struct Refusing(TestHost, std::cell::Cell<u32>);
    impl HostApi for Refusing {
        fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
            HostApi::get(&self.0, key, now)
        }

        fn scan(
            &self,
            prefix: &[u8],
            after: Option<&[u8]>,
            backward: bool,
            limit: usize,
            now: Millis,
        ) -> Result<Vec<(Vec<u8>, Stored)>, String> {
            HostApi::scan(&self.0, prefix, after, backward, limit, now)
        }

        fn stored_bytes(&self) -> u64 {
            0
        }

        fn waiting_timers(&self) -> usize {
            0
        }

        fn can(&self, _: &str, _: &str) -> bool {
            false
        }

        fn is_granted(&self, _: &str) -> bool {
            false
        }

        fn reserve_metric(&self, _: &MetricChange, _: usize) -> Result<(), String> {
            self.1.set(self.1.get() + 1);
            if self.1.get() == 2 { Err("no room".to_owned()) } else { Ok(()) }
        }

        fn message_id(&self, _: &RoomId, _: &ActionKey) -> Option<MessageId> {
            None
        }
    }
    let text = r#"function on_message(event)
        local done = {}
        for n = 1, 3 do table.insert(done, tostring(pcall(metrics.count, "x", n))) end
        event:reply(table.concat(done, " "))
      end"#;
    let source = Source::from_text("test", text);
    let ticker = Ticker::start().unwrap();
    let config = serde_json::json!({});
    let host = std::rc::Rc::new(Refusing(TestHost::default(), Default::default()));
    let mut live = Vm::build(&source, &limits(), &config, host, &ticker).unwrap();
    let input = Input { event: said("x").into(), run: RunId::hook(7, 0), now: 123_456, seed: 99 };
    let first = done(live.start(input.clone()));
    assert_eq!(texts(&first), ["true false true"]);
    let observed = live.take_observations();
    assert_eq!(observed, [Observation::Failed(1, "no room".to_owned())]);

    let replaying = std::rc::Rc::new(Replaying::new(Vec::new(), Vec::new()));
    let mut vm = Vm::build(&source, &limits(), &config, std::rc::Rc::clone(&replaying) as _, &ticker).unwrap();
    replaying.begin(std::rc::Rc::new(Before(TestHost::default())), observed);
    assert_eq!(done(vm.start(input)), first);
    replaying.end().unwrap();
}
