//! The vectors of tracestate's grammar, by the ids of the requirements catalogue.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn parse(lines: &[&str], level: Level) -> Result<Vec<String>, Refusal> {
    let state = TraceState::parse(lines.iter().map(|line| line.as_bytes()), level)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(state.members.iter().map(|member| text(&[&member.key[..], &member.value].join(&b'='))).collect())
}

#[test]
fn members_are_kept_in_order() {
    let value: String = (0x20..=0x7e_u8).filter(|b| *b != b',' && *b != b'=').map(char::from).collect();
    let full_value = format!("foo={value}");
    let full_key = "az09_-*/=1";
    let line: Vec<String> = (1..=32).map(|n| format!("bar{n:02}={n:02}")).collect();
    let spread: Vec<String> = line.chunks(8).map(|chunk| chunk.join(",")).collect();
    let (one, long) = (line.join(","), format!("foo={}", "x".repeat(256)));
    let key = format!("{}=1", "z".repeat(256));
    let table: &[(&str, Vec<&str>, Vec<&str>)] = &[
        ("TS-10", vec!["foo=1,bar=2"], vec!["foo=1", "bar=2"]),
        (
            "TS-11",
            vec!["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            vec!["foo=1", "bar=2", "rojo=1", "congo=2", "baz=3"],
        ),
        ("TS-12", vec![""], vec![]),
        ("TS-12", vec!["", "foo=1"], vec!["foo=1"]),
        ("TS-12", vec!["foo=1", ""], vec!["foo=1"]),
        ("TS-13", vec!["foo=1,,bar=2"], vec!["foo=1", "bar=2"]),
        ("TS-13", vec![",foo=1"], vec!["foo=1"]),
        ("TS-13", vec!["foo=1,"], vec!["foo=1"]),
        ("TS-13", vec![" , foo=1 , "], vec!["foo=1"]),
        ("TS-14", vec!["foo=1 \t,\t bar=2"], vec!["foo=1", "bar=2"]),
        ("TS-15", vec!["foo=  x"], vec!["foo=  x"]),
        ("TS-15", vec!["foo=x  "], vec!["foo=x"]),
        ("TS-16", vec![full_key], vec![full_key]),
        ("TS-16", vec![&full_value], vec![&full_value]),
        ("TS-17", vec![&key], vec![&key]),
        ("TS-18", vec![&long], vec![&long]),
        ("TS-22", vec!["foo=a;b"], vec!["foo=a;b"]),
        ("TS-24", vec![&one], line.iter().map(String::as_str).collect()),
        ("TS-24", spread.iter().map(String::as_str).collect(), line.iter().map(String::as_str).collect()),
        ("TS-28", vec!["foo=1,foo=2"], vec!["foo=1", "foo=2"]),
    ];
    for (id, lines, members) in table {
        for level in [Level::One, Level::Two] {
            assert_eq!(
                parse(lines, level).as_deref(),
                Ok(&members.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>()[..]),
                "{id}"
            );
        }
    }
}

/// TS-24 with empty members between: they are not counted.
#[test]
fn empty_members_do_not_count_towards_the_limit() {
    let padded: String = (1..=32).map(|n| format!(", ,b{n}={n},")).collect();
    assert_eq!(parse(&[&padded], Level::Two).unwrap().len(), 32);
}

#[test]
fn what_both_levels_refuse_has_its_reason_and_clause() {
    use Reason::{
        KeyCharacter, KeyEmpty, KeyStart, KeyTooLong, MemberWithoutEquals, TooManyMembers, ValueCharacter,
        ValueEmpty, ValueTooLong,
    };
    let surplus: String = (0..33).map(|n| format!("b{n}={n},")).collect();
    let key = format!("{}=1", "z".repeat(257));
    let value = format!("foo={}", "x".repeat(257));
    let table: &[(&str, &str, Reason)] = &[
        ("TS-17", &key, KeyTooLong(257)),
        ("TS-18", "foo=", ValueEmpty),
        ("TS-18", "foo= ", ValueEmpty),
        ("TS-18", &value, ValueTooLong(257)),
        ("TS-20", "@foo=1,bar=2", KeyStart),
        ("TS-21", "FOO=1", KeyStart),
        ("TS-21", "foo.bar=1", KeyCharacter),
        ("TS-21", "foo =1", KeyCharacter),
        ("TS-21", "f\u{f6}\u{f6}=1", KeyCharacter),
        ("TS-21", "=1", KeyEmpty),
        ("TS-22", "foo=bar=baz", ValueCharacter),
        ("TS-22", "foo=a\tb", ValueCharacter),
        ("TS-22", "foo=a\u{7f}", ValueCharacter),
        ("TS-22", "foo=\u{e9}", ValueCharacter),
        ("TS-23", "foo", MemberWithoutEquals),
        ("TS-23", "foo=1,bar", MemberWithoutEquals),
        ("TS-24", &surplus, TooManyMembers(33)),
    ];
    for (id, line, reason) in table {
        for level in [Level::One, Level::Two] {
            let refusal = parse(&[line], level).expect_err(line);
            assert_eq!(refusal.reason, *reason, "{id} {line}");
            assert!(refusal.clause().contains("https://www.w3.org/TR/trace-context-2/#"), "{id}");
        }
    }
}

/// TS-19, TS-20.
#[test]
fn level_2_takes_keys_that_level_1_refuses() {
    let tenant = format!("{}@v=1", "t".repeat(242));
    let system = format!("t@{}=1", "v".repeat(15));
    let table: &[(&str, Reason)] = &[
        ("1foo=1", Reason::KeyStart),
        ("foo@=1", Reason::SystemStart),
        ("foo@@b=1", Reason::KeyCharacter),
        ("a@b@c=1", Reason::KeyCharacter),
        ("a@1=1", Reason::SystemStart),
        (&tenant, Reason::TenantTooLong(242)),
        (&system, Reason::SystemTooLong(15)),
    ];
    for (line, reason) in table {
        assert_eq!(parse(&[line], Level::One).unwrap_err().reason, *reason, "{line}");
        assert!(parse(&[line], Level::Two).is_ok(), "{line}");
    }
    let longest = format!("{}@{}=1", "1".repeat(241), "v".repeat(14));
    assert!(parse(&[&longest], Level::One).is_ok());
}

#[test]
fn the_caret_stands_in_the_right_line() {
    let refusal = parse(&["foo=1", " bar=2, baz"], Level::Two).unwrap_err();
    assert_eq!((refusal.line, refusal.at), (1, 8..11));
    let refusal = parse(&["foo=1, bar=a=b"], Level::Two).unwrap_err();
    assert_eq!((refusal.line, refusal.at), (0, 12..13));
}

/// TS-28.
#[test]
fn equal_keys_are_reported() {
    let state = TraceState::parse([b"foo=1,bar=2".as_slice(), b"foo=3"], Level::Two).unwrap();
    let values: Vec<_> = state.duplicates().map(|member| &member.value[..]).collect();
    assert_eq!(values, [b"3"]);
}

#[test]
fn members_of_takes_what_parsing_refuses() {
    let members = TraceState::members_of([b" FOO = 1 ,,x".as_slice(), b"a=b=c"]);
    let seen: Vec<_> =
        members.iter().map(|m| (&m.bytes[..], m.key(), m.value(), m.line, m.at.clone())).collect();
    assert_eq!(seen[0], (&b"FOO = 1"[..], &b"FOO "[..], Some(&b" 1"[..]), 0, 1..8));
    assert_eq!(seen[1], (&b"x"[..], &b"x"[..], None, 0, 11..12));
    assert_eq!(seen[2], (&b"a=b=c"[..], &b"a"[..], Some(&b"b=c"[..]), 1, 0..5));
}

/// TS-28, TS-24, whether the members parse or not.
#[test]
fn doubled_and_surplus_members_of_any_bytes_are_visible() {
    let members = TraceState::members_of([b"a=1,B=2,a=3".as_slice(), b"B=2, b=4,a"]);
    let doubled: Vec<_> =
        TraceState::doubled(&members).map(|member| (member.line, member.at.clone())).collect();
    assert_eq!(doubled, [(0, 8..11), (1, 0..3), (1, 9..10)]);
    assert!(TraceState::surplus(&members).is_empty());
    let many: Vec<String> = (1..=34).map(|n| format!("k{n}={n}")).collect();
    let members = TraceState::members_of([many.join(",").as_bytes()]);
    let surplus: Vec<_> = TraceState::surplus(&members).iter().map(|member| &member.bytes[..]).collect();
    assert_eq!(surplus, [b"k33=33", b"k34=34"]);
}

#[test]
fn a_member_that_was_cut_is_the_start_of_what_came_in() {
    let members = |line: &str| TraceState::members_of([line.as_bytes()]);
    let whole = &members("congo=t61rcWkgMzE")[0];
    for (cut, expected) in
        [("congo=t61", true), ("con", true), ("congo=t61rcWkgMzE", false), ("cingo", false)]
    {
        assert_eq!(members(cut)[0].is_cut_from(whole), expected, "{cut}");
    }
}

#[test]
fn the_level_decides_whether_a_member_is_taken() {
    let member = &TraceState::members_of([b"a=1, 1foo=2".as_slice()])[1];
    let refusal = member.refusal(Level::One).expect("level 1 has no such key");
    assert_eq!((refusal.reason, refusal.line, refusal.at), (Reason::KeyStart, 0, 5..6));
    assert_eq!(member.refusal(Level::Two), None);
}

fn member() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    ("[a-z0-9][a-z0-9_*/@-]{0,20}", "[ -~&&[^,=]]{0,20}[!-~&&[^,=]]")
        .prop_map(|(k, v)| (k.into_bytes(), v.into_bytes()))
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(pairs in vec(member(), 0..32)) {
        let member = |(key, value): (Vec<u8>, Vec<u8>)| Member { key, value, line: 0, at: 0..0 };
        let state = TraceState { members: pairs.iter().cloned().map(member).collect() };
        let read = TraceState::parse([&state.print()[..]], Level::Two).unwrap();
        let read: Vec<_> = read.members.into_iter().map(|member| (member.key, member.value)).collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn parsing_never_panics_and_points_into_the_line(lines: Vec<Vec<u8>>) {
        let borrowed = || lines.iter().map(Vec::as_slice);
        for level in [Level::One, Level::Two] {
            if let Err(refusal) = TraceState::parse(borrowed(), level) {
                prop_assert!(refusal.at.end <= lines[refusal.line].len());
            }
        }
        let members = TraceState::members_of(borrowed());
        prop_assert_eq!(TraceState::surplus(&members).len(), members.len().saturating_sub(MEMBERS));
        for member in members {
            prop_assert_eq!(&lines[member.line][member.at.clone()], &member.bytes[..]);
        }
    }

    #[test]
    fn both_readings_agree_on_what_parses(line in "[a-c=, ]{0,30}") {
        if let Ok(state) = TraceState::parse([line.as_bytes()], Level::Two) {
            let raw: Vec<_> = TraceState::members_of([line.as_bytes()]).into_iter().map(|member| member.at).collect();
            let strict: Vec<_> = state.members.into_iter().map(|member| member.at).collect();
            prop_assert_eq!(raw, strict);
            let doubled = TraceState::members_of([line.as_bytes()]);
            let doubled: Vec<_> = TraceState::doubled(&doubled).map(|member| member.at.clone()).collect();
            let strict = TraceState::parse([line.as_bytes()], Level::Two).unwrap();
            let strict: Vec<_> = strict.duplicates().map(|member| member.at.clone()).collect();
            prop_assert_eq!(doubled, strict);
        }
    }
}
