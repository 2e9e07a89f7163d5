//! Events, messages and waits as scripts see them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_script::*;
use palabre_types::*;
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
             event:reply(table.concat({ event.kind, event.id, event.time, event.bot.name, event.bot.platform,
               event.space.name, event.room.id, event.room.name, event.room.kind, event.user.id, event.message.id,
               event.message.text, type(event.id) }, " "))
           end
           function on_join(event)
             event:reply(event.user.name .. " by " .. event.by.name .. " for " .. event.reason)
           end
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
fn a_message_may_be_sent_at_most_once_and_unknown_guarantees_are_refused() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             event:reply{ text = "hi", delivery = if event.text ~= "default" then event.text else nil }
           end"#,
    );
    let mut guarantee = |text: &str| match bench.says(text) {
        Step::Done(effects) => Ok(effects.actions[0].1.content().unwrap().delivery),
        Step::Failed(failure) => Err(failure.to_string()),
        Step::Waiting(..) => panic!("it waits"),
    };
    assert_eq!(guarantee("default"), Ok(DeliveryGuarantee::AtLeastOnce));
    assert_eq!(guarantee("at_least_once"), Ok(DeliveryGuarantee::AtLeastOnce));
    assert_eq!(guarantee("at_most_once"), Ok(DeliveryGuarantee::AtMostOnce));
    let refused = guarantee("twice").unwrap_err();
    assert!(["`twice`", "`at_least_once`", "`at_most_once`"].iter().all(|word| refused.contains(word)), "{refused}");
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
             local join = { label = "Join", action = "join", style = "primary" }
             local m = event.room:send{ text = "**hi**", buttons = { join } }
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
    let Step::Waiting(_, Wait::Sleep { until }, suspended) = bench.says("sleep") else { panic!() };
    assert_eq!(until, 1_002_000);
    assert_eq!(texts(&done(bench.answer(suspended, Answer::TimeUp))), ["woke"]);

    for (answer, reply) in [(Answer::Text("3".into()), "3!"), (Answer::TimeUp, "nobody")] {
        let Step::Waiting(effects, Wait::Ask { room, user, until }, suspended) = bench.says("ask") else { panic!() };
        assert_eq!((room.as_str(), user.as_str(), until), ("lobby/general", "lobby/alice", 1_030_000));
        assert_eq!(texts(&effects), ["How many?"]);
        assert_eq!(texts(&done(bench.answer(suspended, answer))), [reply]);
    }
    let Step::Waiting(effects, Wait::Choose { choices, .. }, suspended) = bench.says("choose") else { panic!() };
    let Action::Send { content, .. } = &effects.actions[0].1 else { panic!() };
    assert_eq!(content.buttons[1].label, "blue");
    assert_eq!(content.buttons[1].action, choices[1].0);
    let effects = done(bench.answer(suspended, Answer::Text(choices[1].0.clone())));
    assert_eq!(texts(&effects), ["blue"]);

    let Step::Waiting(_, _, suspended) = bench.says("inside") else { panic!() };
    assert_eq!(texts(&done(bench.answer(suspended, Answer::TimeUp))), ["through"]);
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
             function()
               table.sort({ 3, 2, 1 }, function(a, b) coroutine.wrap(function() sleep(1) end)() return a < b end)
             end,
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
fn json_config_and_log() {
    let mut bench = Bench::new(
        r#"function on_message(event)
             log.info("told", { by = event.user.name })
             print("a", 1)
             local t = json.decode('{"a":[1,null,3],"b":null}')
             local greeting, second = config.greeting, config.list[2]
             local hole = t.a[2] == json.null
             event:reply(json.encode({ n = #t.a, b = t.b == nil, hole = hole, c = greeting, l = second }))
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
            concat!(
                r#"{ text = "?", select = { action = "a", "#,
                r#"options = { { label = "a", value = "1" }, { label = "b", value = "1" } } } }"#
            ),
            "twice",
        ),
        (
            r#"{ text = "?", select = { action = "a", max = 2, options = { { label = "a", value = "1" } } } }"#,
            "between",
        ),
        (
            concat!(
                r#"{ text = "?", select = { action = "a", min = 2, "#,
                r#"options = { { label = "a", value = "1" }, { label = "b", value = "2" } } } }"#
            ),
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
        r#"function on_message(event)
             event.room:send{ files = { { name = "a\r\nb/c.txt", url = "https://x.example/f", bot = "lobby" } } }
           end"#,
    );
    bench.host.grants.borrow_mut().push("files".to_owned());
    let effects = done(bench.says("go"));
    assert_eq!(effects.actions[0].1.content().unwrap().files[0].name, "a__b_c.txt");
}
