//! Frames written by hand, so that what the tap reads was not printed by what reads it.

pub type Bytes = Vec<u8>;

pub const PROTOCOL: &[u8] = b"AMQP\x00\x00\x09\x01";
pub const HEARTBEAT: &[u8] = b"\x08\x00\x00\x00\x00\x00\x00\xce";

pub fn frame(kind: u8, channel: u16, payload: &[u8]) -> Bytes {
    let size = u32::try_from(payload.len()).unwrap();
    [&[kind], &channel.to_be_bytes()[..], &size.to_be_bytes(), payload, &[0xce]].concat()
}

pub fn method(channel: u16, id: (u16, u16), arguments: &[Bytes]) -> Bytes {
    frame(1, channel, &[&id.0.to_be_bytes(), &id.1.to_be_bytes(), &arguments.concat()[..]].concat())
}

/// A header frame and a body frame for each piece. `properties` are flags and what they announce.
pub fn content(channel: u16, properties: &[u8], pieces: &[&[u8]]) -> Bytes {
    let size: usize = pieces.iter().map(|piece| piece.len()).sum();
    let size = u64::try_from(size).unwrap().to_be_bytes();
    let header = frame(2, channel, &[&[0, 60, 0, 0], &size[..], properties].concat());
    let bodies = pieces.iter().map(|piece| frame(3, channel, piece));
    std::iter::once(header).chain(bodies).collect::<Vec<_>>().concat()
}

pub fn octet(value: u8) -> Bytes {
    vec![value]
}

pub fn short(value: u16) -> Bytes {
    value.to_be_bytes().to_vec()
}

pub fn long_long(value: u64) -> Bytes {
    value.to_be_bytes().to_vec()
}

pub fn text(text: &str) -> Bytes {
    [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

pub fn long(bytes: &[u8]) -> Bytes {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// One entry of a table: the value with its type before it.
pub fn entry(name: &str, kind: u8, value: &[u8]) -> Bytes {
    [text(name), vec![kind], value.to_vec()].concat()
}

/// Flags for headers alone, and the table.
pub fn headers(entries: &[Bytes]) -> Bytes {
    [short(1 << 13), long(&entries.concat())].concat()
}

pub fn no_properties() -> Bytes {
    short(0)
}

pub fn publish(channel: u16, exchange: &str, routing_key: &str, mandatory: bool) -> Bytes {
    let arguments = [short(0), text(exchange), text(routing_key), octet(u8::from(mandatory))];
    method(channel, (60, 40), &arguments)
}

pub fn deliver(channel: u16, consumer: &str, tag: u64, redelivered: bool) -> Bytes {
    let place = [text("ex"), text("key")].concat();
    let arguments = [text(consumer), long_long(tag), octet(u8::from(redelivered)), place];
    method(channel, (60, 60), &arguments)
}

pub fn consume(channel: u16, queue: &str, consumer: &str, bits: u8) -> Bytes {
    let arguments = [short(0), text(queue), text(consumer), octet(bits), long(b"")];
    method(channel, (60, 20), &arguments)
}

pub fn consume_ok(channel: u16, consumer: &str) -> Bytes {
    method(channel, (60, 21), &[text(consumer)])
}

pub fn ack(channel: u16, tag: u64, multiple: bool) -> Bytes {
    method(channel, (60, 80), &[long_long(tag), octet(u8::from(multiple))])
}

/// Bit 0 is `multiple`, bit 1 `requeue`.
pub fn nack(channel: u16, tag: u64, bits: u8) -> Bytes {
    method(channel, (60, 120), &[long_long(tag), octet(bits)])
}

pub fn reject(channel: u16, tag: u64, requeue: bool) -> Bytes {
    method(channel, (60, 90), &[long_long(tag), octet(u8::from(requeue))])
}

pub fn confirm_select(channel: u16) -> Bytes {
    method(channel, (85, 10), &[octet(0)])
}

/// `id` is that of `channel.close` or `connection.close`.
pub fn close(channel: u16, id: (u16, u16), why: (u16, &str), by: (u16, u16)) -> Bytes {
    method(channel, id, &[short(why.0), text(why.1), short(by.0), short(by.1)])
}
