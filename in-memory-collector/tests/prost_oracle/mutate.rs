//! Makes messages out of valid ones: changes to bytes, which mostly break them, and to trees of fields, which mostly
//! do not.

use fuzz_cases::Random;
use in_memory_collector::Signal;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList};

use super::super::samples;

/// Returns valid messages of all signals.
pub fn seeds() -> Vec<(Signal, Vec<u8>)> {
    let value = |value| AnyValue { value: Some(value) };
    let nested = Any::ArrayValue(ArrayValue {
        values: vec![
            value(Any::KvlistValue(KeyValueList { values: vec![samples::text("k", "v")] })),
            value(Any::BytesValue(vec![1, 2])),
            AnyValue { value: None },
        ],
    });
    let mut rich = samples::full_span();
    rich.attributes.push(samples::attribute("nested", nested));
    rich.attributes.push(samples::attribute("long", Any::IntValue(i64::MIN)));
    rich.attributes.push(samples::text("text", &"long ".repeat(40)));
    let mut odd = samples::span(1, 1, 0);
    odd.trace_id.clear();
    odd.span_id = vec![1, 2, 3];
    vec![
        (Signal::Traces, samples::traces(vec![rich])),
        (Signal::Traces, samples::traces(vec![odd, samples::span(2, 2, 1)])),
        (Signal::Logs, samples::logs(&["one", "größe"])),
        (Signal::Metrics, metrics()),
        (Signal::Profiles, profiles()),
    ]
}

/// Returns a request with each kind of metric, packed and unpacked numbers, and an exemplar.
fn metrics() -> Vec<u8> {
    let point =
        wrap(1, &[&b"\x11aaaaaaaa\x21bbbbbbbb"[..], &wrap(5, b"\x22\x08abcdefgh"), b"\x40\x01"].concat());
    let histogram = wrap(1, b"\x32\x10aaaaaaaabbbbbbbb\x31cccccccc\x3a\x08dddddddd\x29eeeeeeee");
    let exponential =
        wrap(1, &[&b"\x30\x03\x72\x00"[..0], &wrap(8, b"\x08\x01\x12\x02\x01\x02\x10\x05")].concat());
    let summary = wrap(1, &wrap(6, b"\x09aaaaaaaa"));
    let metric = |number, data: &[u8]| wrap(2, &[&b"\x0a\x01m"[..], &wrap(number, data)].concat());
    let all = [
        metric(5, &point),
        metric(7, &[&point[..], b"\x10\x02\x18\x01"].concat()),
        metric(9, &histogram),
        metric(10, &exponential),
        metric(11, &summary),
    ]
    .concat();
    wrap(1, &wrap(2, &all))
}

fn profiles() -> Vec<u8> {
    let sample = wrap(2, b"\x08\x01\x12\x02\x01\x02\x22\x01\x05\x2a\x08aaaaaaaa");
    let profile = wrap(2, &[&sample[..], b"\x20\x05\x3a\x02id"].concat());
    let dictionary =
        wrap(2, &[wrap(5, b"name"), wrap(6, &wrap(2, b"\x0a\x01v")), wrap(7, b"\x0a\x02\x01\x02")].concat());
    [wrap(1, &wrap(2, &profile)), dictionary].concat()
}

/// Returns a length-delimited field.
fn wrap(number: u8, inner: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(inner.len() as u64, &mut out);
    out.extend_from_slice(inner);
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Returns an attribute whose value is lists (`\x2a`) or maps (`\x32`) so many levels deep.
pub fn nested(depth: usize, open: &[u8], map: bool) -> Vec<u8> {
    let mut value = vec![0x10, 1];
    for _ in 0..depth / if map { 3 } else { 2 } {
        let element = if map { wrap(1, &wrap(2, &value)) } else { wrap(1, &value) };
        value = wrap(open[0] >> 3, &element);
    }
    let span = wrap(9, &[&b"\x0a\x01k"[..], &wrap(2, &value)].concat());
    wrap(1, &wrap(2, &wrap(2, &span)))
}

pub fn mutate(seeds: &[(Signal, Vec<u8>)], random: &mut Random) -> (Signal, Vec<u8>) {
    let (signal, mut bytes) = seeds[random.below(seeds.len())].clone();
    for _ in 0..1 + random.below(3) {
        if random.below(3) == 0 {
            change_bytes(&mut bytes, random);
        } else if let Some(mut fields) = parse(&bytes, 0) {
            change_fields(&mut fields, random);
            bytes = print(&fields);
        }
    }
    (signal, bytes)
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.next_u64() as u8),
        2 if !bytes.is_empty() => drop(bytes.remove(at)),
        3 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        4 if !bytes.is_empty() => bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)],
        _ => {
            let end = (at + random.below(12)).min(bytes.len());
            let copy = bytes[at.min(end)..end].to_vec();
            bytes.extend_from_slice(&copy);
        }
    }
}

