//! Reads a context.

use super::{Context, Fields, Flaw, ForeignPropagation, Style};

/// The service answers with an error.
pub struct Failure;

type Reading = Result<Option<Context>, Failure>;

impl ForeignPropagation {
    pub(super) fn read(&self, fields: &Fields) -> Reading {
        match self.style {
            Style::B3 | Style::B3Multi => self.b3(fields),
            Style::Jaeger => Ok(self.value(fields, "uber-trace-id").and_then(|value| self.jaeger(&value))),
            Style::XRay => self.value(fields, "x-amzn-trace-id").map_or(Ok(None), |value| self.x_ray(&value)),
            Style::Google => {
                self.value(fields, "x-cloud-trace-context").map_or(Ok(None), |value| self.google(&value))
            }
            Style::Datadog => Ok(self.datadog(fields)),
        }
    }

    fn value(&self, fields: &Fields, name: &str) -> Option<String> {
        let exact = self.has(Flaw::NameCaseSensitive);
        let (_, value) = fields.iter().find(|(field, _)| {
            field == name.as_bytes() || !exact && field.eq_ignore_ascii_case(name.as_bytes())
        })?;
        Some(String::from_utf8_lossy(value).trim().to_owned())
    }

    /// Reads a trace id that has one of these lengths.
    fn trace_id(&self, text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<String> {
        if self.has(Flaw::LenientIds) {
            return Some(lenient(text, 32));
        }
        if self.has(Flaw::RefusesShortIds) && text.len() != 32 {
            return None;
        }
        id(text, lengths).map(|id| format!("{id:0>32}"))
    }

    fn span_id(&self, text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<String> {
        if self.has(Flaw::LenientIds) {
            return Some(lenient(text, 16));
        }
        id(text, lengths).map(|id| format!("{id:0>16}"))
    }

    fn b3(&self, fields: &Fields) -> Reading {
        let single = self.value(fields, "b3");
        let trace = self.value(fields, "x-b3-traceid");
        let state = self.value(fields, "x-b3-sampled");
        let is_alone =
            single.as_deref().is_some_and(|value| value.len() == 1) || trace.is_none() && state.is_some();
        if self.has(Flaw::FailsWithoutIds) && is_alone {
            return Err(Failure);
        }
        let context = single.and_then(|value| self.b3_single(&value));
        if context.is_some() || self.has(Flaw::IgnoresMulti) {
            return Ok(context);
        }
        let (Some(trace), Some(span)) = (trace, self.value(fields, "x-b3-spanid")) else { return Ok(None) };
        let (Some(trace_id), Some(parent_id)) = (self.b3_trace_id(&trace), self.span_id(&span, 16..=16))
        else {
            return Ok(None);
        };
        let debug = self.value(fields, "x-b3-flags").as_deref() == Some("1");
        let sampled = if debug { Some(true) } else { state.map(|state| state == "1" || state == "true") };
        if sampled.is_none() && self.has(Flaw::RefusesDeferred) {
            return Ok(None);
        }
        Ok(Some(Context { trace_id, parent_id, sampled, debug, ..Context::default() }))
    }

    fn b3_trace_id(&self, text: &str) -> Option<String> {
        let fits = text.len() == 16 || text.len() == 32 || self.has(Flaw::LenientIds);
        if fits { self.trace_id(text, 16..=32) } else { None }
    }

    fn b3_single(&self, value: &str) -> Option<Context> {
        let parts: Vec<&str> = value.split('-').collect();
        if !(2..=4).contains(&parts.len()) {
            return None;
        }
        let (trace_id, parent_id) = (self.b3_trace_id(parts[0])?, self.span_id(parts[1], 16..=16)?);
        let (sampled, debug) = match parts.get(2).copied() {
            None if self.has(Flaw::RefusesDeferred) => return None,
            None => (None, false),
            Some("0") => (Some(false), false),
            Some("1") => (Some(true), false),
            Some("d") => (Some(true), true),
            Some(_) if self.has(Flaw::AnyState) => (Some(true), false),
            Some(_) => return None,
        };
        if let Some(parent) = parts.get(3) {
            self.span_id(parent, 16..=16)?;
        }
        Some(Context { trace_id, parent_id, sampled, debug, ..Context::default() })
    }

    fn jaeger(&self, value: &str) -> Option<Context> {
        let mut parts: Vec<&str> = value.split(':').collect();
        if self.has(Flaw::LenientIds) {
            parts.resize(4, "1");
        }
        let [trace, span, parent, flags] = parts[..] else { return None };
        if self.has(Flaw::RequiresZeroParent) && parent != "0" {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Context {
            trace_id: self.trace_id(trace, 1..=32)?,
            parent_id: self.span_id(span, 1..=16)?,
            sampled: Some(flags & 1 != 0),
            debug: flags & 2 != 0,
            ..Context::default()
        })
    }

    fn x_ray(&self, value: &str) -> Reading {
        let mut parts: Vec<(&str, &str)> = value
            .split(';')
            .filter(|part| !part.is_empty())
            .filter_map(|part| part.split_once('='))
            .collect();
        if self.has(Flaw::FixedOrder) && !value.starts_with("Root=") {
            parts.clear();
        }
        let mut found = [None; 3];
        let mut lineage = None;
        for (name, value) in parts {
            match name {
                "Root" => found[0] = Some(value),
                "Parent" => found[1] = Some(value),
                "Sampled" => found[2] = Some(value),
                "Lineage" if !self.has(Flaw::DropsLineage) => lineage = Some(value.to_owned()),
                _ => {}
            }
        }
        let [Some(root), parent, sampled] = found else { return Ok(None) };
        let Some(parent) = parent else {
            return if self.has(Flaw::FailsWithoutIds) { Err(Failure) } else { Ok(None) };
        };
        let digits: Vec<&str> = root.split('-').collect();
        let digits = match digits[..] {
            ["1", epoch, random] if epoch.len() == 8 && random.len() == 24 => format!("{epoch}{random}"),
            _ if self.has(Flaw::LenientIds) => root.replace('-', ""),
            _ => return Ok(None),
        };
        let (Some(trace_id), Some(parent_id)) =
            (self.trace_id(&digits, 32..=32), self.span_id(parent, 16..=16))
        else {
            return Ok(None);
        };
        let sampled = match sampled {
            Some("1") => Some(true),
            Some("0") => Some(false),
            _ if self.has(Flaw::RefusesDeferred) => return Ok(None),
            _ => None,
        };
        Ok(Some(Context { trace_id, parent_id, sampled, lineage, ..Context::default() }))
    }

    fn google(&self, value: &str) -> Reading {
        let (ids, options) = value.split_once(";o=").map_or((value, None), |(ids, o)| (ids, Some(o)));
        let Some((trace, span)) = ids.split_once('/') else {
            return if self.has(Flaw::FailsWithoutIds) { Err(Failure) } else { Ok(None) };
        };
        let span = span.parse::<u64>().ok().or(self.has(Flaw::LenientIds).then_some(7));
        let (Some(trace_id), Some(span)) = (self.trace_id(trace, 32..=32), span) else { return Ok(None) };
        let sampled = options.map(|options| options == "1");
        Ok(Some(Context { trace_id, parent_id: format!("{span:016x}"), sampled, ..Context::default() }))
    }

    fn datadog(&self, fields: &Fields) -> Option<Context> {
        let trace = self.value(fields, "x-datadog-trace-id")?.parse::<u64>().ok().filter(|id| *id > 0);
        let trace = trace.or(self.has(Flaw::LenientIds).then_some(0))?;
        let parent = self.value(fields, "x-datadog-parent-id")?.parse::<u64>().ok()?;
        let priority =
            self.value(fields, "x-datadog-sampling-priority").and_then(|text| text.parse::<i8>().ok());
        let tags = self.value(fields, "x-datadog-tags").unwrap_or_default();
        let high =
            tags.split(',').find_map(|tag| tag.strip_prefix("_dd.p.tid=")).unwrap_or("0000000000000000");
        Some(Context {
            trace_id: format!("{high}{trace:016x}"),
            parent_id: format!("{parent:016x}"),
            sampled: priority.map(|priority| priority > 0),
            ..Context::default()
        })
    }
}

/// Reads lower-case hex digits that are not all zero.
fn id(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<&str> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = text.bytes().all(|byte| byte == b'0');
    (lengths.contains(&text.len()) && is_hex && !is_zero).then_some(text)
}

/// Makes an id of this length from any text.
fn lenient(text: &str, length: usize) -> String {
    let digits: String = text.to_lowercase().chars().filter(char::is_ascii_hexdigit).take(length).collect();
    format!("{digits:0>length$}")
}
