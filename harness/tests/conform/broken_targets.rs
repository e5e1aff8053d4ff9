//! Targets that end, refuse, or do not start, and command lines that name none: each is reported with its reason.

use super::*;

#[test]
fn vectors_that_break_the_target_are_named_and_the_others_are_judged() {
    let folder = Folder::new("breaks");
    folder.write("service.py", SERVICE);
    let only = ["--only", "TP-22,TP-11,ID-05", "--timeout", "2s"];
    let run = |how: &str| {
        let service = ["--", "python3", "service.py", "${self.port}", how];
        json(&folder, &[&only[..], &service[..]].concat())
    };
    for (how, kind) in [
        ("hang", "no-answer"),
        ("die", "target-ended"),
        ("500", "answered-with-error"),
        ("silent", "not-called-back"),
        ("drop", "broken-off"),
    ] {
        let (status, report) = run(how);
        assert_eq!(status, Some(4), "{how}");
        let odd = odd(&report);
        // `decimal` is the vector that it does so on.
        assert!(odd.len() == 1 && odd[0].starts_with("TP-22/decimal: fail"), "{how}: {odd:#?}");
        let vectors =
            report["requirements"].as_array().unwrap().iter().flat_map(|r| r["vectors"].as_array().unwrap());
        let failed = vectors.into_iter().find(|vector| vector["name"] == "decimal").unwrap();
        assert_eq!(failed["mismatch"]["kind"], kind, "{how}");
        // The output of a target that has ended is a part of its mismatch.
        let has_output = failed["output"].to_string().contains("it goes wrong here: ");
        assert_eq!(has_output, matches!(how, "hang" | "500" | "drop"), "{how}: {failed:#}");
    }
    for (how, note) in [("late", "called back after it had answered"), ("twice", "more than once")] {
        let (status, report) = run(how);
        assert_eq!((status, odd(&report).len()), (Some(0), 0), "{how}: {:#?}", odd(&report));
        assert!(report.to_string().contains(note), "{how}: {report:#}");
        let service = ["--", "python3", "service.py", "${self.port}", how];
        let (_, out, problems) = conform(&folder, &[&only[..], &service[..]].concat());
        let line = out.lines().find(|line| line.starts_with("note: ")).unwrap_or_default();
        assert!(line.contains(note) && line.ends_with(": `TP-22/decimal`"), "{how}: {out}");
        assert!(problems.contains("[1/1] default: 11 pass ("), "{how}: {problems}");
    }
}

/// A service that answers each request with an error, and prints why.
const REFUSING: &str = "import http.server, sys\nclass S(http.server.BaseHTTPRequestHandler):\n  def do_POST(self):\n    \
    print('I do not know that method', flush=True)\n    self.send_error(500)\n\
    http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), S).serve_forever()";

#[test]
fn what_cannot_be_tried_is_reported_with_its_reason() {
    let folder = Folder::new("usage");
    for (arguments, status, part) in [
        (&[][..], 2, "no target"),
        (&["relay:go"], 2, "there is no relay `go`"),
        (&["https://127.0.0.1/"], 2, "plaintext"),
        (&["relay:model", "--only", "TP-99"], 2, "did you mean"),
        (&["relay:model", "--suite", "trace-contex"], 2, "there is no suite `trace-contex`"),
        (&["relay:rust", "--fault", "inject-nothing"], 2, "has no faults"),
        (&["http://127.0.0.1:1/"], 5, "does not call back"),
        (&["--", "no-such-program"], 5, "did not start"),
        (
            &["--ready-within", "1s", "--", "sh", "-c", "echo up; sleep 60"],
            5,
            "nothing listens at 127.0.0.1:",
        ),
        (&["--", "python3", "-c", REFUSING, "${self.port}"], 5, "| I do not know that method"),
        (&["--", "sh", "-c", "echo broken >&2; exit 3"], 5, "exit status 3"),
        (&["relay:model", "--only", "TF-05", "--level", "1"], 6, "no requirement was selected"),
    ] {
        let (ended, _, problems) = conform(&folder, arguments);
        assert!(ended == Some(status) && problems.contains(part), "{arguments:?}: {ended:?} {problems}");
    }
}
