//! Counts and measurements, exported in the text format of Prometheus.

mod series;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_platform::Metric;
use palabre_runner::{ScriptState, ScriptStatus};
use palabre_types::{BotName, MetricChange, ScriptName};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use self::series::{Labels, Series};
use crate::status::{BotState, BotStatus, Status};

/// Maximum size of a script's series on average, in bytes of names and labels.
const SERIES_BYTES: usize = 256;

/// All metrics since the start.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<State>);

/// The runtime's own counters, by script and by what is counted.
type RunCounts = BTreeMap<(ScriptName, &'static str), u64>;

#[derive(Default)]
struct State {
    /// The metrics of scripts by name, each with the script that used the name first.
    of_scripts: BTreeMap<String, (ScriptName, Series)>,
    reserved: HashMap<ScriptName, Reserved>,
    runs: RunCounts,
}

/// The reserved series of one script.
#[derive(Default)]
struct Reserved {
    series: BTreeSet<(String, Labels)>,
    bytes: usize,
}

impl Metrics {
    /// Reserves the series of `change`, one of at most `series_max` series of the script.
    ///
    /// # Errors
    /// A sentence that says why there is no room for it.
    pub(crate) fn reserve(&self, script: &ScriptName, change: &MetricChange, series_max: usize) -> Result<(), String> {
        let mut state = self.lock();
        if let Some((owner, series)) = state.of_scripts.get(&change.name)
            && series.is_count() != change.is_count
        {
            let what = if series.is_count() { "counted" } else { "observed" };
            return Err(format!(
                "\"{}\" is {what} already, by the script {owner}; a name is either counted or observed; take another",
                change.name
            ));
        }
        let reserved = state.reserved.entry(script.clone()).or_default();
        let key = (change.name.clone(), change.labels.clone());
        if !reserved.series.contains(&key) {
            if reserved.series.len() >= series_max {
                return Err(format!(
                    "the script has {series_max} different names and sets of labels already (limits.metric_series); \
                     use labels with few different values"
                ));
            }
            let size = key.0.len() + key.1.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            let limit = series_max.saturating_mul(SERIES_BYTES);
            if reserved.bytes + size > limit {
                return Err(format!(
                    "names and labels of the script's series take more than {limit} bytes ({SERIES_BYTES} for each of \
                     limits.metric_series)"
                ));
            }
            reserved.bytes += size;
            reserved.series.insert(key);
        }
        let is_count = change.is_count;
        state.of_scripts.entry(change.name.clone()).or_insert_with(|| (script.clone(), Series::new(is_count)));
        Ok(())
    }

    /// Applies the metrics of runs that are durable. Their series have been reserved before.
    pub(crate) fn record(&self, changes: Vec<(ScriptName, MetricChange)>) {
        if changes.is_empty() {
            return;
        }
        let mut state = self.lock();
        for (script, change) in changes {
            let MetricChange { name, is_count, by, mut labels } = change;
            if let Some((_, series)) = state.of_scripts.get_mut(&name)
                && series.is_count() == is_count
            {
                labels.push(("script".to_owned(), script.to_string()));
                labels.sort_unstable();
                series.add(labels, by);
            }
        }
    }

    /// Increments one of the runtime's own counters about a script.
    pub(crate) fn count(&self, script: &ScriptName, what: &'static str) {
        let mut state = self.lock();
        *state.runs.entry((script.clone(), what)).or_default() += 1;
    }

    /// Returns all metrics as text, with the state of bots and scripts.
    pub(crate) fn text(&self, status: &Status, figures: &[(BotName, Metric)]) -> String {
        // Encoded from a copy, so that nobody who counts waits for the encoding.
        let (of_scripts, runs) = {
            let state = self.lock();
            (state.of_scripts.clone(), state.runs.clone())
        };
        let mut registry = Registry::with_prefix("palabre");
        register_scripts(&mut registry, &status.scripts, &runs);
        register_bots(&mut registry, &status.bots);
        let backlog: Gauge = Gauge::default();
        backlog.set(i64::try_from(status.backlog).unwrap_or(i64::MAX));
        registry.register("backlog", "Events, actions and requests that are not done", backlog);
        register_figures(&mut registry, figures);
        let registry_of_scripts = registry.sub_registry_with_prefix("of_script");
        for (name, (_, series)) in of_scripts {
            let help = if series.is_count() { "Counted by a script" } else { "Observed by a script" };
            registry_of_scripts.register(name, help, series);
        }
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!("cannot encode the metrics: {error}");
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Registers the state of scripts, and the runtime's own counters about them.
fn register_scripts(registry: &mut Registry, scripts: &[ScriptStatus], runs: &RunCounts) {
    let up: Family<Labels, Gauge> = Family::default();
    let suspended: Family<Labels, Gauge> = Family::default();
    let memory: Family<Labels, Gauge> = Family::default();
    let waiting: Family<Labels, Gauge> = Family::default();
    let events: Family<Labels, Gauge> = Family::default();
    let timers: Family<Labels, Gauge> = Family::default();
    let timer_bytes: Family<Labels, Gauge> = Family::default();
    for script in scripts {
        let labels = vec![("script".to_owned(), script.name.to_string())];
        up.get_or_create(&labels).set(i64::from(script.state == ScriptState::Up));
        suspended.get_or_create(&labels).set(i64::from(script.state == ScriptState::Suspended));
        memory.get_or_create(&labels).set(i64::try_from(script.memory_bytes).unwrap_or(i64::MAX));
        waiting.get_or_create(&labels).set(i64::try_from(script.waiting_runs).unwrap_or(i64::MAX));
        events.get_or_create(&labels).set(i64::try_from(script.waiting_events).unwrap_or(i64::MAX));
        timers.get_or_create(&labels).set(i64::try_from(script.timers).unwrap_or(i64::MAX));
        timer_bytes.get_or_create(&labels).set(i64::try_from(script.timer_bytes).unwrap_or(i64::MAX));
    }
    let happened: Family<Labels, Counter> = Family::default();
    for ((script, what), count) in runs {
        let labels = vec![("script".to_owned(), script.to_string()), ("what".to_owned(), (*what).to_owned())];
        happened.get_or_create(&labels).inc_by(*count);
    }
    registry.register("script_up", "Whether the script receives events", up);
    registry.register("script_suspended", "Whether the script is suspended after failing too often", suspended);
    registry.register("script_memory_bytes", "Memory of the script's VM", memory);
    registry.register("script_waiting_runs", "Runs that wait for an answer, a timeout or a response", waiting);
    registry.register(
        "script_happened",
        "Failures, suspensions, refused steps, and limits that were reached, by the name of their setting",
        happened,
    );
    registry.register("script_waiting_events", "Events that wait for the script", events);
    registry.register("script_timers", "Pending timers of the script", timers);
    registry.register("script_timer_bytes", "Size of the pending timers, with their payloads", timer_bytes);
}

/// Registers the state of bots and their outboxes.
fn register_bots(registry: &mut Registry, bots: &[BotStatus]) {
    let up: Family<Labels, Gauge> = Family::default();
    let actions: Family<Labels, Gauge> = Family::default();
    let action_bytes: Family<Labels, Gauge> = Family::default();
    for bot in bots {
        let labels = vec![("bot".to_owned(), bot.name.to_string())];
        up.get_or_create(&labels).set(i64::from(bot.state == BotState::Up));
        actions.get_or_create(&labels).set(i64::try_from(bot.waiting_actions).unwrap_or(i64::MAX));
        action_bytes.get_or_create(&labels).set(i64::try_from(bot.waiting_bytes).unwrap_or(i64::MAX));
    }
    registry.register("bot_up", "Whether the bot is connected", up);
    registry.register("outbox_actions", "Actions that wait to be performed by the bot", actions);
    registry.register("outbox_bytes", "Size of the waiting actions", action_bytes);
}

/// Registers the figures of adapters, by name.
fn register_figures(registry: &mut Registry, figures: &[(BotName, Metric)]) {
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
