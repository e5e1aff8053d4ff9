//! Requests written by hand: every byte of them, and every framing of an answer.

use super::fixture::{Case, OK, service};
use crate::evidence::Answer;
use crate::plan::StimulusIx;
use crate::scenario::{DriveContext, HttpVersion};

const FIRST: StimulusIx = StimulusIx(0);

#[tokio::test]
async fn case_order_and_duplicates_of_names_are_on_the_wire_as_written() {
    let (address, mut seen) = service(OK).await;
    let mut case = Case::http(HttpVersion::Http1).at(Some("PUT"), Some("/a/../b c")).body("{}");
    case.drive.context = DriveContext::None { root: None };
    let case = case
        .header("TraceState", "foo=1")
        .header("x-between", "\u{1}odd\u{7f}\u{e9}")
        .header("tracestate", "bar=2")
        .header("TRACESTATE", "")
        .header("traceparent", "a")
        .header("traceparent", "b");
    assert_eq!(case.driver(address).unwrap().send(FIRST).await.answer, Answer::Http(200));
    let expected = format!(
        "PUT /a/../b c HTTP/1.1\r\nHost: {address}\r\nTraceState: foo=1\r\n\
         x-between: \u{1}odd\u{7f}\u{c3}\u{a9}\r\ntracestate: bar=2\r\nTRACESTATE: \r\ntraceparent: a\r\n\
         traceparent: b\r\ncontent-type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    assert_eq!(seen.recv().await.unwrap().1, expected);
}

#[tokio::test]
async fn lines_of_one_name_stay_where_they_were_put() {
    let (address, mut seen) = service(OK).await;
    let case = Case::http(HttpVersion::Http1).header("tracestate", "a=1").header("x-between", "1");
    case.header("tracestate", "b=2").driver(address).unwrap().send(FIRST).await;
    let (_, request) = seen.recv().await.unwrap();
    assert!(request.contains("\r\ntracestate: a=1\r\nx-between: 1\r\ntracestate: b=2\r\n"), "{request}");
}

#[tokio::test]
async fn an_invalid_traceparent_goes_out_byte_for_byte() {
    let (address, mut seen) = service(OK).await;
    let mut case = Case::http(HttpVersion::Http1);
    let traceparent = "00-\u{0}\u{ff11}-${parent-id}-01".to_owned();
    case.drive.context = DriveContext::Invalid { traceparent, root: None };
    let sent = case.plan().stimuli[0].sent.traceparent.clone().unwrap();
    case.driver(address).unwrap().send(FIRST).await;
    let request: Vec<u8> = seen.recv().await.unwrap().1.chars().map(|c| u8::try_from(c).unwrap()).collect();
    let line = [b"\r\ntraceparent: ", &sent[..], b"\r\n"].concat();
    assert!(request.windows(line.len()).any(|window| window == line));
}

#[tokio::test]
async fn framing_headers_of_the_drive_replace_the_drivers_own() {
    let (address, mut seen) = service(OK).await;
    let case = Case::http(HttpVersion::Http1).body("2\r\n{}\r\n0\r\n\r\n");
    let case =
        case.header("transfer-encoding", "chunked").header("host", "shop.example").header("connection", "x");
    case.driver(address).unwrap().send(FIRST).await;
    let (_, request) = seen.recv().await.unwrap();
    assert!(
        !request.contains("Host") && !request.contains("Content-Length") && !request.contains("Connection")
    );
    assert!(request.contains("host: shop.example\r\n"), "{request}");
}

#[tokio::test]
async fn answers_are_read_to_their_end_however_they_are_framed() {
    let table: [(&[u8], u16); 6] = [
        (OK, 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\ncontent-length: 0\r\n\r\n", 201),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: 1\r\n\r\n", 200),
        (b"HTTP/1.1 500 Broken\r\n\r\nto the end", 500),
        (b"HTTP/1.1 204 None\r\n\r\n", 204),
        (b"HTTP/1.1 304 Same\r\ncontent-length: 9\r\n\r\n", 304),
    ];
    for (answer, status) in table {
        let (address, _seen) = service(answer).await;
        let case = Case::http(HttpVersion::Http1).header("X-By-Hand", "1");
        assert_eq!(case.driver(address).unwrap().send(FIRST).await.answer, Answer::Http(status));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_is_no_http_has_failed() {
    let table: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nabc",
        b"SSH-2.0-x\r\n\r\n",
    ];
    for answer in table {
        let (address, _seen) = service(answer).await;
        let case = Case::http(HttpVersion::Http1).header("X-By-Hand", "1");
        let exchange = case.driver(address).unwrap().send(FIRST).await;
        let Answer::Failed(text) = &exchange.answer else { panic!("{exchange:?}") };
        assert!(text.starts_with("`shop` at 127.0.0.1:"), "{text}");
    }
}
