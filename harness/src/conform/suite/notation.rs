//! The notation for bytes in a suite's file: text as it stands, with escapes and placeholders.
//!
//! - `\xNN` one byte, `\t` a tab, `\\` a backslash, `\{` and `\}` braces
//! - `{T}` the trace id of the request and `{P}` its parent id, minted for each request, as lower-case hex
//! - `{T:upper}` in upper case (it always has a letter), `{T:31}` the first 31 digits, `{T:-24}` the last 24
//! - `{T:low}` the right-most 16 digits, `{T:decimal}` the same as a decimal number, `{T:bytes}` the id as raw bytes
//! - `{base64 text}` what the text inside stands for as base64 without padding, `{base64= text}` with padding
//! - `{text*N}` a text N times, such as `{a*256}`
//! - `{members FROM..TO}` a list: `k01=1,k02=2`, numbered from FROM to TO
//!
//! A quoted YAML text with `"` has escapes of its own; suites use `'` or none.

use crate::wire::{base64, hex};

/// A name or value to send or to expect, with placeholders for the ids of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Id { which: Which, form: Form },
    Base64 { inside: Text, is_padded: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Trace,
    Parent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Lower,
    Upper,
    /// This many digits from the left.
    First(usize),
    /// This many digits from the right.
    Last(usize),
    /// The right-most 16 digits.
    Low,
    /// As an unsigned decimal number of the right-most 64 bits.
    Decimal,
    /// The raw bytes.
    Bytes,
}

/// The ids of one request, in lower-case hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestIds {
    pub trace_id: String,
    pub parent_id: String,
}

/// The reason why a text does not follow the notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    #[error("a `{{` has no `}}` behind it; write `\\{{` for the character")]
    Unclosed,
    #[error("a `}}` has no `{{` before it; write `\\}}` for the character")]
    Unopened,
    #[error("it stands for more than {MOST_BYTES} bytes")]
    TooLong,
    #[error("a backslash begins `\\xNN`, `\\t`, `\\\\`, `\\{{` or `\\}}`")]
    Escape,
    #[error(
        "`{{{0}}}` is not a placeholder: `{{T}}`, `{{P}}`, `{{T:upper}}`, `{{T:31}}`, `{{a*256}}`, \
         `{{members 1..32}}`"
    )]
    Placeholder(String),
}

/// Longer than any header that a server takes.
const MOST_BYTES: usize = 4 << 20;

impl Text {
    /// Reads the notation.
    pub fn read(text: &str) -> Result<Text, NotationError> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            match next {
                '\\' => rest = escape(&rest[1..], &mut literal)?,
                '{' => {
                    let end = end_of_placeholder(rest).ok_or(NotationError::Unclosed)?;
                    match placeholder(&rest[1..end])? {
                        Piece::Bytes(bytes) => literal.extend(bytes),
                        id => {
                            pieces.extend(taken(&mut literal));
                            pieces.push(id);
                        }
                    }
                    rest = &rest[end + 1..];
                }
                '}' => return Err(NotationError::Unopened),
                next => {
                    literal.extend_from_slice(&rest.as_bytes()[..next.len_utf8()]);
                    rest = &rest[next.len_utf8()..];
                }
            }
            if literal.len() > MOST_BYTES {
                return Err(NotationError::TooLong);
            }
        }
        pieces.extend(taken(&mut literal));
        Ok(Text { pieces })
    }

    /// Returns the bytes with the ids of a request.
    pub fn fill(&self, minted: &RequestIds) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(literal) => bytes.extend_from_slice(literal),
                Piece::Id { which, form } => bytes.extend(form.of(which.of(minted))),
                Piece::Base64 { inside, is_padded } => {
                    bytes.extend(to_base64(&inside.fill(minted), *is_padded))
                }
            }
        }
        bytes
    }

    /// Returns true when it holds the minted trace id, in whatever form.
    pub fn has_trace_id(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Id { which, .. } => *which == Which::Trace,
            Piece::Base64 { inside, .. } => inside.has_trace_id(),
            Piece::Bytes(_) => false,
        })
    }
}

fn taken(literal: &mut Vec<u8>) -> Option<Piece> {
    if literal.is_empty() { None } else { Some(Piece::Bytes(std::mem::take(literal))) }
}

fn to_base64(bytes: &[u8], is_padded: bool) -> Vec<u8> {
    let mut text = base64::encode(bytes).into_bytes();
    while is_padded && !text.len().is_multiple_of(4) {
        text.push(b'=');
    }
    text
}

/// Returns the place of the `}` that closes the first `{`.
fn end_of_placeholder(text: &str) -> Option<usize> {
    let (mut depth, mut is_escaped) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Reads the rest of an escape; returns the text behind it.
fn escape<'a>(text: &'a str, literal: &mut Vec<u8>) -> Result<&'a str, NotationError> {
    match text.chars().next() {
        Some('x') => {
            let digits = text.get(1..3).ok_or(NotationError::Escape)?;
            literal.push(u8::from_str_radix(digits, 16).map_err(|_| NotationError::Escape)?);
            Ok(&text[3..])
        }
        Some('t') => {
            literal.push(b'\t');
            Ok(&text[1..])
        }
        Some(own @ ('\\' | '{' | '}')) => {
            literal.push(u8::try_from(own).map_err(|_| NotationError::Escape)?);
            Ok(&text[1..])
        }
        _ => Err(NotationError::Escape),
    }
}

