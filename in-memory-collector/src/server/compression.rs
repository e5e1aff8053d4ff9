//! Takes a body out of its compression, never beyond the limit: the limit is looked at while it grows. Answers are
//! compressed with gzip only.
//!
//! Clause: OTLP wants none and gzip; zstd and deflate (which in HTTP is the zlib format) are in wide use. An answer MAY
//! be gzip where the client says that it takes it (RFC 9110, 12.5.3; `grpc-accept-encoding`).

use std::io::{self, Read, Write};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};

use super::admission::Admission;
use super::refusal::Refusal;
use crate::store::Compression;

/// The codings that a server names when it refuses another one.
#[cfg(feature = "zstd")]
pub const ACCEPTED: &str = "identity,gzip,zstd,deflate";
#[cfg(not(feature = "zstd"))]
pub const ACCEPTED: &str = "identity,gzip,deflate";

/// The first bytes of a gzip stream.
pub const TRUNCATED_GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4b";

/// An answer below this size fits into one packet as it is.
const WORTH_IT: usize = 1024;

/// Compresses the answer if the client accepts gzip, it is worth it, and it makes the answer smaller.
pub fn answer(body: &[u8], request: &HeaderMap, accept: &HeaderName) -> Option<Bytes> {
    if body.len() < WORTH_IT || !takes_gzip(request, accept) {
        return None;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().filter(|zipped| zipped.len() < body.len()).map(Bytes::from)
}

/// Returns whether a list of codings has gzip, by its name or by `*`, with a weight above zero.
fn takes_gzip(request: &HeaderMap, accept: &HeaderName) -> bool {
    let lines = request.get_all(accept).iter().filter_map(|line| line.to_str().ok());
    let (mut named, mut any) = (None, false);
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        let wanted = weight.is_none_or(|weight| weight > 0.0);
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => named = Some(wanted),
            "*" => any = wanted,
            _ => {}
        }
    }
    named.unwrap_or(any)
}

/// Returns the compression that a header names; a missing and an empty value are no compression.
pub fn named(header: Option<&[u8]>) -> Compression {
    match header.unwrap_or_default().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Compression::Identity,
        b"gzip" | b"x-gzip" => Compression::Gzip,
        #[cfg(feature = "zstd")]
        b"zstd" => Compression::Zstd,
        b"deflate" => Compression::Deflate,
        _ => Compression::Other,
    }
}

/// Decompresses the body; `grow` is called before each step of growth.
pub fn decompress(
    compression: Compression,
    body: Bytes,
    limit: u64,
    admission: &mut Admission,
) -> Result<Bytes, Refusal> {
    match compression {
        Compression::Identity | Compression::Other => Ok(body),
        Compression::Gzip => {
            read_all(flate2::bufread::MultiGzDecoder::new(&body[..]), "gzip", limit, admission)
        }
        Compression::Deflate => {
            read_all(flate2::bufread::ZlibDecoder::new(&body[..]), "deflate (zlib)", limit, admission)
        }
        #[cfg(feature = "zstd")]
        Compression::Zstd => {
            let decoder =
                zstd::stream::read::Decoder::with_buffer(&body[..]).map_err(|_| Refusal::Corrupt("zstd"))?;
            read_all(decoder, "zstd", limit, admission)
        }
        // `named` knows it as another one.
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => unreachable!("this build is without zstd"),
    }
}

fn read_all(
    mut reader: impl Read,
    name: &'static str,
    limit: u64,
    admission: &mut Admission,
) -> Result<Bytes, Refusal> {
    const STEP: usize = 64 * 1024;
    let mut out = Vec::new();
    loop {
        let filled = out.len();
        admission.grow(STEP)?;
        out.resize(filled + STEP, 0);
        let read = read_full(&mut reader, &mut out[filled..]).map_err(|_| Refusal::Corrupt(name))?;
        out.truncate(filled + read);
        if out.len() as u64 > limit {
            return Err(Refusal::TooLarge { limit, decompressed: true });
        }
        if read < STEP {
            return Ok(Bytes::from(out));
        }
    }
}

fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT_ENCODING, HeaderValue};

    use super::*;

    #[test]
    fn gzip_is_taken_by_name_or_star_unless_its_weight_is_zero() {
        for (lines, taken) in [
            (&[][..], false),
            (&[""], false),
            (&["gzip"], true),
            (&["deflate, GZip;q=0.5"], true),
            (&["br", "x-gzip"], true),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["gzip;q=0, *"], false),
            (&["gzip; q=0.000"], false),
            (&["identity,zstd"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(takes_gzip(&headers, &ACCEPT_ENCODING), taken, "{lines:?}");
        }
    }
}
