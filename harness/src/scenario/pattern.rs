//! The kinds of text in a scenario: names, durations, paths, and what else is not just any text.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::message::DIRECT_REPLY_TO;
use super::shape::Pattern;

pub(crate) static NAME: Pattern = Pattern {
    what: "a name: a letter, then letters, digits, `-` and `_`, at most 64 in all",
    regex: "^[A-Za-z][A-Za-z0-9_-]{0,63}$",
    fits: |text| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    },
    any_scalar: false,
};

pub(crate) static TEXT: Pattern =
    Pattern { what: "text", regex: "", fits: |text| !text.contains('\0'), any_scalar: true };

pub(crate) static LINE: Pattern = Pattern {
    what: "one line of text",
    regex: "^[^\\u0000-\\u001f]+$",
    fits: |text| !text.is_empty() && !text.contains(|c: char| c < ' '),
    any_scalar: true,
};

/// RFC 6454 6.2: scheme, host and port as a browser writes them, the default port omitted.
pub(super) static ORIGIN: Pattern = Pattern {
    what: "an origin such as `https://shop.example` or `http://localhost:3000`, in lower case and without a path",
    regex: "^https?://[a-z0-9.\\[\\]:-]+$",
    fits: |text| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:[]".contains(&b);
        !host.is_empty() && host.bytes().all(fits)
    },
    any_scalar: false,
};

/// RFC 9110 5.2: a name, a colon and a value, which may be empty.
pub(super) static FIELD_LINE: Pattern = Pattern {
    what: "a field line such as `Traceparent: 00-...`, with a colon behind its name",
    regex: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\\u0000-\\u001f]*$",
    fits: |text| {
        let Some((name, value)) = text.split_once(':') else { return false };
        (HEADER.fits)(name) && !value.contains(|c: char| c < ' ')
    },
    any_scalar: false,
};

pub(super) static DURATION: Pattern = Pattern {
    what: "a duration such as `20ms`, `5s` or `2m`, at most an hour",
    regex: "^[0-9]+(ms|s|m)$",
    fits: |text| duration(text).is_some(),
    any_scalar: false,
};

pub(super) static PATH: Pattern = Pattern {
    what: "a path such as `/orders/{id}`, without a query (`query:` of a drive sends one)",
    regex: "^/[^\\s?#]*$",
    fits: |text| text.starts_with('/') && !text.contains(|c: char| c.is_whitespace() || c == '?' || c == '#'),
    any_scalar: false,
};

pub(super) static METHOD: Pattern = Pattern {
    what: "an HTTP method in capital letters such as `POST`",
    regex: "^[A-Z][A-Z-]*$",
    fits: |text| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
    },
    any_scalar: false,
};

pub(super) static GRPC_METHOD: Pattern = Pattern {
    what: "a gRPC method such as `ledger.Ledger/Record`",
    regex: "^[A-Za-z_][A-Za-z0-9_.]*/[A-Za-z_][A-Za-z0-9_]*$",
    fits: |text| {
        let Some((service, method)) = text.split_once('/') else { return false };
        service.split('.').next().is_some_and(variable) && dotted(service) && variable(method)
    },
    any_scalar: false,
};

pub(crate) static URL: Pattern = Pattern {
    what: "an address such as `http://127.0.0.1:8080`, with a port and without a path",
    regex: "^http://[^/\\s?#@]+:[0-9]{1,5}$",
    fits: |text| {
        let Some((host, port)) = text.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':')) else {
            return false;
        };
        let host_fits = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#@".contains(c));
        host_fits
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    },
    any_scalar: false,
};

pub(crate) static LISTEN: Pattern = Pattern {
    what: "an address of this machine such as `127.0.0.1:18080`, or a port, which stands for 127.0.0.1",
    regex: "^(localhost:|[0-9.]+:|\\[[0-9A-Fa-f:.]+\\]:)?[0-9]{1,5}$",
    fits: |text| listen_address(text).is_ok(),
    any_scalar: true,
};

pub(crate) static VARIABLE: Pattern = Pattern {
    what: "the name of an environment variable",
    regex: "^[A-Za-z_][A-Za-z0-9_]*$",
    fits: variable,
    any_scalar: false,
};

/// A file name without folders, as `files:` writes it into `${self.dir}`.
pub(super) static FILE_NAME: Pattern = Pattern {
    what: "a file name without `/`",
    regex: "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$",
    fits: |text| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && text.len() <= 100
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    },
    any_scalar: false,
};

pub(super) static JSON_PATH: Pattern = Pattern {
    what: "`.` for the JSON document, or names of its members with a dot between levels, such as `params._meta`",
    regex: "^(\\.|[^.\\u0000-\\u001f]+(\\.[^.\\u0000-\\u001f]+)*)$",
    fits: |text| text == "." || text.split('.').all(|name| !name.is_empty() && printable(name)),
    any_scalar: false,
};

pub(super) static HEADER: Pattern = Pattern {
    what: "the name of a header field",
    regex: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    fits: |text| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    },
    any_scalar: false,
};

/// Apache Kafka, `Topic.validate`: also neither `.` nor `..`.
pub(super) static TOPIC: Pattern = Pattern {
    what: "the name of a topic: letters, digits, `.`, `_` and `-`, at most 249 in all",
    regex: "^[A-Za-z0-9._-]{1,249}$",
    fits: |text| {
        (1..=249).contains(&text.len())
            && ![".", ".."].contains(&text)
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    },
    any_scalar: false,
};

