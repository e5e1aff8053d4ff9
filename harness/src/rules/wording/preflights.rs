//! Preflights whose answer lets a browser not send a request.

use super::{Example, answers};
use crate::evidence::Preflight;

/// Returns what was not allowed.
pub(super) fn refused(example: Example<'_>) -> String {
    let (who, request, origin) = (example.who(), example.request(), origin(example));
    let what = match example.broken.expected.header_names() {
        [] => "to send anything".to_owned(),
        names => format!("to send `{}`", names.join("` and `")),
    };
    format!("{who} does not allow a page of `{origin}` {what}, so a browser does not send {request}")
}

/// Returns what the answer had to allow.
pub(super) fn expected(example: Example<'_>, names: &[String]) -> String {
    match names {
        [] => format!("status 200 to 299 and `Access-Control-Allow-Origin: {}`", origin(example)),
        names => format!("`{}` in `Access-Control-Allow-Headers`", names.join("` and `")),
    }
}

/// Returns what the answer allows.
pub(super) fn answered(example: Example<'_>, ix: usize) -> String {
    let Preflight { answer, allowed_origins, allowed_headers, .. } = &example.all.evidence.preflights[ix];
    let status = answers::answer(answer);
    let origins = lines("Access-Control-Allow-Origin", allowed_origins);
    let headers = lines("Access-Control-Allow-Headers", allowed_headers);
    format!("{status}, {origins}, {headers}")
}

fn lines(name: &str, values: &[Vec<u8>]) -> String {
    if values.is_empty() {
        return format!("no `{name}`");
    }
    let lines: Vec<String> =
        values.iter().map(|value| format!("`{name}: {}`", value.escape_ascii())).collect();
    lines.join(", ")
}

fn origin(example: Example<'_>) -> String {
    let plan = example.all.plan;
    let drives = plan.scenario.drives.iter();
    let mut of_hop = drives.filter(|drive| drive.send == example.broken.hop && drive.origin.is_some());
    let own = example.broken.stimulus.map(|ix| &plan.scenario.drives[plan.stimulus(ix).drive]);
    own.or_else(|| of_hop.next()).and_then(|drive| drive.origin.clone()).unwrap_or_default()
}
