//! Checks that a case has no more crossings than a run can record: `times` multiply along the causes of a hop.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::Draft;
use crate::scenario::complaints::Complaints;
use crate::scenario::index::HopIx;

/// The most crossings of one case, as many as a case has captures.
const MOST: u64 = 1_000_000;

/// Checks each drive. `driven` holds for each hop whether a drive causes it in the end; the causes of such a hop have
/// no circle.
pub(super) fn check(draft: &Draft<'_>, driven: &[bool], complaints: &mut Complaints) {
    for sent in &draft.drives {
        let stimuli = u64::from(sent.drive.times);
        let (mut sum, mut largest) = (0_u64, (0_u64, sent.drive.send));
        for (index, _) in driven.iter().enumerate().filter(|(_, driven)| **driven) {
            let ix = HopIx(index);
            let Some(times) = times_within(draft, ix, sent.drive.send) else { continue };
            let crossings = times.saturating_mul(stimuli);
            sum = sum.saturating_add(crossings);
            largest = largest.max((crossings, ix));
        }
        if sum > MOST {
            let hop = draft.hop(largest.1);
            let message = format!(
                "this drive causes {} crossings, and a case has at most {}",
                grouped(sum),
                grouped(MOST)
            );
            let also = format!("`{}` is crossed {} times", hop.id, grouped(largest.0));
            let help = "lower `times` of the drive or of the hops, or use several scenarios";
            let diagnostic = Diagnostic::new("too-many-crossings", sent.drive.place, message);
            complaints.report(diagnostic.also(hop.place, also).help(help));
        }
    }
}

/// Returns how often one stimulus over `first` crosses a hop at least; `None` if it does not cause the hop.
fn times_within(draft: &Draft<'_>, hop: HopIx, first: HopIx) -> Option<u64> {
    let (mut times, mut at) = (1_u64, hop);
    while let Some(cause) = draft.hop(at).within {
        times = times.saturating_mul(u64::from(draft.hop(at).times.min));
        at = cause;
    }
    (at == first || draft.hop(at).shares_message(draft.hop(first))).then_some(times)
}

/// Returns a number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
