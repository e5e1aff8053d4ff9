//! The search through bodies, messages of brokers and gRPC streams.

use proptest::prelude::*;

use super::*;
use crate::plan::StimulusIx;

const RUN: u32 = 0xab;

fn mark(stimulus: usize) -> Mark {
    Mark { run: RUN, stimulus: StimulusIx(stimulus), call: None, item: None }
}

fn header(name: &str, value: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    vec![(name.as_bytes().to_vec(), value.as_bytes().to_vec())]
}

fn with_coding(coding: &str, body: &[u8]) -> CaptureMark {
    in_message(&[], RUN, &header("content-encoding", coding), body)
}

/// Returns all results for a body that arrives in parts.
fn results(headers: &[(Vec<u8>, Vec<u8>)], parts: &[&[u8]]) -> Vec<CaptureMark> {
    let mut results = Vec::new();
    let head = SearchedHead { target: "/shop.Orders/Place", headers };
    let mut search = Search::begin(&[], RUN, head, &mut |mark| results.push(mark));
    for part in parts {
        search.body(part, &mut |mark| results.push(mark));
    }
    search.finish(&mut |mark| results.push(mark));
    results
}

fn message(flag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[flag], &length[..], content].concat()
}

fn marked_message(stimulus: usize) -> Vec<u8> {
    message(0, format!("\n\x10{}", mark(stimulus)).as_bytes())
}

#[test]
fn the_name_of_a_charset_is_no_compression() {
    let text = mark(3).to_string();
    for coding in
        ["utf-8", "UTF-8", "utf8", "us-ascii", "iso-8859-1", "windows-1252", "binary", "identity", ""]
    {
        assert_eq!(with_coding(coding, text.as_bytes()), CaptureMark::By(mark(3)), "{coding}");
        assert_eq!(with_coding(coding, b"no mark here"), CaptureMark::Absent, "{coding}");
    }
}

#[test]
fn a_plain_body_that_declares_a_compression_is_searched_too() {
    assert_eq!(with_coding("gzip", mark(3).to_string().as_bytes()), CaptureMark::By(mark(3)));
    for coding in ["gzip", "br", "zstd", "utf-16"] {
        assert!(matches!(with_coding(coding, b"\x1f\x8b\x08"), CaptureMark::Unreadable(_)), "{coding}");
    }
}

#[test]
fn each_message_of_a_grpc_stream_has_its_own_mark() {
    let stream = [marked_message(1), message(0, b"no mark"), marked_message(2), marked_message(2)].concat();
    let expected = [1, 2, 2].map(|stimulus| CaptureMark::By(mark(stimulus)));
    let headers = header("content-type", "application/grpc+proto");
    assert_eq!(results(&headers, &[&stream]), expected);
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(results(&headers, &bytes), expected);
}

#[test]
fn a_mark_does_not_span_two_messages() {
    let text = mark(1).to_string();
    let (first, second) = text.as_bytes().split_at(5);
    let stream = [message(0, first), message(0, second)].concat();
    assert_eq!(results(&header("content-type", "application/grpc"), &[&stream]), []);
}

#[test]
fn messages_that_cannot_be_searched_are_named_by_their_number() {
    let long = message(0, &[b'x'; COPIED + 1]);
    let stream = [marked_message(1), message(1, b"\x1f\x8b"), long].concat();
    let expected = [
        CaptureMark::By(mark(1)),
        CaptureMark::Unreadable("gRPC message 2 is compressed".to_owned()),
        CaptureMark::Unreadable("the first 64 KiB of gRPC message 3 have no mark".to_owned()),
    ];
    assert_eq!(results(&header("content-type", "application/grpc"), &[&stream]), expected);
}

#[test]
fn a_message_that_is_cut_off_is_searched_as_far_as_it_came() {
    let whole = marked_message(1);
    let cut = [&whole[..], &[0, 0, 0, 1, 0], mark(2).to_string().as_bytes()].concat();
    let expected = [1, 2].map(|stimulus| CaptureMark::By(mark(stimulus)));
    assert_eq!(results(&header("content-type", "application/grpc"), &[&cut]), expected);
}

proptest! {
    #[test]
    fn any_bytes_are_searched_without_a_panic(
        grpc: bool,
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..32),
    ) {
        let headers = if grpc { header("content-type", "application/grpc") } else { Vec::new() };
        let head = SearchedHead { target: "/", headers: &headers };
        let mut search = Search::begin(&[Marker::Body("a.0.b".to_owned())], RUN, head, &mut |_| {});
        for part in &parts {
            search.body(part, &mut |_| {});
        }
        search.finish(&mut |_| {});
        prop_assert!(matches!(search, Search::Over));
    }

    #[test]
    fn the_parts_in_which_a_stream_arrives_do_not_matter(
        stimuli in proptest::collection::vec(0_usize..9, 0..6),
        cut in 1_usize..40,
    ) {
        let stream: Vec<u8> = stimuli.iter().flat_map(|stimulus| marked_message(*stimulus)).collect();
        let parts: Vec<&[u8]> = stream.chunks(cut).collect();
        let expected: Vec<_> = stimuli.iter().map(|stimulus| CaptureMark::By(mark(*stimulus))).collect();
        prop_assert_eq!(results(&header("content-type", "application/grpc"), &parts), expected);
    }
}
