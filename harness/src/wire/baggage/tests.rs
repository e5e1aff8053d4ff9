//! The vectors of W3C Baggage, by the ids of the requirements catalogue.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn strict(line: &str) -> Result<Vec<BaggageEntry>, Refusal> {
    Baggage::parse([line.as_bytes()]).map(|baggage| baggage.entries)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn values_are_decoded_and_keys_are_not() {
    let table = [
        ("BG-07", "k=a=b=c", "k", "a=b=c"),
        ("BG-08", "k=100%2541", "k", "100%41"),
        ("BG-08", "k=a%5Cb%22%2C%3B%20%C3%A9", "k", "a\\b\",; \u{e9}"),
        ("BG-08", "k=a+b", "k", "a+b"),
        ("BG-09", "k=%FF", "k", "\u{fffd}"),
        ("BG-09", "k=a%C3%28", "k", "a\u{fffd}("),
        ("BG-11", "%6b=v", "%6b", "v"),
        ("BG-11", "Key=v", "Key", "v"),
        ("BG-12", "userId =   alice", "userId", "alice"),
        ("BG-12", "\tk\t=\tv\t;\tp\t", "k", "v"),
        ("BG-16", "k=", "k", ""),
    ];
    for (id, line, key, value) in table {
        for entries in [strict(line).expect(line), Baggage::entries_of([line.as_bytes()])] {
            assert_eq!(
                (entries.len(), text(&entries[0].key), text(&entries[0].value)),
                (1, key.into(), value.into()),
                "{id}"
            );
        }
    }
}

/// BG-13.
#[test]
fn properties_keep_order_and_duplicates() {
    let entries = strict("k=v;p1;p2=a%20b;p1=x;p%20q").unwrap();
    let property = |key: &str, value: Option<&str>| Property {
        key: key.as_bytes().to_vec(),
        value: value.map(|value| value.as_bytes().to_vec()),
    };
    let expected = [
        property("p1", None),
        property("p2", Some("a b")),
        property("p1", Some("x")),
        property("p%20q", None),
    ];
    assert_eq!(entries[0].properties, expected);
}

/// BG-06, BG-14.
#[test]
fn several_lines_are_one_list_and_equal_keys_stay() {
    let baggage = Baggage::parse([b"k=1, a=2".as_slice(), b"k=3"]).unwrap();
    let seen: Vec<_> = baggage.entries.iter().map(|e| (text(&e.raw), e.line, e.at.clone())).collect();
    assert_eq!(seen, [("k=1".into(), 0, 0..3), ("a=2".into(), 0, 5..8), ("k=3".into(), 1, 0..3)]);
}

#[test]
fn what_is_refused_has_its_reason_and_clause() {
    use Reason::{
        BaggageEscape, BaggageKeyCharacter, BaggageKeyEmpty, BaggageMemberEmpty, BaggagePropertyCharacter,
        BaggagePropertyEmpty, BaggageValueCharacter, BaggageWithoutEquals,
    };
    let table = [
        ("BG-10", "k=%zz", BaggageEscape, 2..3),
        ("BG-10", "k=a%4", BaggageEscape, 3..4),
        ("BG-15", "a,b=1", BaggageWithoutEquals, 0..1),
        ("BG-15", "=v", BaggageKeyEmpty, 0..0),
        ("BG-15", "k", BaggageWithoutEquals, 0..1),
        ("BG-15", "a=1,,b=2", BaggageMemberEmpty, 4..4),
        ("BG-15", "", BaggageMemberEmpty, 0..0),
        ("BG-08", "k=a b", BaggageValueCharacter, 3..4),
        ("BG-08", "k=\"v\"", BaggageValueCharacter, 2..3),
        ("BG-08", "k=a\\b", BaggageValueCharacter, 3..4),
        ("BG-08", "k=\u{e9}", BaggageValueCharacter, 2..3),
        ("BG-11", "a(b=1", BaggageKeyCharacter, 1..2),
        ("BG-13", "k=v;", BaggagePropertyEmpty, 4..4),
        ("BG-13", "k=v;a b", BaggagePropertyCharacter, 5..6),
        ("BG-13", "k=v;p=a b", BaggageValueCharacter, 7..8),
    ];
    for (id, line, reason, at) in table {
        let refusal = strict(line).expect_err(line);
        assert_eq!((refusal.reason, refusal.at.clone()), (reason, at), "{id} {line}");
        assert!(refusal.clause().contains("https://www.w3.org/TR/baggage/#"), "{id}");
    }
}

