//! The lists and text notations of the shared types.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::HashSet;

use palabre_types::*;
use proptest::prelude::*;

#[test]
fn the_event_list_has_the_hooks_of_the_script_reference() {
    let hooks: HashSet<_> = EventName::ALL.iter().map(|name| name.hook()).collect();
    for hook in [
        "on_load",
        "on_unload",
        "on_error",
        "on_ready",
        "on_lost",
        "on_connect",
        "on_disconnect",
        "on_join",
        "on_leave",
        "on_message",
        "before_message",
        "on_message_edit",
        "on_message_delete",
        "on_reaction_add",
        "on_reaction_remove",
        "on_button",
        "on_select",
        "on_form",
        "on_typing",
        "on_presence",
        "on_member_update",
        "on_ban",
        "on_unban",
        "on_room_create",
        "on_room_update",
        "on_room_delete",
        "on_pin",
        "on_poll_vote",
        "on_voice",
        "on_invite",
        "on_join_request",
        "on_inline_query",
        "on_native",
    ] {
        assert!(hooks.contains(hook), "{hook} is missing");
    }
    assert_eq!(hooks.len(), EventName::ALL.len(), "two kinds share a name");
    for &name in EventName::ALL {
        assert_eq!(EventName::from_hook(name.hook()), name.is_hook().then_some(name));
        assert!(name.doc().ends_with('.'), "{name:?} has no sentence");
    }
}

#[test]
fn an_event_keeps_its_meaning_on_disk_and_may_gain_fields() {
    let event = Event {
        time: 5,
        bot: Bot { name: "lobby".into(), platform: "rooms".into() },
        space: None,
        room: Some(Room::channel("lobby/general".into(), "general").into()),
        user: None,
        member: None,
        kind: EventKind::Message {
            message: Message {
                id: "m1".into(),
                author: Some("lobby/alice".into()),
                time: 5,
                content: Content {
                    text: "hi".into(),
                    buttons: vec![Button {
                        label: "a".into(),
                        action: "b".into(),
                        style: None,
                        url: None,
                        disabled: false,
                    }],
                    ..Content::default()
                },
                reply_to: None,
            },
        },
    };
    let bytes = rmp_serde::to_vec_named(&event).unwrap();
    assert_eq!(rmp_serde::from_slice::<Event>(&bytes).unwrap(), event);

    let mut later = serde_json::to_value(&event).unwrap();
    later["a_field_of_the_future"] = 1.into();
    assert_eq!(serde_json::from_value::<Event>(later).unwrap(), event);
}

#[test]
fn ids_hold_their_bot_even_when_the_native_part_has_slashes() {
    let id = RoomId::new(&"lobby".into(), "a/b");
    assert_eq!((id.as_str(), id.bot(), id.native()), ("lobby/a/b", "lobby", "a/b"));
}

