//! Judging alone, on evidence of 100,000 spans: with and without reading the file, without breaks and with many.

use std::path::Path;
use std::time::Duration;

use unbroken::evidence::file::{self, StoredEvidence};
use unbroken::run::judge::{JudgeSettings, judge};
use unbroken::verdict::Verdict;

use crate::evidence::{BREAKS, healthy, plan};
use crate::processes::command;
use crate::table::{Samples, Table};

pub fn measure(table: &mut Table) {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/speed/three-hops.yaml");
    let plan = plan(&scenario);
    let seen = healthy(&plan);
    let spans = seen.spans.len();
    assert_eq!(spans, 100_000, "five spans a stimulus");
    let text = file::write(&plan, &seen);
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed-evidence.json");
    std::fs::write(&kept, &text).expect("the build folder is writable");

    let whole = Samples::take(1, 7, || {
        command(&["judge".as_ref(), scenario.as_os_str(), "--evidence".as_ref(), kept.as_os_str()]);
    });
    let aim = Some(Duration::from_secs(1));
    table.row("`unbroken judge`, a file of 100,000 spans and 60,000 captures", &whole, aim);
    table.note("size of that file", &format!("{} MB", text.len() / 1_000_000));
    let read = Samples::take(1, 7, || {
        let kept = StoredEvidence::read(&text).expect("it was written above");
        kept.evidence(&plan).expect("it belongs to this plan");
    });
    table.row("of that, reading it", &read, None);
    let settings = JudgeSettings::default();
    let mut last = None;
    let judged = Samples::take(1, 7, || last = Some(judge(&plan, &seen, &settings)));
    table.row("of that, judging it", &judged, None);
    let verdict = last.map(|last| last.verdict);
    assert_eq!(verdict, Some(Verdict::Pass), "it has no break");

    for (what, break_it) in BREAKS {
        let mut broken = seen.clone();
        break_it(&mut broken);
        let mut last = None;
        let judged = Samples::take(0, 3, || last = Some(judge(&plan, &broken, &settings)));
        table.row(&format!("judging it with {what}"), &judged, aim);
        let verdict = last.map(|last| last.verdict);
        assert_ne!(verdict, Some(Verdict::Pass), "{what}");
    }
}
