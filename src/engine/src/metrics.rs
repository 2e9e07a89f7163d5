//! What is counted and measured, in the text form that Prometheus reads.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use palabre_model::{BotName, Figure, ScriptName};
use palabre_script::MetricChange;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::status::{ScriptState, Status};

/// So many different metrics and sets of labels one script may make; what is beyond is dropped.
const SERIES: usize = 1_000;

type Labels = Vec<(String, String)>;
type Observed = Family<Labels, Histogram, fn() -> Histogram>;

/// Everything that is counted since the start.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<Of>);

#[derive(Default)]
struct Of {
    counts: BTreeMap<String, Family<Labels, Counter<f64, AtomicU64>>>,
    observations: BTreeMap<String, Observed>,
    series: BTreeMap<ScriptName, std::collections::BTreeSet<(String, Labels)>>,
    runs: BTreeMap<(ScriptName, &'static str), u64>,
}

fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 12))
}

impl Metrics {
    /// Takes what scripts counted and measured in runs that are durable.
    pub(crate) fn note(&self, changes: Vec<(ScriptName, MetricChange)>) {
        if changes.is_empty() {
            return;
        }
        let mut of = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (script, change) in changes {
            let mut labels = change.labels;
            labels.push(("script".to_owned(), script.to_string()));
            labels.sort_unstable();
            let series = of.series.entry(script).or_default();
            let name = (change.name.clone(), labels.clone());
            if !series.contains(&name) {
                if series.len() >= SERIES {
                    continue;
                }
                series.insert(name);
            }
            if change.is_count {
                of.counts.entry(change.name).or_default().get_or_create(&labels).inc_by(change.by);
            } else {
                let family = of.observations.entry(change.name);
                let family = family.or_insert_with(|| Family::new_with_constructor(histogram as fn() -> Histogram));
                family.get_or_create(&labels).observe(change.by);
            }
        }
    }

    /// One more of what the runtime itself counts of a script.
    pub(crate) fn count(&self, script: &ScriptName, what: &'static str) {
        let mut of = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *of.runs.entry((script.clone(), what)).or_default() += 1;
    }

    /// All of it, with the state of bots and scripts.
    pub(crate) fn text(&self, status: &Status, figures: &[(BotName, Figure)]) -> String {
        let of = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut registry = Registry::with_prefix("palabre");
        let up: Family<Labels, Gauge> = Family::default();
        let memory: Family<Labels, Gauge> = Family::default();
        let waiting: Family<Labels, Gauge> = Family::default();
        let suspended: Family<Labels, Gauge> = Family::default();
        for script in &status.scripts {
            let labels = vec![("script".to_owned(), script.name.to_string())];
            up.get_or_create(&labels).set(i64::from(script.state == ScriptState::Up));
            suspended.get_or_create(&labels).set(i64::from(script.state == ScriptState::Suspended));
            memory.get_or_create(&labels).set(i64::try_from(script.memory_bytes).unwrap_or(i64::MAX));
            waiting.get_or_create(&labels).set(i64::try_from(script.waiting_runs).unwrap_or(i64::MAX));
        }
        let backlog: Gauge = Gauge::default();
        backlog.set(i64::try_from(status.backlog).unwrap_or(i64::MAX));
        let happened: Family<Labels, Counter> = Family::default();
        for ((script, what), count) in &of.runs {
            let labels = vec![("script".to_owned(), script.to_string()), ("what".to_owned(), (*what).to_owned())];
            happened.get_or_create(&labels).inc_by(*count);
        }
        registry.register("script_up", "Whether the script takes events", up);
        registry.register("script_suspended", "Whether the script rests after failing too often", suspended);
        registry.register("script_memory_bytes", "Memory of the script's VM", memory);
        registry.register("script_waiting_runs", "Runs that wait for somebody or something", waiting);
        registry.register("script_happened", "Failures and suspensions", happened);
        registry.register("backlog", "Events and actions under way", backlog);
        register_figures(&mut registry, figures);
        let of_scripts = registry.sub_registry_with_prefix("of_script");
        for (name, family) in &of.counts {
            of_scripts.register(name, "Counted by a script", family.clone());
        }
        for (name, family) in &of.observations {
            of_scripts.register(name, "Observed by a script", family.clone());
        }
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!("the metrics cannot be written down: {error}");
        }
        text
    }
}

/// Registers what adapters count and measure, by name.
fn register_figures(registry: &mut Registry, figures: &[(BotName, Figure)]) {
    let mut gauges: BTreeMap<&str, (&str, Family<Labels, Gauge>)> = BTreeMap::new();
    let mut counts: BTreeMap<&str, (&str, Family<Labels, Counter>)> = BTreeMap::new();
    for (bot, figure) in figures {
        let labels = figure.labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let labels: Labels = labels.chain([("bot".to_owned(), bot.to_string())]).collect();
        if figure.is_count {
            let (_, family) = counts.entry(figure.name).or_insert_with(|| (figure.help, Family::default()));
            family.get_or_create(&labels).inc_by(figure.value);
        } else {
            let (_, family) = gauges.entry(figure.name).or_insert_with(|| (figure.help, Family::default()));
            family.get_or_create(&labels).set(i64::try_from(figure.value).unwrap_or(i64::MAX));
        }
    }
    for (name, (help, family)) in gauges {
        registry.register(name, help, family);
    }
    for (name, (help, family)) in counts {
        registry.register(name, help, family);
    }
}
