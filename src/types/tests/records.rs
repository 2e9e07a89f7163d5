//! The stored forms of what a step asks for, waits for and observes: older journals are read with them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::time::Duration;

use bytes::Bytes;
use palabre_types::{
    Answer, Change, Denied, Effects, MetricChange, Observation, Reply, ReplyGuard, Request, TimerChange, Wait, Write,
    decode_value, encode_value,
};
use serde_json::{Value, json};

#[test]
fn effects_keep_their_stored_form() {
    let key: Bytes = Bytes::from_static(b"\0k");
    let set = Change::Set { value: Bytes::from_static(&[1]), expires: Some(5) };
    let effects = Effects {
        writes: vec![Write { key: key.clone(), change: set }, Write { key, change: Change::Delete }],
        timers: vec![
            TimerChange::Set { name: "n".into(), key: "k".into(), due: 7, room: None, payload: json!([]) },
            TimerChange::Cancel { key: "k".into() },
        ],
        metrics: vec![MetricChange { name: "m".into(), is_count: true, by: 1.5, labels: Vec::new() }],
        ..Effects::default()
    };
    let form = json!({
        "writes": [
            { "key": [0, 107], "change": { "set": { "value": [1], "expires": 5 } } },
            { "key": [0, 107], "change": "delete" },
        ],
        "timers": [
            { "set": { "name": "n", "key": "k", "due": 7, "room": null, "payload": [] } },
            { "cancel": { "key": "k" } },
        ],
        "metrics": [{ "name": "m", "is_count": true, "by": 1.5 }],
    });
    assert_eq!(serde_json::to_value(&effects).unwrap(), form);
    let bytes = rmp_serde::to_vec_named(&effects).unwrap();
    assert_eq!(rmp_serde::from_slice::<Effects>(&bytes).unwrap(), effects);
    assert_eq!(serde_json::to_value(Effects::default()).unwrap(), json!({}), "a step without effects takes no room");
}

#[test]
fn waits_and_answers_keep_their_stored_form() {
    let (method, url) = ("GET".to_owned(), "http://example.com/".to_owned());
    let request = Request { method, url, headers: Vec::new(), body: None, timeout: Duration::from_secs(5) };
    let form = json!({ "http": {
        "request": {
            "method": "GET", "url": "http://example.com/", "headers": [], "body": null,
            "timeout": { "secs": 5, "nanos": 0 },
        },
        "until": 9,
    } });
    assert_eq!(serde_json::to_value(Wait::Http { request, until: 9 }).unwrap(), form);
    assert_eq!(serde_json::to_value(Wait::Sleep { until: 9 }).unwrap(), json!({ "sleep": { "until": 9 } }));

    let reply = Reply {
        status: 200,
        headers: vec![("a".into(), "b".into())],
        body: Vec::new(),
        is_body_omitted: false,
        url: "http://example.com/".into(),
        guard: ReplyGuard::default(),
    };
    let answer = Answer::Reply(Box::new(reply));
    let form = json!({ "reply": { "status": 200, "headers": [["a", "b"]], "url": "http://example.com/" } });
    assert_eq!(serde_json::to_value(&answer).unwrap(), form);
    let bytes = rmp_serde::to_vec_named(&answer).unwrap();
    assert_eq!(rmp_serde::from_slice::<Answer>(&bytes).unwrap(), answer);
    assert_eq!(serde_json::to_value(Answer::TimeUp).unwrap(), json!("time_up"));
}

#[test]
fn observations_keep_their_stored_form() {
    for (observation, form) in [
        (Observation::Failed(1, "no room".into()), json!({ "f": [1, "no room"] })),
        (Observation::Can("lobby".into(), "edit".into(), true), json!({ "c": ["lobby", "edit", true] })),
        (Observation::HasAnswered(true), json!({ "h": true })),
        (Observation::Language("lobby".into(), None), json!({ "l": ["lobby", null] })),
    ] {
        assert_eq!(serde_json::to_value(&observation).unwrap(), form);
        let bytes = rmp_serde::to_vec_named(&observation).unwrap();
        assert_eq!(rmp_serde::from_slice::<Observation>(&bytes).unwrap(), observation);
    }
    assert_eq!(serde_json::to_value(Denied::BotRank).unwrap(), json!("bot_rank"));
}

#[test]
fn a_stored_value_is_the_message_pack_of_its_json() {
    let value = json!({ "a": [1, null] });
    let bytes = [0x81, 0xa1, b'a', 0x92, 0x01, 0xc0];
    assert_eq!(encode_value(&value), bytes);
    assert_eq!(decode_value(&bytes), Ok(value));
    assert!(decode_value(&[0xc1]).unwrap_err().starts_with("the stored value cannot be read"));
    assert_eq!(decode_value(&encode_value(&Value::Null)), Ok(Value::Null));
}
