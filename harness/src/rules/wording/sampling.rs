//! The sampled flag and the spans that it promises.

use super::Example;
use crate::breaks::Flag;
use crate::breaks::break_kind::{Silence, SurplusSpan, UnexportedSpan};
use crate::wire::Level;

pub(super) fn flag_changed(example: Example<'_>, flag: Flag, set: bool) -> String {
    let change = match (flag, set) {
        (Flag::Sampled, false) => "cleared the sampled flag of a sampled trace".to_owned(),
        (Flag::Sampled, true) => "set the sampled flag of an unsampled trace".to_owned(),
        (Flag::Random, false) => "cleared the random flag".to_owned(),
        (Flag::Random, true) => "set the random flag".to_owned(),
        (Flag::Debug, false) => "dropped the debug flag".to_owned(),
        (Flag::Debug, true) => "set the debug flag".to_owned(),
        (Flag::Decision, _) => "left the sampling decision open, which was made,".to_owned(),
        (Flag::Undefined, _) => {
            let flags = example.broken.actual.flags();
            let bits = flags.map_or(0, |flags| flags.undefined_bits(Level::Two));
            format!("set undefined flags ({bits:#04x})")
        }
    };
    format!("{} {change} in {}", example.who(), example.request())
}

pub(super) fn sampled_out(example: Example<'_>, span: UnexportedSpan) -> String {
    let (who, request) = (example.who(), example.request());
    match span {
        UnexportedSpan::OnTheWire => format!(
            "{who} injected the id of a span that it did not export into {request}, although the trace is sampled"
        ),
        UnexportedSpan::Incoming => {
            format!("{who} exported no span for {request}, although it was to be sampled")
        }
    }
}

pub(super) fn sampled_in(example: Example<'_>, span: SurplusSpan) -> String {
    let (who, request) = (example.who(), example.request());
    match span {
        SurplusSpan::AgainstRoot => {
            format!("{who} exported a span for {request}, although its root sampler had to drop it")
        }
        SurplusSpan::Incoming => format!("{who} exported a span for {request}, which was not sampled"),
        SurplusSpan::Other => {
            format!("{who} exported the span {} in an unsampled trace", example.span_name())
        }
    }
}

pub(super) fn not_exported(example: Example<'_>, silence: Silence) -> String {
    let (who, request) = (example.who(), example.request());
    match silence {
        Silence::NoIncomingSpan => format!("{who} exported no span for {request}"),
        Silence::Untapped => {
            format!("{who} exported no span in the trace, and no tap saw what it received")
        }
    }
}
