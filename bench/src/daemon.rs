//! Benchmarks of the whole daemon: latency of answers, idle memory, start and reload.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use palabre_script::{EmptyHost, Source, Ticker, Vm};
use palabre_tests::{Client, Project};
use palabre_types::Limits;
use serde_json::json;

use crate::process::resident;
use crate::report::{Report, thousands};

const BOTS: &str = "
bots:
  lobby:
    platform: rooms
    rooms:
      retention: { keep: ['*'] }
      client_queue: 65536
      limits: { queued_kb: 65536, received_kb_per_second: 0, messages: { burst: 1, per_minute: 0 } }
scripts:
  echo:
    limits: { actions_per_minute: 100000000, write_mb_per_minute: 100000 }
";

const ECHO: &str = r#"function on_message(event) store.incr("n") event:reply("re " .. event.text) end"#;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Measures idle memory, start and reload.
pub(crate) fn idle(report: &mut Report) {
    runtime().block_on(async {
        let project = Project::shipped();
        project.start().await.kill().await;
        let mut starts: Vec<Duration> = Vec::new();
        for _ in 0..5 {
            let began = Instant::now();
            let daemon = project.start().await;
            starts.push(began.elapsed());
            assert!(daemon.stop().await, "it stops in good order");
        }
        starts.sort_unstable();
        report.row(
            "start until page and scripts are ready, median of 5",
            format!("{:.0?}", starts[2]),
            "target 300 ms".to_owned(),
        );
        let daemon = project.start().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        report.row(
            "memory of the idle daemon, with the shipped scripts",
            format!("{:.1} MB", resident(daemon.pid())),
            "target 40 MB".to_owned(),
        );
    });
    let source = Source::from_text("echo", ECHO);
    let ticker = Ticker::start().expect("a thread");
    let mut times: Vec<_> = (0..200)
        .map(|_| {
            let began = Instant::now();
            let vm =
                Vm::build(&source, &Limits::default(), &json!({}), std::rc::Rc::new(EmptyHost::default()), &ticker);
            let took = began.elapsed();
            assert!(vm.is_ok(), "it loads");
            took
        })
        .collect();
    times.sort_unstable();
    report.row(
        "reload: a new VM built, loaded and ready, median of 200",
        format!("{:.2} ms", times[100].as_secs_f64() * 1e3),
        "target 5 ms; xcore reports 1 ms without a sandbox".to_owned(),
    );
}

/// Measures the latency from a client's message to the bot's answer, at low load and at half load.
pub(crate) fn replies(report: &mut Report, sync: Duration) {
    let runtime = runtime();
    runtime.block_on(async {
        let project = Project::new(BOTS, &[("echo.luau", ECHO)]);
        let daemon = project.start().await;
        let (mut client, _) = Client::enter(&daemon.address, "alice", "low").await.expect("a client");
        let mut low = Histogram::<u64>::new(3).expect("a histogram");
        for number in 0..600 {
            let began = Instant::now();
            client.emit("send_message", json!({ "message": format!("m{number}") })).await.expect("a send");
            client.hears(&format!("re m{number}")).await.expect("an answer");
            if number >= 100 {
                low.record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)).expect("a time");
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        let syncs = |nanos: u64| nanos as f64 / sync.as_nanos() as f64;
        let row = |report: &mut Report, what: &str, h: &Histogram<u64>, aim: &str| {
            let (p50, p99) = (h.value_at_quantile(0.5), h.value_at_quantile(0.99));
            report.row(
                what,
                format!("p50 {:.2} ms, p99 {:.2} ms", p50 as f64 / 1e6, p99 as f64 / 1e6),
                format!("{:.1} and {:.1} syncs; {aim}", syncs(p50), syncs(p99)),
            );
        };
        row(report, "latency from message to answer, one client, low load", &low, "target 2.5 and 4");
        let full_rate = flood(&daemon.address).await;
        report.row(
            "answers at full load, one room",
            format!("{} answers/s", thousands(full_rate)),
            "one client, 500 messages in flight".to_owned(),
        );
        let half = paced(&daemon.address, full_rate / 2.0).await;
        row(
            report,
            "latency from message to answer, at half of that rate",
            &half,
            "bounded by the client and the room on 2 cores",
        );
    });
}

/// Returns the answers per second with many messages in flight.
async fn flood(address: &str) -> f64 {
    const MESSAGES: usize = 30_000;
    const IN_FLIGHT: usize = 500;
    let (mut client, _) = Client::enter(address, "bob", "full").await.expect("a client");
    let began = Instant::now();
    let (mut sent, mut heard) = (0, 0);
    while heard < MESSAGES {
        while sent < MESSAGES && sent - heard < IN_FLIGHT {
            client.emit("send_message", json!({ "message": format!("m{sent}") })).await.expect("a send");
            sent += 1;
        }
        client.hears("re m").await.expect("an answer");
        heard += 1;
    }
    MESSAGES as f64 / began.elapsed().as_secs_f64()
}

/// Measures latencies at a steady rate.
async fn paced(address: &str, rate: f64) -> Histogram<u64> {
    const SECONDS: f64 = 4.0;
    let (mut client, _) = Client::enter(address, "carol", "half").await.expect("a client");
    let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
    let total = (rate * SECONDS) as usize;
    let began = Instant::now();
    let (mut sent, mut heard) = (0, 0);
    while heard < total {
        let due = ((began.elapsed().as_secs_f64() * rate) as usize + 1).min(total);
        while sent < due {
            // The text is the scheduled time, so that waiting behind other messages counts.
            client.emit("send_message", json!({ "message": format!("{}", sent as f64 / rate) })).await.expect("a send");
            sent += 1;
        }
        let wait = tokio::time::timeout(Duration::from_micros(200), client.hears("re ")).await;
        if let Ok(answer) = wait {
            let text = answer.expect("an answer")["message"].as_str().unwrap_or_default().to_owned();
            let meant: f64 = text.trim_start_matches("re ").parse().expect("a time");
            let nanos = (began.elapsed().as_secs_f64() - meant).max(0.0) * 1e9;
            histogram.record(nanos as u64).expect("a time");
            heard += 1;
        }
    }
    histogram
}
