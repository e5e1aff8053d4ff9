//! The catalogue of requirements: each is listed and explained, every case of the W3C suite is covered, and the schema
//! of suites is checked in.

use std::process::Output;

use super::*;

#[test]
fn every_requirement_can_be_listed_and_explained() {
    let folder = Folder::new("list");
    let (status, list, _) = conform(&folder, &["--list", "--level", "3"]);
    assert_eq!(status, Some(0));
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(ids.len() >= 80, "{} requirements", ids.len());
    for id in [ids[0], ids[ids.len() - 1]] {
        let Output { status, stdout, .. } = unbroken(&folder.0).args(["explain", id]).output().unwrap();
        let page = String::from_utf8_lossy(&stdout).into_owned();
        assert!(status.success() && page.starts_with(&format!("# {id}: ")), "{page}");
    }
    let suites = unbroken::conform::suites();
    for requirement in suites.iter().flat_map(|suite| &suite.requirements) {
        for vector in &requirement.vectors {
            let title = format!("{}/{}", requirement.id, vector.name);
            let page = unbroken::report::conformance::explain::explain(&suites, &title);
            assert!(page.is_some_and(|page| page.starts_with(&format!("# {title}: "))), "{title}");
        }
    }
    for (word, part) in [("TP-12/nothing", "lists its vectors"), ("TP-99", "--only TP`"), ("zz", "no topic")]
    {
        let Output { status, stderr, .. } = unbroken(&folder.0).args(["explain", word]).output().unwrap();
        let problem = String::from_utf8_lossy(&stderr).into_owned();
        assert!(status.code() == Some(2) && problem.contains(part), "{word}: {problem}");
    }
}

#[test]
fn suites_of_other_formats_are_tried_on_request_where_the_target_implements_them() {
    let folder = Folder::new("formats");
    let (_, list, _) = conform(&folder, &["--list"]);
    assert!(!list.contains("B3-01"), "{list}");
    let (_, list, _) = conform(&folder, &["--list", "--suite", "all"]);
    for id in ["B3-01", "JG-01", "XR-01", "GC-01", "DD-01", "TP-10"] {
        assert!(list.contains(id), "{id}: {list}");
    }
    let (status, report) = json(&folder, &["relay:model", "--suite", "jaeger,trace-context"]);
    assert_eq!(status, Some(0), "{:#?}", odd(&report));
    let unsupported = "unsupported: null \"`relay:model` does not implement the propagator `jaeger`\"";
    assert!(odd(&report).iter().all(|line| line.ends_with(unsupported)), "{:#?}", odd(&report));
    // The published propagator adds the headers of the other encoding (fixtures/relay-rust/README.md).
    let (status, report) = json(&folder, &["relay:rust", "--suite", "b3", "--only", "B3-03,B3-12,B3M-03"]);
    let odd = odd(&report);
    assert!(status == Some(4) && odd.len() == 2, "{odd:#?}");
    assert!(odd.iter().all(|line| line.starts_with("B3-03/") && line.contains("`x-b3-traceid`")), "{odd:#?}");
}

/// The 41 cases of w3c/trace-context `test/test.py`.
const W3C: &[&str] = &[
    "test_both_traceparent_and_tracestate_missing",
    "test_traceparent_included_tracestate_missing",
    "test_traceparent_duplicated",
    "test_traceparent_header_name",
    "test_traceparent_header_name_valid_casing",
    "test_traceparent_version_0x00",
    "test_traceparent_version_0xcc",
    "test_traceparent_version_0xff",
    "test_traceparent_version_illegal_characters",
    "test_traceparent_version_too_long",
    "test_traceparent_version_too_short",
    "test_traceparent_trace_id_all_zero",
    "test_traceparent_trace_id_illegal_characters",
    "test_traceparent_trace_id_too_long",
    "test_traceparent_trace_id_too_short",
    "test_traceparent_parent_id_all_zero",
    "test_traceparent_parent_id_illegal_characters",
    "test_traceparent_parent_id_too_long",
    "test_traceparent_parent_id_too_short",
    "test_traceparent_trace_flags_illegal_characters",
    "test_traceparent_trace_flags_too_long",
    "test_traceparent_trace_flags_too_short",
    "test_traceparent_ows_handling",
    "test_tracestate_included_traceparent_missing",
    "test_tracestate_included_traceparent_included",
    "test_tracestate_header_name",
    "test_tracestate_header_name_valid_casing",
    "test_tracestate_empty_header",
    "test_tracestate_multiple_headers_different_keys",
    "test_tracestate_duplicated_keys",
    "test_tracestate_all_allowed_characters",
    "test_tracestate_ows_handling",
    "test_tracestate_key_illegal_characters",
    "test_tracestate_key_illegal_vendor_format",
    "test_tracestate_member_count_limit",
    "test_tracestate_key_length_limit",
    "test_tracestate_value_illegal_characters",
    "test_multiple_requests_with_valid_traceparent",
    "test_multiple_requests_without_traceparent",
    "test_multiple_requests_with_illegal_traceparent",
    "test_propagates_random_flag",
];

#[test]
fn every_case_of_the_w3c_suite_is_covered() {
    assert_eq!(W3C.len(), 41);
    let suites = unbroken::conform::suites();
    let covered: Vec<&str> = suites
        .iter()
        .flat_map(|suite| &suite.requirements)
        .flat_map(|requirement| requirement.w3c.iter().map(String::as_str))
        .collect();
    let missing: Vec<_> = W3C.iter().filter(|case| !covered.contains(case)).collect();
    let unknown: Vec<_> = covered.iter().filter(|case| !W3C.contains(case)).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
}

#[test]
fn the_schema_of_suites_is_the_one_that_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/conformance/schema.json");
    let schema = format!("{:#}\n", unbroken::conform::suite::schema());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == schema, "scenarios/conformance/schema.json is stale: run with UPDATE_EXPECT=1");
}
