//! The series of one metric and their encoding.
//!
//! They are copied before they are encoded, so that nobody waits for the encoding.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::exponential_buckets;

/// Names and values of labels.
pub(super) type Labels = Vec<(String, String)>;

/// All series of one metric, by their labels.
#[derive(Debug, Clone)]
pub(super) enum Series {
    Counted(BTreeMap<Labels, f64>),
    Observed(BTreeMap<Labels, Histogram>),
}

/// A histogram: how many observations lie between each bound and the one before.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    sum: f64,
    count: u64,
    /// Upper bounds, each with the number of observations between the bound before and this one.
    buckets: Vec<(f64, u64)>,
}

impl Default for Histogram {
    fn default() -> Self {
        let bounds = exponential_buckets(0.001, 4.0, 12).chain([f64::INFINITY]);
        Self { sum: 0.0, count: 0, buckets: bounds.map(|bound| (bound, 0)).collect() }
    }
}

impl Histogram {
    fn observe(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
        if let Some((_, count)) = self.buckets.iter_mut().find(|(bound, _)| value <= *bound) {
            *count += 1;
        }
    }
}

impl Series {
    pub(super) fn new(is_count: bool) -> Self {
        if is_count { Self::Counted(BTreeMap::new()) } else { Self::Observed(BTreeMap::new()) }
    }

    pub(super) const fn is_count(&self) -> bool {
        matches!(self, Self::Counted(_))
    }

    /// Adds to a counter, or records an observation.
    pub(super) fn add(&mut self, labels: Labels, by: f64) {
        match self {
            Self::Counted(counts) => *counts.entry(labels).or_default() += by,
            Self::Observed(histograms) => histograms.entry(labels).or_default().observe(by),
        }
    }
}

impl EncodeMetric for Series {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counted(counts) => {
                for (labels, count) in counts {
                    encoder.encode_family(labels)?.encode_counter::<Labels, f64, f64>(count, None)?;
                }
            }
            Self::Observed(histograms) => {
                for (labels, Histogram { sum, count, buckets }) in histograms {
                    encoder.encode_family(labels)?.encode_histogram::<Labels>(*sum, *count, buckets, None)?;
                }
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        if self.is_count() { MetricType::Counter } else { MetricType::Histogram }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Counted(counts) => counts.is_empty(),
            Self::Observed(histograms) => histograms.is_empty(),
        }
    }
}
