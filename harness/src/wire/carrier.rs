//! The fields of a request or a message, as a reader of any format looks them up.
//!
//! Names are compared without case, as over HTTP; whether the readers of a transport take another case is decided
//! where captures are judged.

use super::trim_ows;

/// Names and values of fields in the order of the wire, duplicates included.
#[derive(Clone, Debug, Default)]
pub struct Carrier<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Carrier<'a> {
    pub fn new(fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        Self { fields: fields.into_iter().collect() }
    }

    /// Returns the values of a field without the white space around them.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.fields.iter().filter(move |field| field.0.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|field| trim_ows(field.1))
    }

    /// Returns the value of a field in the given copy of its context, from 0: that of the first copy where the field
    /// has fewer values.
    pub fn value(&self, name: &str, copy: usize) -> Option<&'a [u8]> {
        self.values(name).nth(copy).or_else(|| self.values(name).next())
    }

    /// Returns the fields whose name begins with `prefix`: the rest of the name and the value.
    pub fn prefixed(&self, prefix: &str) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().filter_map(move |(name, value)| {
            let (begin, rest) = name.split_at_checked(prefix.len())?;
            begin.eq_ignore_ascii_case(prefix.as_bytes()).then_some((rest, trim_ows(value)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_values_lose_white_space() {
        let carrier =
            Carrier::new([(&b"X-B3-SpanId"[..], &b" 1 "[..]), (b"x-b3-spanid", b"2"), (b"b3", b"0")]);
        assert_eq!(carrier.values("x-b3-spanid").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(carrier.value("x-b3-spanid", 1), Some(&b"2"[..]));
        assert_eq!(carrier.value("b3", 1), Some(&b"0"[..]), "there is one copy only");
        assert_eq!(carrier.value("traceparent", 0), None);
        assert_eq!(carrier.prefixed("X-B3-").count(), 2);
    }
}
