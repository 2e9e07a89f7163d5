//! Commands and patterns: what a script declares, and what users get.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_script::Source;
use palabre_types::Permission;
use support::{Harness, script};

const DICE: &str = r#"
command("roll", {
  description = "Roll dice",
  args = {
    { name = "sides", type = "integer", min = 2, max = 1000, default = 6 },
    { name = "times", type = "integer", min = 1, optional = true },
  },
  cooldown = "3s", aliases = { "lancer" },
}, function(event, args) event:reply(`{args.sides} sides, {args.times or "no"} times`) end)

command("give", { args = {
  { name = "whom", type = "member" }, { name = "amount", type = "number" },
  { name = "why", type = "text", optional = true },
} }, function(event, args) event:reply(`{args.whom.id} gets {args.amount} for {args.why or "nothing"}`) end)

command("clean", { permission = "moderator", description = "Tidy up" }, function(event) event:reply("clean") end)
command("say", { args = { { name = "what", type = "string" }, { name = "loud", type = "boolean", default = false },
  { name = "for", type = "duration", optional = true },
  { name = "mood", type = "choice", choices = { "glad", "sad" }, optional = true } } },
  function(event, args) event:reply(`{args.what} {args.loud} {args["for"]} {args.mood}`) end)
function on_message(event) if event.text == "hello" then event:reply("a message is a message") end end
"#;

