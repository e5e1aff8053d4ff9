//! Takes a body out of its compression, never beyond the limit: the limit is looked at while it grows.
//!
//! Clause: OTLP wants none and gzip; zstd and deflate (which in HTTP is the zlib format) are in wide use.

use std::io::{self, Read};

use bytes::Bytes;

use super::admission::Admission;
use super::refusal::Refusal;
use crate::store::Compression;

/// What a server that refuses another one names.
#[cfg(feature = "zstd")]
pub const ACCEPTED: &str = "identity,gzip,zstd,deflate";
#[cfg(not(feature = "zstd"))]
pub const ACCEPTED: &str = "identity,gzip,deflate";

/// The first bytes of a gzip stream.
pub const TRUNCATED_GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4b";

/// The compression that a header names; nothing and an empty value are none.
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

/// The body without its compression; `grow` is asked before each step of growth.
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
