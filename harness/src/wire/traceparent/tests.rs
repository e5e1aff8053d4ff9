//! The vectors of W3C Trace Context's grammar, by the ids of the requirements catalogue.

use proptest::prelude::*;

use super::*;

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";

/// `T` and `P` stand for a trace id and a parent id.
fn filled(pattern: &str) -> Vec<u8> {
    pattern.replace('T', TRACE).replace('P', PARENT).into_bytes()
}

fn parse(pattern: &str) -> Result<TraceParent, Refusal> {
    TraceParent::parse(&filled(pattern), Level::Two)
}

#[test]
fn what_continues_a_trace_parses() {
    let ones = format!("00-{}-{}-01", "f".repeat(32), "f".repeat(16));
    let low = format!("00-{}1-{}1-00", "0".repeat(31), "0".repeat(15));
    let table = [
        ("TP-10", "00-T-P-00"),
        ("TP-10", "00-T-P-01"),
        ("TP-10", &ones),
        ("TP-10", &low),
        ("TP-30", "01-T-P-01"),
        ("TP-30", "02-T-P-01"),
        ("TP-30", "cc-T-P-01"),
        ("TP-30", "fe-T-P-01"),
        ("TP-32", "cc-T-P-01-anything"),
        ("TP-32", "cc-T-P-01-"),
        ("TP-32", "cc-T-P-01-what-the-future-will-be-like"),
    ];
    for (id, pattern) in table {
        assert!(parse(pattern).is_ok(), "{id} {pattern}: {:?}", parse(pattern));
    }
}

#[test]
fn what_must_restart_a_trace_is_refused_with_its_reason() {
    use Reason::{Empty, ForbiddenVersion, Length, Missing, NotHex, TrailingData, UpperCase, Zero};
    use TraceParentPart::{Flags, ParentId, TraceId, Version};
    let table: &[(&str, &str, Reason)] = &[
        ("TP-11", "ff-T-P-01", ForbiddenVersion),
        ("TP-12", "0-T-P-01", Length(Version, 1)),
        ("TP-12", "000-T-P-01", Length(Version, 3)),
        ("TP-12", "0000-T-P-01", Length(Version, 4)),
        ("TP-12", ".0-T-P-01", NotHex(Version)),
        ("TP-12", "0.-T-P-01", NotHex(Version)),
        ("TP-12", "FF-T-P-01", UpperCase(Version)),
        ("TP-12", "A0-T-P-01", UpperCase(Version)),
        ("TP-12", "fE-T-P-01", UpperCase(Version)),
        ("TP-12", "qw-T-P-01", NotHex(Version)),
        ("TP-12", "0x-T-P-01", NotHex(Version)),
        ("TP-12", "+0-T-P-01", NotHex(Version)),
        ("TP-12", "-T-P-01", Length(Version, 0)),
        ("TP-12", "00_T_P_01", Length(Version, 55)),
        ("TP-13", "00-2345678901234567890123456789012-P-01", Length(TraceId, 31)),
        ("TP-13", "00-T3-P-01", Length(TraceId, 33)),
        ("TP-13", "00--P-01", Length(TraceId, 0)),
        ("TP-13", "00-00000000000000000000000000000000-P-01", Zero(TraceId)),
        ("TP-13", "00-.2345678901234567890123456789012-P-01", NotHex(TraceId)),
        ("TP-13", "00-1234567890123456789012345678901.-P-01", NotHex(TraceId)),
        ("TP-13", "00-ABCDEF78901234567890123456789012-P-01", UpperCase(TraceId)),
        ("TP-13", "00-1234567890123456789012345678901A-P-01", UpperCase(TraceId)),
        ("TP-13", "00-+2345678901234567890123456789012-P-01", NotHex(TraceId)),
        ("TP-13", "00-0x345678901234567890123456789012-P-01", NotHex(TraceId)),
        ("TP-13", "00-\u{ff11}45678901234567890123456789012-P-01", NotHex(TraceId)),
        ("TP-14", "00-T-234567890123456-01", Length(ParentId, 15)),
        ("TP-14", "00-T-P7-01", Length(ParentId, 17)),
        ("TP-14", "00-T-0000000000000000-01", Zero(ParentId)),
        ("TP-14", "00-T-ABCDEF7890123456-01", UpperCase(ParentId)),
        ("TP-14", "00-T-.234567890123456-01", NotHex(ParentId)),
        ("TP-14", "00-T-+234567890123456-01", NotHex(ParentId)),
        ("TP-15", "00-T-P-1", Length(Flags, 1)),
        ("TP-15", "00-T-P-001", Length(Flags, 3)),
        ("TP-15", "00-T-P-0.", NotHex(Flags)),
        ("TP-15", "00-T-P-.0", NotHex(Flags)),
        ("TP-15", "00-T-P-0A", UpperCase(Flags)),
        ("TP-15", "00-T-P-A1", UpperCase(Flags)),
        ("TP-15", "00-T-P-+1", NotHex(Flags)),
        ("TP-15", "00-T-P-", Length(Flags, 0)),
        ("TP-15", "00-T-P", Missing(Flags)),
        ("TP-16", "00-T-P-01.", Length(Flags, 3)),
        ("TP-16", "00-T-P-01-", TrailingData),
        ("TP-16", "00-T-P-01-x", TrailingData),
        ("TP-16", "00-T-P-01 x", Length(Flags, 4)),
        ("TP-16", "00-T-P-01,00-T-P-01", Length(Flags, 5)),
        ("TP-17", "00 - T-P-01", Length(Version, 3)),
        ("TP-17", "00-T- P-01", Length(ParentId, 17)),
        ("TP-17", "00:T:P:01", Length(Version, 55)),
        ("TP-20", "", Empty),
        ("TP-20", "-", Length(Version, 0)),
        ("TP-20", "---", Length(Version, 0)),
        ("TP-31", "cc-T-P-0", Length(Flags, 1)),
        ("TP-32", "cc-T-P-01.x", Length(Flags, 4)),
        ("TP-32", "cc-T-P-01x", Length(Flags, 3)),
        ("TP-32", "cc-T-P-011", Length(Flags, 3)),
        ("TP-33", "cc-P-T-01", Length(TraceId, 16)),
        ("TP-36", "cc-00000000000000000000000000000000-P-01", Zero(TraceId)),
        ("TP-36", "cc-T-0000000000000000-01", Zero(ParentId)),
        ("TP-36", "cc-ABCDEF78901234567890123456789012-P-01", UpperCase(TraceId)),
    ];
    for (id, pattern, reason) in table {
        let refusal = parse(pattern).expect_err(pattern);
        assert_eq!(refusal.reason, *reason, "{id} {pattern}");
        assert!(refusal.clause().contains("https://www.w3.org/TR/trace-context-2/#"), "{id}");
    }
}