/// A field as any reader sees it.
#[derive(Clone, Debug)]
struct Field {
    number: u64,
    value: Payload,
}

#[derive(Clone, Debug)]
enum Payload {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
    Group(Vec<Field>),
}

fn parse(mut bytes: &[u8], depth: u32) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = read_varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Payload::Varint(read_varint(&mut bytes)?),
            1 => Payload::Fixed64(take(&mut bytes, 8)?.try_into().ok()?),
            5 => Payload::Fixed32(take(&mut bytes, 4)?.try_into().ok()?),
            2 => {
                let length = read_varint(&mut bytes)?;
                let inner = take(&mut bytes, usize::try_from(length).ok()?)?;
                let message = (depth < 12 && !inner.is_empty()).then(|| parse(inner, depth + 1)).flatten();
                message.map_or_else(|| Payload::Bytes(inner.to_vec()), Payload::Message)
            }
            _ => return None,
        };
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in 0..10 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * shift);
        if *first < 0x80 {
            return Some(value);
        }
    }
    None
}

fn print(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        let key = field.number << 3;
        match &field.value {
            Payload::Varint(value) => {
                varint(key, &mut out);
                varint(*value, &mut out);
            }
            Payload::Fixed64(bytes) => {
                varint(key | 1, &mut out);
                out.extend_from_slice(bytes);
            }
            Payload::Fixed32(bytes) => {
                varint(key | 5, &mut out);
                out.extend_from_slice(bytes);
            }
            Payload::Bytes(bytes) => {
                varint(key | 2, &mut out);
                varint(bytes.len() as u64, &mut out);
                out.extend_from_slice(bytes);
            }
            Payload::Message(inner) => {
                let inner = print(inner);
                varint(key | 2, &mut out);
                varint(inner.len() as u64, &mut out);
                out.extend_from_slice(&inner);
            }
            Payload::Group(inner) => {
                varint(key | 3, &mut out);
                out.extend_from_slice(&print(inner));
                varint(key | 4, &mut out);
            }
        }
    }
    out
}

fn change_fields(fields: &mut Vec<Field>, random: &mut Random) {
    if fields.is_empty() {
        return fields.push(Field { number: 1 + random.next_u64() % 16, value: payload(random) });
    }
    let at = random.below(fields.len());
    if let Payload::Message(inner) = &mut fields[at].value
        && random.below(5) > 0
    {
        return change_fields(inner, random);
    }
    let copy = fields[at].clone();
    let other = random.below(fields.len());
    match random.below(8) {
        0 => drop(fields.remove(at)),
        1 => fields.insert(other, copy),
        2 => fields.swap(at, other),
        3 => {
            fields[at].number =
                [1 + random.next_u64() % 20, random.next_u64() % (1 << 29), 0][random.below(8).min(2)]
        }
        4 => fields[at].value = payload(random),
        5 => fields.insert(other, Field { number: 17 + random.next_u64() % 100, value: payload(random) }),
        6 => fields.insert(other, Field { number: copy.number, value: payload(random) }),
        _ => {
            let inner = vec![copy];
            fields[at].value =
                if random.below(2) == 0 { Payload::Group(inner) } else { Payload::Message(inner) };
        }
    }
}

fn payload(random: &mut Random) -> Payload {
    match random.below(8) {
        0 => Payload::Varint(random.next_u64() >> random.below(64)),
        1 => Payload::Varint(random.next_u64() % 3),
        2 => Payload::Fixed64(random.next_u64().to_le_bytes()),
        3 => Payload::Fixed32((random.next_u64() as u32).to_le_bytes()),
        4 => Payload::Bytes(vec![b'a'; random.below(20)]),
        5 => Payload::Bytes((0..random.below(9)).map(|_| random.next_u64() as u8).collect()),
        6 => Payload::Bytes("größe".as_bytes().to_vec()),
        _ => Payload::Group(vec![Field { number: 1 + random.next_u64() % 5, value: Payload::Varint(1) }]),
    }
}
