//! The runtime's own log lines about a script.
//!
//! They carry the script's name, count as its lines, and are not repeated.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use palabre_script::*;
use palabre_types::Limits;
use support::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Records every log line, with its fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Written(String);

impl Visit for Written {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut written = Written(String::new());
        event.record(&mut written);
        self.0.lock().unwrap().push(written.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A script that formats all texts whose keys are in the message, a hundred times.
fn formatter(texts: &str, limits: &Limits) -> Bench {
    let text = r#"function on_message(event)
        for n = 1, 100 do
          for key in string.gmatch(event.text, "%S+") do t(key) end
        end
        event:reply("said")
      end"#;
    let mut source = Source::from_text("test", text);
    source.locales.insert("en".to_owned(), texts.to_owned());
    Bench::try_new(&source, limits).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn a_text_with_99_unknown_variables_in_a_loop_is_one_line_a_minute_in_the_script_s_name() {
    let variables: String = (1..=99).map(|n| format!("{{ $a{n} }}")).collect();
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let mut bench = formatter(&format!("many = {variables}\n"), &Limits { cpu_ms: 10_000, ..limits() });
        assert_eq!(bench.replies("many"), ["said"]);
        let said = lines.all();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("script=\"test\"") && said[0].contains("the text \"many\" in en"), "{said:?}");
        assert!(said[0].contains("$a1") && said[0].contains("and 94 more"), "{said:?}");
        bench.now += 60_000;
        assert_eq!(bench.replies("many"), ["said"]);
        let said = lines.all();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[1].contains("and 99 more times since it was last logged"), "{said:?}");
    });
}

#[test]
fn lines_of_the_runtime_count_like_the_script_s_own() {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let texts = "one = { $x }\ntwo = { $x }\nthree = { missing }\n";
        let mut bench = formatter(texts, &Limits { log_lines_per_run: 2, cpu_ms: 10_000, ..limits() });
        assert_eq!(bench.replies("one two three"), ["said"], "the script has not asked for them, and goes on");
        assert_eq!(lines.all().len(), 2, "{:?}", lines.all());
    });
}

#[test]
fn repeated_lines_are_counted_and_different_lines_are_limited() {
    let mut repeat_limiter = RepeatLimiter::default();
    assert_eq!(repeat_limiter.due(1_000, "a").as_deref(), Some("a"));
    assert!((0..5).all(|n| repeat_limiter.due(1_000 + n, "a").is_none()));
    assert!(repeat_limiter.due(61_000, "a").unwrap().contains("5 more times"));
    // After the clock was set back, the line is written again, instead of being suppressed for years.
    assert_eq!(repeat_limiter.due(500, "a").as_deref(), Some("a"));
    let written = (0..1_000).filter(|n| repeat_limiter.due(70_000, &format!("thing {n}")).is_some()).count();
    assert_eq!(written, 100, "of all of them, and the one before is forgotten");
    assert!(repeat_limiter.due(140_000, "later").unwrap().contains("900 other lines"));
}
