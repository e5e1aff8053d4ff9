//! Metrics by name: a name and an exemplar are kept once, so an exporter that repeats itself takes no more room.

use std::collections::{BTreeMap, BTreeSet};

use crate::telemetry::{Exemplar, Metric};

/// The room of an entry besides its own bytes, roughly.
const ENTRY: usize = 96;

#[derive(Debug, Default)]
pub struct MetricTable {
    metrics: BTreeMap<String, BTreeSet<Exemplar>>,
    bytes: usize,
}

impl MetricTable {
    /// Returns the number of bytes that these add at most.
    pub fn growth(&self, metrics: &[Metric]) -> usize {
        let growth = metrics.iter().map(|metric| match self.metrics.get(&metric.name) {
            Some(known) => metric.exemplars.difference(known).map(size).sum(),
            None => ENTRY + metric.name.len() + metric.exemplars.iter().map(size).sum::<usize>(),
        });
        growth.sum()
    }

    pub fn add(&mut self, metrics: Vec<Metric>) {
        for metric in metrics {
            self.bytes += self.growth(std::slice::from_ref(&metric));
            self.metrics.entry(metric.name).or_default().extend(metric.exemplars);
        }
    }

    pub fn all(&self) -> Vec<Metric> {
        let metrics = self.metrics.iter();
        metrics.map(|(name, exemplars)| Metric { name: name.clone(), exemplars: exemplars.clone() }).collect()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn clear(&mut self) {
        self.metrics.clear();
        self.bytes = 0;
    }
}

fn size(exemplar: &Exemplar) -> usize {
    ENTRY + exemplar.trace_id.len() + exemplar.span_id.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, spans: &[u8]) -> Metric {
        let exemplars = spans.iter().map(|span| Exemplar { trace_id: vec![1; 16], span_id: vec![*span; 8] });
        Metric { name: name.to_owned(), exemplars: exemplars.collect() }
    }

    #[test]
    fn a_metric_that_is_exported_again_takes_no_more_room() {
        let mut table = MetricTable::default();
        table.add(vec![metric("a", &[1]), metric("b", &[])]);
        let bytes = table.bytes();
        assert_eq!(table.growth(&[metric("a", &[1]), metric("b", &[])]), 0);
        table.add(vec![metric("a", &[1]), metric("b", &[])]);
        assert_eq!(table.bytes(), bytes);
        table.add(vec![metric("a", &[2])]);
        assert!(table.bytes() > bytes);
        assert_eq!(table.all(), [metric("a", &[1, 2]), metric("b", &[])]);
        table.clear();
        assert_eq!((table.bytes(), table.all().len()), (0, 0));
    }
}