#[test]
fn durations_are_read_as_people_write_them() {
    let seconds = |text| parse_duration(text).map(|d| d.as_secs_f64());
    assert_eq!(seconds("90s"), Some(90.0));
    assert_eq!(seconds("10m"), Some(600.0));
    assert_eq!(seconds("2h30m"), Some(9_000.0));
    assert_eq!(seconds("7d"), Some(604_800.0));
    assert_eq!(seconds("1.5"), Some(1.5));
    assert_eq!(seconds("250ms"), Some(0.25));
    for wrong in ["", "s", "10", "10x", "-5s", "1e400", "nan", "999999999w", "10m5"] {
        assert!(wrong == "10" || seconds(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn durations_are_read_in_words_in_english_and_in_french() {
    let seconds = |text| parse_duration(text).map(|d| d.as_secs());
    for (text, wanted) in [
        ("60 minutes", 3_600),
        ("7 days", 604_800),
        ("1h 30m", 5_400),
        ("1h,30m", 5_400),
        ("1h, 30 min", 5_400),
        ("1 hour and 30 minutes", 5_400),
        ("1,5h", 5_400),
        ("1.5 hours", 5_400),
        ("1h30", 5_400),
        ("2hours", 7_200),
        ("1hr", 3_600),
        ("3 Days", 259_200),
        ("2 semaines", 1_209_600),
        ("1 jour et 2 heures", 93_600),
        ("10 mn", 600),
        ("1 mois", 2_592_000),
        ("1 an", 31_536_000),
    ] {
        assert_eq!(seconds(text), Some(wanted), "{text}");
    }
    for wrong in ["7 dogs", "1h 30", "30m 1h", "10m 5m", "1h30x", "h", "days", "1 000 m", "101 years"] {
        assert_eq!(seconds(wrong), None, "{wrong}");
    }
}

#[test]
fn a_duration_at_the_beginning_leaves_the_rest_alone() {
    let read = |text| leading_duration(text).map(|read| (read.duration.as_secs(), read.has_unit, read.rest));
    for (text, wanted) in [
        ("7 days spam", (604_800, true, "spam")),
        ("60 minutes", (3_600, true, "")),
        ("7d 2 times", (604_800, true, "2 times")),
        ("1h 30m tea", (5_400, true, "tea")),
        ("1h 30 people", (3_600, true, "30 people")),
        ("10m 5 min late", (600, true, "5 min late")),
        ("7d, spam", (604_800, true, "spam")),
        ("10m été", (600, true, "été")),
        ("7 spam", (7, false, "spam")),
        ("7", (7, false, "")),
    ] {
        assert_eq!(read(text), Some(wanted), "{text}");
    }
    for wrong in ["spam", "", "7x spam", "10m5", "-7d", "٣ days"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

#[test]
fn the_kind_of_a_refusal_is_read_back_from_its_text() {
    let words = || "words".to_owned();
    for (error, kind) in [
        (ActionError::Forbidden(words()), RefusalKind::Forbidden),
        (ActionError::NotFound(words()), RefusalKind::NotFound),
        (ActionError::Rejected(words()), RefusalKind::Rejected),
        (ActionError::Unavailable(words()), RefusalKind::Unavailable),
        (ActionError::Transient(words()), RefusalKind::Failed),
        (ActionError::Uncertain(words()), RefusalKind::Failed),
    ] {
        assert_eq!(RefusalKind::of(&error.to_string()), (kind, "words"), "{error}");
    }
    let unsupported = ActionError::Unsupported(ActionKind::Slowmode).to_string();
    assert_eq!(RefusalKind::of(&unsupported).0, RefusalKind::Unsupported);
    assert_eq!(RefusalKind::of("there is no bot named x"), (RefusalKind::Failed, "there is no bot named x"));
}

#[test]
fn times_are_written_as_iso_8601() {
    assert_eq!(iso8601(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(iso8601(951_782_400_123), "2000-02-29T00:00:00.123Z");
    assert_eq!(iso8601(1_795_194_895_000), "2026-11-20T17:14:55.000Z");
    assert_eq!(iso8601(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
}

fn any_kind() -> impl Strategy<Value = RunKind> {
    let caller = "[a-z~.-][a-z0-9_~.-]{0,20}";
    prop_oneof![
        Just(RunKind::Hook),
        Just(RunKind::Error),
        Just(RunKind::Interrupted),
        caller.prop_map(|caller| RunKind::Call { caller: caller.into() }),
    ]
}

fn any_key() -> impl Strategy<Value = ActionKey> {
    let run = (any::<u64>(), any_kind(), any::<u32>()).prop_map(|(seq, kind, step)| RunId { seq, kind, step });
    ("[a-z][a-z0-9_.~-]{0,20}", run, any::<u32>()).prop_map(|(script, run, index)| ActionKey {
        script: script.into(),
        run,
        index,
    })
}

#[test]
fn the_text_of_an_action_key_says_for_what_the_script_ran() {
    let hook = RunId::hook(7, 2);
    let call = hook.call(&"bank".into());
    let texts = [
        (hook.clone(), "dice.7.2.1"),
        (hook.on_error(), "dice.7.e2.1"),
        (RunId { kind: RunKind::Interrupted, ..hook.clone() }, "dice.7.i2.1"),
        (call.call(&"between".into()), "dice.7.c2~bank.1"),
        (hook.call(&"a.b~c".into()), "dice.7.c2~a~-b~~c.1"),
        (call, "dice.7.c2~bank.1"),
    ];
    for (run, text) in texts {
        let key = ActionKey { script: "dice".into(), run, index: 1 };
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse::<ActionKey>(), Ok(key));
    }
    for wrong in ["dice.7.c2.1", "dice.7.c2~a~b.1", "dice.7.x2.1", "dice.7.e.1", "dice.7.-2.1", "7.2.1", "dice.7.2.~1"]
    {
        assert_eq!(wrong.parse::<ActionKey>(), Err(()), "{wrong}");
    }
}

#[test]
fn the_first_step_of_a_hook_is_stored_as_the_number_of_its_event_alone() {
    let stored = |run: &RunId| serde_json::to_value(run).unwrap();
    assert_eq!(stored(&RunId::hook(7, 0)), serde_json::json!({ "seq": 7 }));
    let call = RunId::hook(7, 2).call(&"bank".into());
    assert_eq!(stored(&call), serde_json::json!({ "seq": 7, "kind": { "call": { "caller": "bank" } }, "step": 2 }));
    for run in [RunId::hook(7, 0), RunId::hook(7, 2).on_error(), call] {
        assert_eq!(serde_json::from_value::<RunId>(stored(&run)).unwrap(), run);
    }
}

proptest! {
    #[test]
    fn an_action_key_is_read_back_from_its_text(key in any_key()) {
        prop_assert_eq!(key.to_string().parse::<ActionKey>(), Ok(key));
    }

    #[test]
    fn no_text_makes_the_reader_of_action_keys_panic(text in "[ceis~.0-9-]{0,20}") {
        let _key = text.parse::<ActionKey>();
    }

    #[test]
    fn no_text_makes_the_duration_reader_panic(text in ".{0,20}") {
        prop_assert!(parse_duration(&text).is_none_or(|duration| duration.as_secs() < 4_000_000_000));
        prop_assert!(leading_duration(&text).is_none_or(|read| text.ends_with(read.rest)));
    }
}