/// BG-10, BG-15: other members live on beside one that makes no sense.
#[test]
fn entries_of_takes_what_parsing_refuses() {
    let entries = Baggage::entries_of([b"a,b=1,,=v,c=%zz%4, \xff = \xfe".as_slice()]);
    let seen: Vec<_> = entries.iter().map(|e| (&e.key[..], &e.value[..])).collect();
    let expected: [(&[u8], &[u8]); 5] =
        [(b"a", b""), (b"b", b"1"), (b"", b"v"), (b"c", b"%zz%4"), (b"\xff", "\u{fffd}".as_bytes())];
    assert_eq!(seen, expected);
}

/// BG-02, BG-03, BG-05.
#[test]
fn the_limits_hold_for_all_lines_together() {
    let members = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    let (forty, most, surplus) = (members(40), members(64), members(65));
    assert!(within_limits([most.as_bytes()]));
    assert!(!within_limits([surplus.as_bytes()]));
    assert!(!within_limits([forty.as_bytes(), forty.as_bytes()]));
    let long = format!("k={}", "v".repeat(8190));
    assert!(within_limits([long.as_bytes()]));
    assert!(!within_limits([format!("{long}v").as_bytes()]));
    assert_eq!(strict(&members(181)).unwrap().len(), 181, "a fact, not a reason to refuse");
}

#[test]
fn doubled_entries_are_visible_in_any_line() {
    let entries = Baggage::entries_of([b"a=1, b=2;p,A=3".as_slice(), b"b=4,a"]);
    let doubled: Vec<_> = Baggage::doubled(&entries).map(|entry| (entry.line, entry.at.clone())).collect();
    assert_eq!(doubled, [(1, 0..3), (1, 4..5)]);
}

fn entry() -> impl Strategy<Value = BaggageEntry> {
    let token = || "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}".prop_map(String::into_bytes);
    let value = || any::<String>().prop_map(String::into_bytes);
    let property = (token(), option::of(value())).prop_map(|(key, value)| Property { key, value });
    (token(), value(), vec(property, 0..4)).prop_map(|(key, value, properties)| BaggageEntry {
        key,
        value,
        properties,
        raw: Vec::new(),
        line: 0,
        at: 0..0,
    })
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(entries in vec(entry(), 1..9)) {
        let sent = Baggage { entries };
        let line = sent.print();
        for read in [Baggage::parse([&line[..]]).unwrap().entries, Baggage::entries_of([&line[..]])] {
            let plain = |e: BaggageEntry| BaggageEntry { raw: Vec::new(), at: 0..0, ..e };
            prop_assert_eq!(&read.into_iter().map(plain).collect::<Vec<_>>(), &sent.entries);
        }
    }

    #[test]
    fn parsing_never_panics_and_points_into_the_line(lines: Vec<Vec<u8>>) {
        let borrowed = || lines.iter().map(Vec::as_slice);
        if let Err(refusal) = Baggage::parse(borrowed()) {
            prop_assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= lines[refusal.line].len());
        }
        for entry in Baggage::entries_of(borrowed()) {
            prop_assert_eq!(&lines[entry.line][entry.at.clone()], &entry.raw[..]);
            prop_assert!(std::str::from_utf8(&entry.value).is_ok());
        }
    }
}