fn private(harness: &Harness) -> Vec<String> {
    let transcript = harness.sim.transcript();
    transcript.lines().iter().filter(|line| line.to.is_some()).map(|line| line.text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_what_the_command_says_and_anything_else_gets_help() {
    let harness = Harness::new(vec![script("dice", DICE)]).await;
    for text in ["/roll 20 2", "hello", "/give @bob 2,5 being kind", "/say \"two words\" yes 90s GLAD", "/unknown"] {
        harness.alice(text).await;
    }
    assert_eq!(
        harness.replies(),
        ["20 sides, 2 times", "a message is a message", "sim/bob gets 2.5 for being kind", "two words true 90 glad"]
    );
    let wrong = [
        ("/roll 1", "sides is at least 2. Usage: `/roll [sides] [times]`"),
        ("/roll 2000", "sides is at most 1000. Usage: `/roll [sides] [times]`"),
        ("/roll many", "sides is a whole number, not \"many\". Usage: `/roll [sides] [times]`"),
        ("/roll 20 2 3", "\"3\" is more than this command takes. Usage: `/roll [sides] [times]`"),
        ("/give bob", "amount is missing. Usage: `/give <whom> <amount> [why…]`"),
        ("/say x maybe", "loud is yes or no, not \"maybe\". Usage: `/say <what> [loud] [for] [glad|sad]`"),
        (
            "/say x no soon",
            "for is a duration like 90s, 10m or 2h30m, not \"soon\". Usage: `/say <what> [loud] [for] [glad|sad]`",
        ),
        ("/say x no 1m angry", "mood is one of glad, sad. Usage: `/say <what> [loud] [for] [glad|sad]`"),
        ("/clean", "You may not use /clean: it is for moderators only."),
    ];
    harness.advance(Duration::from_secs(3)).await;
    for (text, help) in wrong {
        harness.alice(text).await;
        assert_eq!(private(&harness).last().unwrap(), help, "{text}");
    }
    assert_eq!(harness.replies().len(), 4 + wrong.len(), "nothing but help was said");
}

const TERMS: &str = r#"
command("term", { args = { { name = "whom", type = "user" }, { name = "lasts", type = "duration" },
  { name = "why", type = "text", optional = true } } },
  function(event, args) event:reply(`{args.whom.name} {args.lasts} {args.why}`) end)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_duration_takes_several_words_and_leaves_the_reason() {
    let harness = Harness::new(vec![script("terms", TERMS)]).await;
    for (text, wanted) in [
        ("/term bob 7 days spam", "bob 604800 spam"),
        ("/term lou 60 minutes", "lou 3600 nil"),
        ("/term bob 7d 2 times", "bob 604800 2 times"),
        ("/term bob 1h 30m too loud", "bob 5400 too loud"),
        ("/term bob 1h,30m", "bob 5400 nil"),
        ("/term bob 1,5h", "bob 5400 nil"),
        ("/term bob 2hours", "bob 7200 nil"),
        ("/term bob 1hr spam", "bob 3600 spam"),
        ("/term bob 3 jours insultes", "bob 259200 insultes"),
        ("/term bob \"1h 30m\" spam", "bob 5400 spam"),
        ("/term bob 0", "bob 0 nil"),
    ] {
        harness.alice(text).await;
        assert_eq!(harness.replies().last().unwrap(), wanted, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_a_unit_is_asked_about_where_a_duration_is_meant() {
    let harness = Harness::new(vec![script("terms", TERMS)]).await;
    for (text, number) in [("/term bob 7", "7"), ("/term bob 60 spam", "60"), ("/term bob 7 dogs", "7")] {
        harness.alice(text).await;
        let asked = format!(
            "lasts needs a unit: write {number}m for minutes, {number}h for hours or {number}d for days. \
             Usage: `/term <whom> <lasts> [why…]`"
        );
        assert_eq!(*private(&harness).last().unwrap(), asked, "{text}");
    }
    let bob = harness.sim.person("bob", "general").speaking("fr");
    bob.says("/term lou 60").await.unwrap();
    harness.engine.when_idle().await;
    assert!(
        private(&harness).last().unwrap().starts_with("lasts : il manque l'unité."),
        "{:?}",
        private(&harness).last()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_its_people_its_pauses_its_other_names_and_its_languages() {
    let harness = Harness::new(vec![script("dice", DICE)]).await;
    harness.alice("/roll").await;
    harness.alice("/lancer").await;
    harness.advance(Duration::from_secs(3)).await;
    harness.alice("/LANCER@dice_bot 8").await;
    assert_eq!(
        harness.replies(),
        ["6 sides, no times", "Not so fast: try /roll again in 3 seconds.", "8 sides, no times"]
    );
    let bob = harness.sim.person("bob", "general").speaking("fr-FR");
    bob.says("/roll x").await.unwrap();
    harness.engine.when_idle().await;
    assert_eq!(
        harness.replies().last().unwrap(),
        "sides est un nombre entier, pas « x ». Usage : `/roll [sides] [times]`"
    );
    bob.may(Permission::Moderator);
    bob.says("/clean").await.unwrap();
    harness.engine.when_idle().await;
    assert_eq!(harness.replies().last().unwrap(), "clean");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listened_for_is_found_once_for_all_scripts() {
    let greeter = r#"
      hear("(?i)\\bgood (?P<when>morning|night)\\b", function(event, captures)
        event:reply(`{captures.all}|{captures[1]}|{captures.when}|{event.user.name}`)
      end)
    "#;
    let filter = r#"
      hear({ words = { "viagra", "buy now" }, normalise = true }, function(event, found)
        event.message:delete("spam")
        event:reply(`{#found} {found[1].word} {found[1].start}-{found[1].stop}`)
      end)
    "#;
    let harness = Harness::new(vec![script("greeter", greeter), script("filter", filter)]).await;
    harness.alice("well, GOOD Night all").await;
    harness.alice("cheap v1@gra, вuy now").await;
    harness.alice("nothing to hear").await;
    assert_eq!(harness.replies(), ["GOOD Night|Night|Night|alice", "2 viagra 7-12"]);
    assert_eq!(harness.texts().len(), 4, "the spam is gone: {:?}", harness.texts());
    // After a reload only the new patterns match.
    let louder = r#"hear("night", function(event) event:reply("night it is") end)"#;
    harness.engine.reload(Source::from_text("greeter", louder)).await.unwrap();
    harness.alice("good night").await;
    assert_eq!(harness.replies().last().unwrap(), "night it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_declared_is_told_at_the_script_s_own_line() {
    let harness = Harness::new(vec![script("dice", DICE)]).await;
    let wrong = [
        (r#"command("Roll", function() end)"#, "dice.luau:1: command: \"Roll\" is not a valid name for a command"),
        (r#"command("roll", { arg = {} }, function() end)"#, "there is no option arg; did you mean args?"),
        (r#"command("roll", { permission = "king" }, function() end)"#, "unknown variant `king`"),
        (
            r#"command("roll", { args = { { name = "a", type = "text" }, { name = "b" } } }, function() end)"#,
            "has to be the last",
        ),
        (
            r#"command("roll", { args = { { name = "a", optional = true }, { name = "b" } } }, function() end)"#,
            "b is required",
        ),
        (r#"hear("(", function() end)"#, "dice.luau:1: hear: "),
        (r#"every("* * *", function() end)"#, "a cron expression has 5 fields"),
        (r#"every("0 25 * * *", function() end)"#, "this is not a cron expression"),
        (r#"every("0 9 * * *", { zone = "Mars/Base" }, function() end)"#, "Mars/Base"),
        (r#"every("5 0 * * *", { after = "collect" }, function() end)"#, "after names \"collect\""),
        (r#"route("GET", "/x", function() end)"#, "answering over HTTP needs the grant \"routes\""),
        (r#"function on_mesage() end"#, ""),
    ];
    for (text, problem) in wrong {
        match harness.engine.reload(Source::from_text("dice", text)).await {
            Err(failure) => assert!(failure.to_string().contains(problem), "{text}: {failure}"),
            Ok(warnings) => assert_eq!(warnings, ["there is no hook on_mesage; did you mean on_message?"], "{text}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_wants_kept_is_bounded_whatever_it_is() {
    let text = r##"
      function on_message(event)
        local big = string.rep("x", 200000)
        local what = {
          answer = function() event:answer(big) end, topic = function() event.room:set_topic(big) end,
          edit = function() event.room:send("x"):edit(big) end, dm = function() event.user:dm(big) end,
          http = function() http.post("http://example.com/", big, { headers = { a = big } }) end,
          ask = function() event.room:ask({ id = big }, "?") end,
        }
        for _ = 1, 100 do what[event.text]() end
      end
      function on_error(event) event.room:send(event.error.message) end
    "##;
    let mut setup = script("big", text);
    setup.grants.push("direct".into());
    let harness = Harness::new(vec![setup]).await;
    for what in ["answer", "topic", "edit", "dm"] {
        harness.alice(what).await;
        assert!(
            harness.replies().last().unwrap().starts_with("output limit"),
            "{what}: {:?}",
            harness.replies().last()
        );
    }
    harness.alice("http").await;
    assert!(harness.replies().last().unwrap().contains("a request has at most"), "{:?}", harness.replies().last());
    harness.alice("ask").await;
    assert!(
        harness.replies().last().unwrap().contains("big.luau:8: ask takes the user"),
        "{:?}",
        harness.replies().last()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_may_be_empty_and_nothing_is_stored_as_nothing() {
    let text = r#"
      command("plain", { args = {}, aliases = {} }, function(event, args)
        store.set("a", 1) store.set("b", json.null) store.set("c", 3)
        local keys = {}
        for key, value in store.scan("") do table.insert(keys, key .. value) end
        event:reply{ text = 5, embeds = {{ title = "t", fields = {} }}, buttons = {} }
        event:reply(table.concat(keys, " ") .. " " .. event.message.user.name .. " " .. tostring(event.user.locale))
      end)
      hear({ words = {} }, function() end)
    "#;
    let harness = Harness::new(vec![script("plain", text)]).await;
    harness.sim.person("bob", "general").speaking("fr").says("/plain").await.unwrap();
    harness.engine.when_idle().await;
    assert_eq!(harness.replies(), ["5", "a1 c3 bob fr"]);
}

fn help() -> palabre_engine::ScriptSetup {
    let (name, text) = palabre_script::BUILT_IN[0];
    script(name, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_lists_what_one_may_use_and_cannot_be_taken_away() {
    let many: String = (0..400)
        .map(|n| format!("command(\"many{n}\", {{ description = \"One of them\" }}, function() end) "))
        .collect();
    let usurper = r#"command("help", function(event) event:reply("send me your token") end)"#;
    let harness = Harness::new(vec![script("aaa", usurper), script("dice", DICE), help()]).await;
    harness.alice("/help").await;
    let list = harness.replies().remove(0);
    assert!(list.starts_with("**Commands**") && list.contains("`/roll [sides] [times]` (Roll dice)"), "{list}");
    assert!(!list.contains("/clean"), "for moderators: {list}");
    harness.alice("/help roll").await;
    assert!(harness.replies()[1].contains("Roll dice"), "{:?}", harness.replies());
    harness.sim.person("bob", "general").speaking("fr").says("/aide").await.unwrap();
    harness.engine.when_idle().await;
    assert!(harness.replies()[2].starts_with("**Commandes**"), "{:?}", harness.replies());
    // Whatever users ask about, the help keeps answering.
    for _ in 0..12 {
        harness.alice(&format!("/help {}", "*".repeat(4_900))).await;
    }
    harness.alice("/help roll").await;
    assert!(harness.replies().last().unwrap().contains("Roll dice"), "{:?}", harness.replies().last());
    let harness = harness.restart(vec![script("many", &many), help()]).await;
    harness.alice("/help").await;
    let list = harness.replies().pop().unwrap();
    assert!(
        list.contains("/many0") && list.contains("- …") && list.chars().count() < 4_000,
        "{} characters",
        list.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_command_keeps_it_when_another_comes_with_the_same() {
    let harness = Harness::new(vec![script("dice", DICE), script("aaa", "")]).await;
    let late = r#"command("roll", function(event) event:reply("mine now") end)"#;
    harness.engine.reload(Source::from_text("aaa", late)).await.unwrap();
    harness.alice("/roll 20").await;
    assert_eq!(harness.replies(), ["20 sides, no times"]);
    harness.engine.reload(Source::from_text("dice", "")).await.unwrap();
    harness.alice("/roll").await;
    assert_eq!(harness.replies().last().unwrap(), "mine now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_sets_itself_anew_at_once_comes_to_its_limit() {
    let text = r#"
      command("go", function() timers.set("z", { after = 0, key = "k" }) end)
      on_timer("z", function() store.incr("n") timers.set("z", { after = 0, key = "k" }) end)
      command("count", function(event) event:reply(tostring(store.get("n"))) end)
    "#;
    let mut setup = script("chain", text);
    setup.limits.timers_per_minute = 100;
    let harness = Harness::new(vec![setup]).await;
    harness.alice("/go").await;
    harness.engine.quiesce().await;
    harness.alice("/count").await;
    assert_eq!(harness.replies(), ["99"]);
    assert!(harness.engine.status().scripts[0].last_error.as_ref().unwrap().contains("timer limit: more than 100"));
}
