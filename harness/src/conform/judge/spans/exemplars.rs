//! Statements about the exemplars of measurements: the metric of a request has its trace id in its name.

use super::{Contradiction, RequestSpans};
use crate::conform::judge::ExportedMetric;
use crate::wire::hex;

impl<'a> RequestSpans<'a> {
    fn metric(&self) -> Result<&'a ExportedMetric, Contradiction> {
        let metric = self.exchange.telemetry.metrics.first();
        metric.ok_or_else(|| Contradiction("the measurement of the request was not exported".to_owned()))
    }

    /// Checks that every exemplar has the ids of the entry span, and that there is one.
    pub(super) fn exemplar_of_entry(&self) -> Result<(), Contradiction> {
        let (entry, metric) = (self.entry()?, self.metric()?);
        if metric.exemplars.is_empty() {
            return Err(Contradiction(format!("the metric `{}` has no exemplar", metric.name)));
        }
        for (trace_id, span_id) in &metric.exemplars {
            if *trace_id != entry.trace_id || *span_id != entry.span_id {
                return Err(Contradiction(format!(
                    "the exemplar of `{}` has the trace id {} and the span id {}, expected those of the span {}",
                    metric.name,
                    id_words(trace_id),
                    id_words(span_id),
                    entry.words()
                )));
            }
        }
        Ok(())
    }

    /// Checks that the measurement was exported, without an exemplar that has its context.
    pub(super) fn no_exemplar(&self) -> Result<(), Contradiction> {
        let metric = self.metric()?;
        match metric.exemplars.iter().find(|(trace_id, _)| !trace_id.is_empty()) {
            Some((trace_id, span_id)) => Err(Contradiction(format!(
                "the exemplar of `{}` has the trace id {} and the span id {}, and its trace is not sampled",
                metric.name,
                id_words(trace_id),
                id_words(span_id)
            ))),
            None => Ok(()),
        }
    }
}

fn id_words(id: &[u8]) -> String {
    if id.is_empty() { "<none>".to_owned() } else { hex::encode(id) }
}