/// AMQP 0-9-1, `queue.declare` and `exchange.declare`: a short string; names that begin with `amq.` are the broker's
/// own. Room is left for `.delay`.
pub(super) static AMQP_NAME: Pattern = Pattern {
    what: "a name of at most 200 bytes that does not begin with `amq.`",
    regex: "^(?!amq\\.)[^\\u0000-\\u001f]{1,200}$",
    fits: |text| (1..=200).contains(&text.len()) && !text.starts_with("amq.") && printable(text),
    any_scalar: false,
};

pub(super) static AMQP_QUEUE: Pattern = Pattern {
    what: "a name of at most 200 bytes that does not begin with `amq.`, or `amq.rabbitmq.reply-to`",
    regex: "^(amq\\.rabbitmq\\.reply-to|(?!amq\\.)[^\\u0000-\\u001f]{1,200})$",
    fits: |text| text == DIRECT_REPLY_TO || (AMQP_NAME.fits)(text),
    any_scalar: false,
};

pub(super) static AMQP_KEY: Pattern = Pattern {
    what: "a routing key of at most 255 bytes",
    regex: "^[^\\u0000-\\u001f]{1,255}$",
    fits: |text| (1..=255).contains(&text.len()) && printable(text),
    any_scalar: false,
};

/// Amazon SQS, quotas: a standard queue's name.
pub(super) static SQS_QUEUE: Pattern = Pattern {
    what: "the name of a standard queue: letters, digits, `-` and `_`, at most 80 in all",
    regex: "^[A-Za-z0-9_-]{1,80}$",
    fits: |text| {
        (1..=80).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    },
    any_scalar: false,
};

/// The engine reports an image that does not exist.
pub(super) static IMAGE: Pattern = Pattern {
    what: "the name of an image such as `registry.example/ledger:1.4`",
    regex: "^[^\\s\\u0000-\\u001f]+$",
    fits: |text| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c < ' '),
    any_scalar: false,
};

pub(super) static ABSOLUTE: Pattern = Pattern {
    what: "an absolute path in the container such as `/etc/ledger.yaml`",
    regex: "^/[^\\u0000-\\u001f]*[^/\\u0000-\\u001f]/*$",
    fits: |text| text.starts_with('/') && printable(text) && !text.trim_end_matches('/').is_empty(),
    any_scalar: false,
};

pub(super) static FAULT: Pattern = Pattern {
    what: "the name of a fault of the model relay",
    regex: "^[^\\s,]+$",
    fits: |text| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == ','),
    any_scalar: false,
};

fn printable(text: &str) -> bool {
    !text.contains(|c: char| c < ' ')
}

/// Returns whether the text is letters, digits, `_` and `.`.
fn dotted(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
}

pub(super) fn variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Parses an address to listen on: `127.0.0.1:18080`, `localhost:18080`, `[::1]:18080`, or a port alone, which stands
/// for 127.0.0.1.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    let address = match port.parse::<u16>() {
        Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        Err(_) => text.parse().map_err(|_| "must be an address such as `127.0.0.1:4318`, or a port")?,
    };
    if address.port() == 0 {
        Err("must have a port above 0, which stays the same in every run")
    } else {
        Ok(address)
    }
}

/// Parses `20ms`, `5s`, `2m`: above zero, at most an hour.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        _ => return None,
    };
    (!duration.is_zero() && duration <= Duration::from_secs(3600)).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_needs_a_unit_and_an_end() {
        assert_eq!(duration("20ms"), Some(Duration::from_millis(20)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        for wrong in ["", "5", "0s", "ms", "1.5s", "5 s", "61m", "99999999999999999999s", "5h", "-1s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_pattern_takes_what_it_names_and_refuses_the_rest() {
        let long = "a".repeat(256);
        let table: &[(&Pattern, &[&str], &[&str])] = &[
            (&NAME, &["shop", "a-1_B"], &["", "1a", "a b", "ä", "a.b"]),
            (&PATH, &["/", "/orders/{id}", "/a/*"], &["orders", "/a?b", "/a b", ""]),
            (&METHOD, &["GET", "M-SEARCH"], &["get", "", "G T"]),
            (&GRPC_METHOD, &["ledger.Ledger/Record"], &["Record", "a/b/c", "/a", "a/", "a/b.c"]),
            (
                &URL,
                &["http://127.0.0.1:80", "http://[::1]:9"],
                &["https://a:1", "http://a", "http://a:1/", "http://a:0"],
            ),
            (
                &LISTEN,
                &["127.0.0.1:80", "[::1]:9", "0.0.0.0:18080", "localhost:80", "18080"],
                &["", "0", "127.0.0.1", "shop:80", ":80", "http://127.0.0.1:80", "127.0.0.1:0", "70000"],
            ),
            (
                &ORIGIN,
                &["https://shop.example", "http://localhost:3000", "http://[::1]:9"],
                &["", "null", "shop.example", "https://", "https://shop.example/", "https://Shop.example"],
            ),
            (&HEADER, &["x-id", "X_1"], &["", "a b", "a:"]),
            (&FIELD_LINE, &["A: b", "a:", "a:b:c"], &["", "a", ": b", "a b: c", "a: b\nc: d"]),
            (&VARIABLE, &["PATH", "_a1"], &["", "1A", "A-B"]),
            (&TOPIC, &["orders", "a.b_c-1"], &["", ".", "..", "a b", "a/b", &long]),
            (&AMQP_NAME, &["orders", "a b", "ä"], &["", "amq.direct", "a\tb", &long]),
            (&AMQP_KEY, &["a.b", "*"], &["", "a\nb", &long]),
            (&SQS_QUEUE, &["orders", "a-b_1"], &["", "a.fifo", "a.b", &long]),
        ];
        for (pattern, good, bad) in table {
            assert!(good.iter().all(|text| (pattern.fits)(text)), "{}", pattern.what);
            assert!(!bad.iter().any(|text| (pattern.fits)(text)), "{}", pattern.what);
        }
    }
}
