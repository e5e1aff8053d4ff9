//! tracestate is propagated with every member, in order, bytes unchanged.
//!
//! Members of others MUST be forwarded unmodified and in order, new ones go to the left (W3C Trace Context
//! 3.5); after a restart it SHOULD be empty (4.3). Holds for participants; forwarders are judged by what came
//! in.

use super::Rule;
use crate::breaks::Class;
use crate::scenario::Expectation;

pub static KEPT: Rule = Rule {
    expectation: Expectation::TracestateKept,
    classes: &[
        Class::TracestateLeaked,
        Class::TracestateAltered,
        Class::TracestateCut,
        Class::TracestateLost,
        Class::TracestateReordered,
    ],
    clause: "a participant forwards the members of others unchanged and in order, and puts a new or changed member in front \
             (W3C Trace Context 3.5, https://www.w3.org/TR/trace-context-2/#mutating-the-tracestate-field)",
    looked_at: |all| {
        let carried = all.iter().filter(|crossing| {
            let due = crossing.due().members.as_ref().is_some_and(|members| !members.is_empty());
            !crossing.is_from_client() && (due || !crossing.due().left_members.is_empty())
        });
        u32::try_from(carried.count()).unwrap_or(u32::MAX)
    },
};