/// TP-21.
#[test]
fn size_and_junk_are_refused_and_nothing_worse() {
    for junk in
        [vec![b'0'; 8 << 10], vec![b'0'; 64 << 10], vec![0], vec![b'-'; 10_000], b"\xff\xfe-\x80".to_vec()]
    {
        assert!(TraceParent::parse(&junk, Level::Two).is_err());
    }
}

/// TP-18: white space is the carrier's affair.
#[test]
fn white_space_is_refused_here_and_taken_away_by_trim_ows() {
    let padded = [b" \t".as_slice(), &filled("00-T-P-01"), b"\t "].concat();
    assert!(TraceParent::parse(&padded, Level::Two).is_err());
    assert!(TraceParent::parse(super::super::trim_ows(&padded), Level::Two).is_ok());
}

/// TP-34, TP-35.
#[test]
fn a_higher_version_is_printed_as_version_00_without_what_is_unknown() {
    for (level, flags) in [(Level::One, "01"), (Level::Two, "03")] {
        let future = TraceParent::parse(&filled("cc-T-P-ff-more"), level).unwrap();
        assert_eq!(future.version, 0xcc);
        assert_eq!(future.to_string(), format!("00-{TRACE}-{PARENT}-{flags}"));
    }
    let present = parse("00-T-P-ff").unwrap();
    assert_eq!(present.flags.undefined_bits(Level::Two), 0xfc, "evidence in version 00");
}

#[test]
fn the_caret_stands_under_what_is_wrong() {
    assert_eq!(parse("00-T-P7-01").unwrap_err().at, 36..53);
    assert_eq!(parse("00-T-P-0.").unwrap_err().at, 54..55);
    assert_eq!(parse("00-T-P-01-x").unwrap_err().at, 55..57);
    assert_eq!(parse("00-T").unwrap_err().at, 35..35);
    assert_eq!(parse("00-T-P7-01").unwrap_err().to_string(), "the parent id has 17 characters, expected 16");
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(trace: [u8; 16], parent: [u8; 8], flags: u8) {
        prop_assume!(trace != [0; 16] && parent != [0; 8]);
        let (trace, parent) = (TraceId::new(trace).unwrap(), SpanId::new(parent).unwrap());
        let sent = TraceParent::new(trace, parent, Flags(flags));
        prop_assert_eq!(TraceParent::parse(sent.to_string().as_bytes(), Level::Two), Ok(sent));
    }

    #[test]
    fn parsing_never_panics_and_points_into_the_value(value: Vec<u8>) {
        if let Err(refusal) = TraceParent::parse(&value, Level::Two) {
            prop_assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len());
        }
    }

    #[test]
    fn one_byte_changed_parses_only_where_it_is_still_hex(at in 0_usize..55, byte: u8) {
        let mut value = filled("00-T-P-01");
        value[at] = byte;
        if let Ok(parsed) = TraceParent::parse(&value, Level::Two) {
            prop_assert!(parsed.version != 0 || parsed.to_string().as_bytes() == value);
        }
    }
}
