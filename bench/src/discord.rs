//! A large and busy server on the Discord stand-in of the tests: the daemon, and a bot on serenity.

mod busy_server;
mod cores;
mod peer;

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use palabre_tests::Project;
use tokio::task::JoinSet;

use crate::process::{cpu, resident};
use crate::report::{Report, thousands};
use busy_server::{BusyServer, MESSAGES_PER_SECOND, PEOPLE, QUESTION_EVERY};
use cores::Cores;

/// Long enough for every user to send two messages.
const SECONDS: usize = 60;
const MESSAGES: usize = MESSAGES_PER_SECOND * SECONDS;
/// The time after which a bot that has connected is done with its initial work.
const WARM_UP: Duration = Duration::from_secs(3);

const SCRIPT: &str = r#"
function on_message(event)
  if event.text == "!count" then
    event:reply(tostring(store.get("messages", 0)))
  else
    store.incr("messages")
    if event.text == "!ping" then event:reply("pong") end
  end
end
"#;

/// The costs of one bot.
struct Cost {
    /// Megabytes of memory before and after all messages.
    memory: [f64; 2],
    /// Seconds of CPU time for all messages.
    cpu: f64,
    counted: usize,
    delays: Histogram<u64>,
    /// The requests over Discord's rate limits.
    overruns: u64,
}

/// Measures both bots, one after the other, each with a server of its own.
pub(crate) fn busy(report: &mut Report) {
    let bare = peer::built();
    let cores = Arc::new(Cores::divided());
    let pinned = Arc::clone(&cores);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // The stand-in runs on the runtime's worker thread; the bots are started by this one.
    runtime.worker_threads(1).on_thread_start(move || pinned.keep_to_stand_in()).enable_all();
    let runtime = runtime.build().expect("a runtime");
    cores.keep_to_bots();
    let costs = runtime.block_on(async {
        let daemon = {
            let server = BusyServer::start().await?;
            let (api, token) = (server.stand_in.api(), server.stand_in.token());
            let bots = format!("bots: {{ guild: {{ platform: discord, token: \"{token}\", api: \"{api}\" }} }}\n");
            let project = Project::new(&bots, &[("counter.luau", SCRIPT)]);
            let daemon = project.start().await;
            let cost = measure(&server, daemon.pid()).await;
            assert!(daemon.stop().await, "it stops in good order: {}", project.log());
            cost
        };
        let server = BusyServer::start().await?;
        let bot = peer::start(&bare, &server.stand_in);
        let serenity = measure(&server, bot.id().expect("it runs")).await;
        Some((daemon, serenity))
    });
    match costs {
        Some((daemon, serenity)) => report_costs(report, &daemon, &serenity, cores.of_bots()),
        None => {
            report.row("a busy server on Discord", "not measured".to_owned(), "no API description found".to_owned())
        }
    }
}

async fn measure(server: &BusyServer, pid: u32) -> Cost {
    server.wait_for_bot().await;
    tokio::time::sleep(WARM_UP).await;
    let (memory, before) = (resident(pid), cpu(pid));
    let mut people = JoinSet::new();
    people.spawn(server.clone().talk(SECONDS));
    let asked = people.join_next().await.expect("one task").expect("people who talk");
    let delays = server.delays(&asked).await;
    let counted = server.counted(MESSAGES).await;
    let cpu = cpu(pid) - before;
    Cost { memory: [memory, resident(pid)], cpu, counted, delays, overruns: server.stand_in.counters().overruns }
}

fn report_costs(report: &mut Report, daemon: &Cost, serenity: &Cost, cores: u32) {
    let times = |ours: f64, theirs: f64| format!("{:.1} times as much", ours / theirs);
    let millis = |cost: &Cost| cost.cpu * 1e6 / MESSAGES as f64;
    let rate = thousands(MESSAGES_PER_SECOND as f64);
    report.row(
        &format!("CPU for 1,000 messages on Discord, {rate} a second, one in {QUESTION_EVERY} answered"),
        format!("{:.0} ms", millis(daemon)),
        format!("serenity alone {:.0} ms: {}", millis(serenity), times(daemon.cpu, serenity.cpu)),
    );
    let memory = [
        format!("memory in a server with {} users and 500 channels", thousands(PEOPLE as f64)),
        format!("memory after {} messages, two by each user", thousands(MESSAGES as f64)),
    ];
    for (index, what) in memory.iter().enumerate() {
        let (ours, theirs) = (daemon.memory[index], serenity.memory[index]);
        report.row(what, format!("{ours:.1} MB"), format!("serenity alone {theirs:.1} MB: {}", times(ours, theirs)));
    }
    let at = |cost: &Cost, quantile| cost.delays.value_at_quantile(quantile) as f64 / 1e6;
    let both = |cost: &Cost| format!("p50 {:.2} ms, p99 {:.2} ms", at(cost, 0.5), at(cost, 0.99));
    report.row(
        &format!("latency of the answer to `!ping`, bot on {cores} core(s)"),
        both(daemon),
        format!(
            "serenity alone {}: {:.1} and {:.1} times as long",
            both(serenity),
            at(daemon, 0.5) / at(serenity, 0.5),
            at(daemon, 0.99) / at(serenity, 0.99)
        ),
    );
    let handled = |cost: &Cost| {
        let (counted, answered) = (thousands(cost.counted as f64), thousands(cost.delays.len() as f64));
        format!("{counted} counted, {answered} answered, {} requests over the limit", cost.overruns)
    };
    report.row(
        &format!("of {} messages", thousands(MESSAGES as f64)),
        handled(daemon),
        format!("serenity alone {}", handled(serenity)),
    );
}