fn placeholder(inside: &str) -> Result<Piece, NotationError> {
    let wrong = || NotationError::Placeholder(inside.to_owned());
    if let Some((text, times)) = inside.rsplit_once('*')
        && let Ok(times) = times.parse::<usize>()
    {
        let mut bytes = Vec::new();
        match Text::read(text)?.pieces.as_slice() {
            [Piece::Bytes(once)] if once.len().saturating_mul(times) <= MOST_BYTES => {
                bytes = once.repeat(times);
            }
            [] => {}
            _ => return Err(wrong()),
        }
        return Ok(Piece::Bytes(bytes));
    }
    for (prefix, is_padded) in [("base64 ", false), ("base64= ", true)] {
        if let Some(text) = inside.strip_prefix(prefix) {
            return Ok(Piece::Base64 { inside: Text::read(text)?, is_padded });
        }
    }
    if let Some(range) = inside.strip_prefix("members ") {
        let (from, to) = range.split_once("..").ok_or_else(wrong)?;
        let (from, to) = (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
        return members(from, to).map(Piece::Bytes).ok_or_else(wrong);
    }
    let (id, form) = inside.split_once(':').unwrap_or((inside, ""));
    let which = match id {
        "T" => Which::Trace,
        "P" => Which::Parent,
        _ => return Err(wrong()),
    };
    let form = match form {
        "" => Form::Lower,
        "upper" => Form::Upper,
        "low" => Form::Low,
        "decimal" => Form::Decimal,
        "bytes" => Form::Bytes,
        digits => match digits.strip_prefix('-') {
            Some(digits) => Form::Last(digits.parse().map_err(|_| wrong())?),
            None => Form::First(digits.parse().map_err(|_| wrong())?),
        },
    };
    Ok(Piece::Id { which, form })
}

/// Returns `k01=1,k02=2` and so on; `None` for an empty or a huge range.
fn members(from: usize, to: usize) -> Option<Vec<u8>> {
    let members: Vec<String> =
        (from..=to).take(100_000).map(|number| format!("k{number:02}={number}")).collect();
    (from <= to && to - from < 100_000).then(|| members.join(",").into_bytes())
}

impl Which {
    fn of(self, minted: &RequestIds) -> &str {
        match self {
            Which::Trace => &minted.trace_id,
            Which::Parent => &minted.parent_id,
        }
    }
}

impl Form {
    fn of(self, id: &str) -> Vec<u8> {
        let low = &id[id.len().saturating_sub(16)..];
        let text = match self {
            Form::Lower => id.to_owned(),
            Form::Upper => id.to_uppercase(),
            Form::First(digits) => id.chars().take(digits).collect(),
            Form::Last(digits) => id[id.len().saturating_sub(digits)..].to_owned(),
            Form::Low => low.to_owned(),
            Form::Decimal => u64::from_str_radix(low, 16).unwrap_or_default().to_string(),
            Form::Bytes => return hex::decode(id.as_bytes()).unwrap_or_default(),
        };
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Vec<u8> {
        let minted = RequestIds {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
            parent_id: "00f067aa0ba902b7".into(),
        };
        Text::read(text).unwrap().fill(&minted)
    }

    #[test]
    fn escapes_and_placeholders_stand_for_bytes() {
        assert_eq!(filled("00-{T}-{P}-01"), b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assert_eq!(filled(r"\x00\xff\t\\\{\}"), b"\x00\xff\t\\{}");
        assert_eq!(filled("{T:upper}{T:3}{T:low}"), b"4BF92F3577B34DA6A3CE929D0E0E47364bfa3ce929d0e0e4736");
        assert_eq!(filled("{T:8}-{T:-24}"), b"4bf92f35-77b34da6a3ce929d0e0e4736");
        assert_eq!(filled("{P:decimal}"), b"67667974448284343");
        assert_eq!(filled(r"\x01{P:bytes}"), b"\x01\x00\xf0\x67\xaa\x0b\xa9\x02\xb7");
        assert_eq!(filled(r"a{base64 \x00{P:bytes}}"), b"aAADwZ6oLqQK3");
        assert_eq!(filled(r"{base64= ab\}}{base64 }"), b"YWJ9");
        assert!(Text::read("{base64 {T:bytes}}").unwrap().has_trace_id());
        assert_eq!(filled(r"{ab*3}{\x41*2}{members 9..11}"), b"abababAAk09=9,k10=10,k11=11");
        assert_eq!(filled(""), b"");
    }

    #[test]
    fn what_is_not_the_notation_is_refused_in_words() {
        for (text, wrong) in [
            ("{X}", "not a placeholder"),
            ("{T", "no `}`"),
            ("{base64 {T}", "no `}`"),
            ("{base64 {X}}", "not a placeholder"),
            ("T}", "no `{`"),
            (r"\q", "a backslash begins"),
            (r"\x4", "a backslash begins"),
            ("{a*99999999}", "not a placeholder"),
            ("{members 3..1}", "not a placeholder"),
        ] {
            let refused = Text::read(text).unwrap_err().to_string();
            assert!(refused.contains(wrong), "{text}: {refused}");
        }
    }
}
