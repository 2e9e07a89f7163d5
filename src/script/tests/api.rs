//! The script API, tested with scripts.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_model::*;
use palabre_script::*;
use support::*;

#[test]
fn a_hook_answers() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             if event.text == "!ping" then event:reply("pong to " .. event.user.name) end
           end"#,
    );
    assert_eq!(bench.replies("!ping"), ["pong to alice"]);
    assert_eq!(bench.replies("hello"), [""; 0]);
    let effects = done(bench.says("!ping"));
    let Action::Send { room, reply_to, .. } = &effects.actions[0].1 else { panic!() };
    assert_eq!((room.as_str(), reply_to), ("lobby/general", &Some(MessageRef::Id("m1".into()))));
}

#[test]
fn an_event_has_its_known_fields() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             event:reply(table.concat({ event.kind, event.id, event.time, event.bot.name, event.bot.platform, event.space.name,
               event.room.id, event.room.name, event.room.kind, event.user.id, event.message.id, event.message.text, type(event.id) }, " "))
           end
           function on_join(event) event:reply(event.user.name .. " by " .. event.by.name .. " for " .. event.reason) end
           function on_button(event) event:reply(event.action .. event.message.id) event.message:react("x") end
           function on_native(event) event:reply(event.name .. event.data.deep[2]) end
           function on_message_edit(event) event:reply(event.before.text .. "→" .. event.text) end"#,
    );
    assert_eq!(
        bench.replies("hi"),
        ["message 1 1000 lobby rooms home lobby/general general channel lobby/alice m1 hi string"]
    );
    let by = User { id: "lobby/bob".into(), name: "bob".into(), bot: false, locale: None, picture: None };
    let mut told = |kind| texts(&done(bench.happens(kind)));
    assert_eq!(told(EventKind::Join { by: Some(by), reason: Some("fun".into()) }), ["alice by bob for fun"]);
    assert_eq!(
        told(EventKind::Button { action: "go".into(), message: "m9".into(), values: vec![], interaction: None }),
        ["gom9"]
    );
    assert_eq!(told(EventKind::Native { name: "n".into(), data: serde_json::json!({"deep": [1, "two"]}) }), ["ntwo"]);
    let message =
        |text| Message { id: "m".into(), author: None, time: 0, content: Content::text(text), reply_to: None };
    assert_eq!(told(EventKind::MessageEdit { message: message("b"), before: Some(message("a")), by: None }), ["a→b"]);
}

