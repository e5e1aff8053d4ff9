//! Names of HTTP/2 error codes (RFC 9113 section 7).

pub const NO_ERROR: &str = "NO_ERROR";

const NAMES: [&str; 14] = [
    NO_ERROR,
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// Returns the name of a code of four bytes.
pub fn name(code: &[u8]) -> &'static str {
    let code = code.try_into().map(u32::from_be_bytes).ok();
    code.and_then(|code| NAMES.get(usize::try_from(code).ok()?).copied()).unwrap_or("an unknown code")
}
