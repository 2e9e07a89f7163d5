//! Measures large rankings: the rank of a member, the top ten, and adding a point.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palabre_engine::{Engine, Options, ScriptSetup, Web};
use palabre_platform::{Adapter, SeededEntropy, SystemClock};
use palabre_script::Source;
use palabre_sim::{Person, Sim};
use palabre_store::Store;
use palabre_types::Limits;

use crate::report::Report;

const MEMBERS: usize = 1_000_000;
/// The members that one run adds.
const MEMBERS_PER_RUN: usize = 2_000;
/// The number of operations in one run.
const OPERATIONS: u32 = 1_000;

const SCRIPT: &str = r#"
local xp = store.ranking("xp")
local last = ""
function on_message(event)
  local what, number = string.match(event.text, "^(%a+) ?(%d*)$")
  if what == "fill" then
    for i = 1, 2000 do
      -- Most have little, a few have much.
      xp:add("member" .. (number * 2000 + i), math.floor(1000 / (random.number() + 0.0001)))
    end
  end
  for _ = 1, 1000 do
    local member = "member" .. random.integer(1, 1000000)
    if what == "rank" then xp:rank(member)
    elseif what == "top" then xp:top(10)
    elseif what == "add" then xp:add(member, 1) end
  end
end
"#;

pub(crate) fn large(report: &mut Report) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let sim = Sim::new("sim");
        let limits = Limits {
            cpu_ms: 600_000,
            storage_mb: 4_096,
            memory_mb: 256,
            write_mb_per_minute: u32::MAX,
            ..Limits::default()
        };
        let engine = Engine::start(Options {
            store: Store::open(folder.path()).expect("a store"),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(1)),
            bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
            scripts: vec![ScriptSetup {
                name: "ranking".into(),
                source: Ok(Source::from_text("ranking", SCRIPT)),
                limits,
                config: serde_json::json!({}),
                grants: Vec::new(),
                bots: None,
            }],
            workers: 1,
            journal_retention: Duration::from_secs(86_400),
            settings: Default::default(),
            operators: Default::default(),
            http: Arc::new(Web::default()),
        })
        .await
        .expect("an engine");
        let person = sim.person("alice", "general");
        let began = Instant::now();
        for number in 0..MEMBERS / MEMBERS_PER_RUN {
            says(&engine, &person, &format!("fill {number}")).await;
        }
        let filled = began.elapsed();
        report.row(
            "filling a ranking with 1,000,000 members",
            format!("{filled:.0?}"),
            format!("{:.1?} a member", filled / MEMBERS as u32),
        );
        let nothing = says(&engine, &person, "nothing").await;
        for (what, word) in [("rank", "rank"), ("top(10)", "top"), ("adding a point", "add")] {
            let took = says(&engine, &person, word).await.saturating_sub(nothing) / OPERATIONS;
            report.row(&format!("{what}, of 1,000,000 members"), format!("{took:.1?}"), "target 1 ms".to_owned());
        }
        if let Some(error) = engine.status().scripts.into_iter().find_map(|script| script.last_error) {
            report.row("the script of the ranking failed", error, String::new());
        }
        engine.shutdown().await;
    });
}

/// Sends a message, and returns the time until everything that follows from it is done.
async fn says(engine: &Engine, person: &Person, text: &str) -> Duration {
    let began = Instant::now();
    person.says(text).await.expect("said");
    engine.when_idle().await;
    began.elapsed()
}