#[test]
fn personas_and_mentions_need_a_grant() {
    let refused = |what: &str| {
        let mut bench = Bench::new(&format!("function on_message(event) event.room:send({what}) end"));
        match bench.says("go") {
            Step::Failed(failure) => failure.to_string(),
            Step::Done(_) | Step::Waiting(..) => panic!("{what} is not refused"),
        }
    };
    assert!(refused(r#"{ text = "hi", as = { name = "Queen" } }"#).contains("the grant \"personas\""));
    assert!(refused(r#"{ text = "hi", mentions = { "everyone" } }"#).contains("the grant \"mentions\""));
    assert!(refused(r#"{ text = "hi", mentions = { "role:Moderator" } }"#).contains("the grant \"mentions\""));
    assert!(refused(r#"{ text = "hi", mentions = { "bob" } }"#).contains("is not \"everyone\""));
    assert!(
        refused(r#"{ text = "hi", buttons = { { label = "x", url = "javascript:alert(1)" } } }"#)
            .contains("not an address")
    );
    let mut bench =
        Bench::new(r#"function on_message(event) event.room:send{ text = "hi", mentions = { event.user.id } } end"#);
    let effects = done(bench.says("go"));
    let Action::Send { content, .. } = &effects.actions[0].1 else { panic!() };
    assert_eq!(content.mentions, [Mention::User("lobby/alice".into())]);
}

#[test]
fn an_error_cannot_look_like_a_line_of_the_log() {
    let mut bench = Bench::new(r#"function on_message(event) error("x\n2026-11-25 ERROR store: all is lost") end"#);
    let Step::Failed(failure) = bench.says("go") else { panic!("it fails") };
    assert!(failure.to_string().contains("\n  | 2026-11-25 ERROR"), "{failure}");
}

#[test]
fn messages_are_found_by_id_or_key_and_threads_begun_about_them() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             event.room:message("m7"):react("x")
             local m = event.room:send("here")
             event.room:message(m.key):react("y")
             event.message:thread("about it")
             event.room:thread("aside")
           end"#,
    );
    let effects = done(bench.says("go"));
    let actions: Vec<_> = effects.actions.iter().map(|(_, action)| action).collect();
    let Action::React { message: MessageRef::Id(id), .. } = actions[0] else { panic!("{actions:?}") };
    assert_eq!(id.as_str(), "m7");
    let Action::React { message: MessageRef::Sent(key), .. } = actions[2] else { panic!("{actions:?}") };
    assert_eq!(*key, effects.actions[1].0);
    let Action::Thread { message: Some(MessageRef::Id(id)), name, .. } = actions[3] else { panic!("{actions:?}") };
    assert_eq!((id.as_str(), name.as_str()), ("m1", "about it"));
    assert!(matches!(actions[4], Action::Thread { message: None, .. }));
}

#[test]
fn messages_that_were_sent_can_be_changed_and_reacted_to() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             local m = event.room:send{ text = "**hi**", buttons = {{ label = "Join", action = "join", style = "primary" }} }
             m:edit("done"):react("👍")
             m:unreact("👍")
             m:delete("over")
             event.room:typing()
             m:reply("and")
           end"#,
    );
    let effects = done(bench.says("x"));
    let kinds: Vec<_> = effects.actions.iter().map(|(_, action)| action.kind().as_str()).collect();
    assert_eq!(kinds, ["send", "edit", "react", "react", "delete", "typing", "send"]);
    let (key, Action::Send { content, .. }) = &effects.actions[0] else { panic!() };
    assert_eq!(content.buttons[0].style, Some(ButtonStyle::Primary));
    let Action::Edit { message, .. } = &effects.actions[1].1 else { panic!() };
    assert_eq!(message, &MessageRef::Sent(key.clone()));
}

#[test]
fn a_script_needs_a_grant_to_moderate_and_to_speak_elsewhere() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             if event.text == "delete" then event.message:delete("spam") end
             if event.text == "elsewhere" then rooms.get("lobby/other"):send("hi") end
             if event.text == "forged" then
               setmetatable({ room = { id = "lobby/other" }, message = { id = "m" } }, { __index = event }):reply("hi")
             end
           end"#,
    );
    for (what, grant) in [("delete", "moderation"), ("elsewhere", "rooms"), ("forged", "rooms")] {
        let failure = bench.failure(what);
        assert!(failure.fault.message.contains(&format!("grants: [{grant}]")), "{failure}");
        assert!(failure.fault.message.starts_with("test.luau:"), "{failure}");
        bench.host.grants.borrow_mut().push(grant.to_owned());
        assert_eq!(done(bench.says(what)).actions.len(), 1);
        bench.host.grants.borrow_mut().clear();
    }
}

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
             if word == "mine" then event:reply(tostring(store.of(event.user).incr("n")) .. tostring(store.get("n"))) end
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
fn a_hook_can_wait_for_an_answer_a_choice_or_the_time() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             if event.text == "sleep" then sleep("2s") event:reply("woke") end
             if event.text == "ask" then
               local n = event.room:ask(event.user, "How many?", { timeout = "30s" })
               event:reply(n and n .. "!" or "nobody")
             end
             if event.text == "choose" then
               event:reply(event.room:choose(event.user, "Which?", { "red", "blue" }) or "none")
             end
             if event.text == "inside" then
               local co = coroutine.wrap(function() sleep(1) return "through" end)
               event:reply(select(2, pcall(co)))
             end
           end"#,
    );
    let Step::Waiting(_, Wait::Sleep { until }, parked) = bench.says("sleep") else { panic!() };
    assert_eq!(until, 1_002_000);
    assert_eq!(texts(&done(bench.answer(parked, Answer::TimeUp))), ["woke"]);

    for (answer, reply) in [(Answer::Text("3".into()), "3!"), (Answer::TimeUp, "nobody")] {
        let Step::Waiting(effects, Wait::Ask { room, user, until }, parked) = bench.says("ask") else { panic!() };
        assert_eq!((room.as_str(), user.as_str(), until), ("lobby/general", "lobby/alice", 1_030_000));
        assert_eq!(texts(&effects), ["How many?"]);
        assert_eq!(texts(&done(bench.answer(parked, answer))), [reply]);
    }
    let Step::Waiting(effects, Wait::Choose { choices, .. }, parked) = bench.says("choose") else { panic!() };
    let Action::Send { content, .. } = &effects.actions[0].1 else { panic!() };
    assert_eq!(content.buttons[1].label, "blue");
    assert_eq!(content.buttons[1].action, choices[1].0);
    let effects = done(bench.answer(parked, Answer::Text(choices[1].0.clone())));
    assert_eq!(texts(&effects), ["blue"]);

    let Step::Waiting(_, _, parked) = bench.says("inside") else { panic!() };
    assert_eq!(texts(&done(bench.answer(parked, Answer::TimeUp))), ["through"]);
}

#[test]
fn waiting_where_it_cannot_work_says_so() {
    let mut bench = Bench::new(
        r#"local cases = {
             function() table.sort({ 3, 2, 1 }, function(a, b) sleep(1) return a < b end) end,
             function() string.gsub("x", "x", function() sleep(1) end) end,
             function() local t = setmetatable({}, { __index = function() sleep(1) end }) return t.x end,
             function() store.update("k", function() sleep(1) end) end,
             function() coroutine.yield() end,
             function() table.sort({ 3, 2, 1 }, function(a, b) coroutine.wrap(function() sleep(1) end)() return a < b end) end,
           }
           function on_message(event) cases[tonumber(event.text)]() end"#,
    );
    for case in 1..=6 {
        let failure = bench.failure(&case.to_string());
        let told = &failure.fault.message;
        assert!(told.contains("cannot wait inside") || told.contains("use sleep"), "case {case}: {failure}");
    }
    let Err(failure) = Bench::try_new(&Source::from_text("test", "sleep(1)"), &limits()) else { panic!() };
    assert!(failure.fault.message.contains("while it is loading"), "{failure}");
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
    let [TimerChange::Set { name, key, due, room, payload }, TimerChange::Cancel { key: old }, TimerChange::Set { .. }] =
        &effects.timers[..]
    else {
        panic!("{effects:?}")
    };
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
fn the_same_seed_and_time_give_the_same_run() {
    let text = r#"function on_message(event)
        local shuffled = random.shuffle({ 1, 2, 3, 4, 5 })
        event:reply(table.concat({ random.integer(1, 1000000), random.number(), random.choice({ "a", "b", "c" }), math.random(100),
          table.concat(shuffled), time.now(), os.time(), time.format(0), time.format(3600, "%H:%M", "Europe/Paris"),
          time.relative(time.now() + 7200), time.parse("1970-01-02T00:00:00Z") }, " "))
      end"#;
    let first = Bench::new(text).replies("x");
    assert_eq!(first, Bench::new(text).replies("x"));
    assert!(first[0].ends_with("1000 1000 1970-01-01 00:00:00 02:00 in 2 hours 86400"), "{first:?}");
    let mut bench = Bench::new(text);
    assert_ne!(bench.replies("x"), bench.replies("x"));
}

#[test]
fn json_config_and_log() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             log.info("told", { by = event.user.name })
             print("a", 1)
             local t = json.decode('{"a":[1,null,3],"b":null}')
             event:reply(json.encode({ n = #t.a, b = t.b == nil, hole = t.a[2] == json.null, c = config.greeting, l = config.list[2] }))
             event:reply(tostring(pcall(function() config.greeting = "x" end)))
             event:reply(select(2, pcall(json.decode, "{")))
           end"#,
    );
    let replies = bench.replies("x");
    assert_eq!(replies[0], r#"{"b":true,"c":"salut","hole":true,"l":2,"n":3}"#);
    assert_eq!(replies[1], "false");
    assert!(replies[2].contains("json.decode"), "{replies:?}");
}

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
          if event.text == "words" then event:reply(words.name .. words.n .. tostring(words == require("./lib/words"))) return end
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
             local ok, value = coroutine.resume(coroutine.create(function(x) return coroutine.yield(x) end), 4) assert(ok and value == 4)
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
             assert(table.concat({ 1, 2, 3 }, "-", 2) == "2-3" and table.concat({}, ",") == "" and table.concat({ "a" }) == "a")
             local sum = 0 table.foreachi({ 4, 5 }, function(i, v) sum += i * v end) assert(sum == 14)
             assert(table.foreach({ a = 1 }, function(k, v) return k .. v end) == "a1")
             assert(string.packsize("i4") == 4 and string.unpack("z", "ab\0") == "ab")
             assert(("x"):rep(10000):find(("x"):rep(9000), 1, true) == 1)
             event:reply("same")
           end"##,
    );
    assert_eq!(bench.replies("x"), ["same"]);
}

#[test]
fn an_error_of_a_replaced_function_names_the_scripts_own_line() {
    let failure = Bench::new("function on_message(event)\n  table.concat({ {} })\nend").failure("x");
    assert!(failure.fault.message.starts_with("test.luau:2: "), "{failure}");
    let failure = Bench::new("function on_message(event)\n  string.format('%d', 'x')\nend").failure("x");
    assert!(failure.fault.message.starts_with("test.luau:2: "), "{failure}");
}

/// Replays recorded answers of another host, in order.
struct Recorded {
    answers: std::cell::RefCell<std::collections::VecDeque<Option<Stored>>>,
}

impl HostApi for Recorded {
    fn get(&self, _key: &[u8], _now: Millis) -> Result<Option<Stored>, String> {
        self.answers.borrow_mut().pop_front().ok_or_else(|| "nothing of the kind was read".to_owned())
    }

    fn scan(&self, _: &[u8], _: Option<&[u8]>, _: bool, _: usize, _: Millis) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        Err("nothing was scanned".to_owned())
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

    fn message_id(&self, _: &RoomId, key: &ActionKey) -> Option<MessageId> {
        Some(key.to_string().into())
    }
}

/// Forwards calls and records the answers.
struct Recorder {
    host: TestHost,
    answers: std::cell::RefCell<std::collections::VecDeque<Option<Stored>>>,
}

impl HostApi for Recorder {
    fn get(&self, key: &[u8], now: Millis) -> Result<Option<Stored>, String> {
        let answer = self.host.get(key, now)?;
        self.answers.borrow_mut().push_back(answer.clone());
        Ok(answer)
    }

    fn scan(&self, a: &[u8], b: Option<&[u8]>, c: bool, d: usize, e: Millis) -> Result<Vec<(Vec<u8>, Stored)>, String> {
        self.host.scan(a, b, c, d, e)
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

    fn message_id(&self, room: &RoomId, key: &ActionKey) -> Option<MessageId> {
        self.host.message_id(room, key)
    }
}

#[test]
fn a_run_whose_host_calls_were_recorded_plays_back_the_same() {
    let text = r#"function on_message(event)
        local n = store.get("n", 0)
        if n > 1 then event:reply("enough") end
        store.set("n", n + random.integer(1, 6))
        event:reply(`{n} at {time.now()} with {random.number()} and {store.get("other", "nothing")}`)
      end"#;
    let source = Source::from_text("test", text);
    let ticker = Ticker::start().unwrap();
    let recorder = std::rc::Rc::new(Recorder { host: TestHost::default(), answers: Default::default() });
    let stored = Stored { value: encode_value(&5.into()).into(), expires: None };
    recorder.host.rows.borrow_mut().insert(b"\0n".to_vec(), stored);
    let config = serde_json::json!({});
    let mut live = Vm::build(&source, &limits(), &config, std::rc::Rc::clone(&recorder) as _, &ticker).unwrap();
    let input = Input { event: said("x").into(), seq: 7, part: 0, now: 123_456, seed: 99 };
    let first = done(live.start(input.clone()));

    let recorded = Recorded { answers: std::mem::take(&mut *recorder.answers.borrow_mut()).into() };
    let mut again = Vm::build(&source, &limits(), &config, std::rc::Rc::new(recorded), &ticker).unwrap();
    assert_eq!(done(again.start(input)), first);
    assert_eq!(texts(&first).len(), 2);
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
            "function on_message(event) local _, problem = pcall(function() {call} end) event:reply(tostring(problem)) end"
        );
        let replies = Bench::new(&text).replies("x");
        assert!(replies[0].contains(words) && replies[0].contains("test.luau:1: metrics."), "{call}: {replies:?}");
    }
    let fine = r#"function on_message(event) metrics.count("x", 1, { a = "\"\n", b = 5, c = true }) metrics.observe("y", -5) end"#;
    assert_eq!(done(Bench::new(fine).says("x")).metrics.len(), 2);
}

#[test]
fn the_first_message_to_a_pending_interaction_is_its_response() {
    let mut bench = Bench::new(
        r#"function on_form(event)
             if event.action == "say" then event.room:send("first") end
             if event.action == "reply" then event:reply("first") end
             if event.action == "persona" then event.room:send{ text = "first", as = { name = "Zoé" } } end
             event.room:send("second")
           end"#,
    );
    bench.host.grants.borrow_mut().push("personas".to_owned());
    let mut kinds = |action: &str, interaction: Option<&str>| -> Vec<ActionKind> {
        let (action, interaction) = (action.to_owned(), interaction.map(ToOwned::to_owned));
        let kind = EventKind::Form { action, message: None, values: serde_json::json!({}), interaction };
        done(bench.happens(kind)).actions.iter().map(|(_, action)| action.kind()).collect()
    };
    let (answer, send) = (ActionKind::Answer, ActionKind::Send);
    assert_eq!(kinds("say", Some("1:s:x")), [answer, send]);
    assert_eq!(kinds("reply", Some("1:s:x")), [answer, send]);
    // Each interaction is answered by itself.
    assert_eq!(kinds("say", Some("2:s:x")), [answer, send]);
    assert_eq!(kinds("none", Some("3:s:x")), [answer]);
    // Without an interaction, messages are sent as usual.
    assert_eq!(kinds("say", None), [send, send]);
}

#[test]
fn content_that_no_platform_shows_is_refused_at_the_scripts_line() {
    for (what, part) in [
        (r#"{ files = { { name = "a\r\nb.txt", data = "x" } } }"#, "name of a file"),
        (r#"{ files = { { name = "", data = "x" } } }"#, "name of a file"),
        (r#"{ files = { { name = "../x", data = "x" } } }"#, "name of a file"),
        (r#"{ text = "?", buttons = { { label = " ", action = "a" } } }"#, "label"),
        (r#"{ text = "?", select = { action = "a", options = { { label = "", value = "1" } } } }"#, "label"),
        (
            r#"{ text = "?", select = { action = "a", options = { { label = "a", value = "1" }, { label = "b", value = "1" } } } }"#,
            "twice",
        ),
        (
            r#"{ text = "?", select = { action = "a", max = 2, options = { { label = "a", value = "1" } } } }"#,
            "between",
        ),
        (
            r#"{ text = "?", select = { action = "a", min = 2, options = { { label = "a", value = "1" }, { label = "b", value = "2" } } } }"#,
            "between",
        ),
    ] {
        let mut bench = Bench::new(&format!("function on_message(event) event.room:send({what}) end"));
        bench.host.grants.borrow_mut().push("files".to_owned());
        let failure = bench.failure("go").to_string();
        assert!(failure.contains(part) && failure.contains("test.luau:1"), "{what}: {failure}");
    }
    // The name of another user's file is corrected, not refused.
    let mut bench = Bench::new(
        r#"function on_message(event) event.room:send{ files = { { name = "a\r\nb/c.txt", url = "https://x.example/f", bot = "lobby" } } } end"#,
    );
    bench.host.grants.borrow_mut().push("files".to_owned());
    let effects = done(bench.says("go"));
    assert_eq!(effects.actions[0].1.content().unwrap().files[0].name, "a__b_c.txt");
}
