//! Connections that a tap cannot read: one gap at the tap that names the request and the reason, and no byte is lost.

use super::*;
use crate::evidence::GapPlace;
use crate::tap::{Peer, replay};

/// Returns the captures and gaps of what a sender sends.
fn see(protocol: TapProtocol, sent: &[u8]) -> (Vec<Capture>, Vec<Gap>) {
    let recorder = Recorder::new(100, true);
    let config =
        TapConfig::new(TapIx(2), TapPlan { protocol, ..plan() }, RUN, SocketAddr::from(([127, 0, 0, 1], 1)));
    let forwarded = replay(&config, recorder.clone(), &[(Peer::Sender, sent)]);
    assert_eq!(forwarded, sent);
    recorder.freeze()
}

fn http2_head(block: &[u8]) -> Vec<u8> {
    let length = u32::try_from(block.len()).unwrap().to_be_bytes();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    [preface, &length[1..], &[1, 4, 0, 0, 0, 1][..], block].concat()
}

#[test]
fn a_connection_that_cannot_be_read_is_one_gap_that_names_the_request() {
    let long = [b"GET /long?secret=1 HTTP/1.1\r\nx: ", &[b'a'; 256 * 1024][..]].concat();
    let metadata = http2_head(&vec![0x82; 300 * 1024]);
    let table: [(&str, TapProtocol, &[u8], &[&str]); 7] = [
        (
            "TLS",
            TapProtocol::Http,
            &[0x16, 3, 1, 2, 0, 1],
            &["it uses TLS, and the hop is not declared with `tls: true`"],
        ),
        (
            "target",
            TapProtocol::Http,
            b"GET /caf\xe9?secret=1 HTTP/1.1\r\n\r\n",
            &["at `GET /caf\\xe9`", "is not HTTP/1.1"],
        ),
        (
            "control",
            TapProtocol::Http,
            b"GET /a HTTP/1.1\r\nx: \x01\r\n\r\n",
            &["at `GET /a`", "invalid header value"],
        ),
        (
            "lengths",
            TapProtocol::Http,
            b"POST /a HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            &["at `POST /a`", "it has two lengths that differ"],
        ),
        ("head", TapProtocol::Http, &long, &["at `GET /long`", "a header section is longer than 256 KiB"]),
        ("metadata", TapProtocol::Grpc, &metadata, &["a header section is longer than 256 KiB"]),
        ("table", TapProtocol::Grpc, &http2_head(&[0xff, 0x80]), &["a header block cannot be decoded"]),
    ];
    for (what, protocol, sent, expected) in table {
        let (captures, gaps) = see(protocol, sent);
        assert_eq!(captures, [], "{what}");
        assert_eq!(gaps.len(), 1, "{what}: {gaps:?}");
        assert_eq!(gaps[0].place, GapPlace::Tap(TapIx(2)), "{what}");
        let text = &gaps[0].what;
        assert!(expected.iter().all(|part| text.contains(part)), "{what}: {text}");
        assert!(
            text.starts_with("the tap stopped reading connection 0") && !text.contains("secret"),
            "{text}"
        );
    }
}

#[test]
fn requests_before_the_one_that_cannot_be_read_are_captured() {
    let sent = b"GET /one HTTP/1.1\r\n\r\nGET /two\xff HTTP/1.1\r\n\r\nGET /three HTTP/1.1\r\n\r\n";
    let (captures, gaps) = see(TapProtocol::Http, sent);
    assert_eq!(captures.iter().map(|capture| capture.path.as_str()).collect::<Vec<_>>(), ["/one"]);
    assert!(
        matches!(&captures[0].end, CaptureEnd::Broken(how) if how.contains("could not read")),
        "{captures:?}"
    );
    assert!(gaps[0].what.contains("at `GET /two\\xff`"), "{gaps:?}");
}

#[test]
fn a_target_in_utf_8_is_read() {
    let (captures, gaps) = see(TapProtocol::Http, "GET /caf\u{e9}?a=1 HTTP/1.1\r\n\r\n".as_bytes());
    assert_eq!((captures[0].path.as_str(), gaps.len()), ("/caf\u{e9}", 0));
}
