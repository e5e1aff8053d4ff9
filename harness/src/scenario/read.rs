//! Reads the text of a file; bytes that are not text are a diagnostic like any other error.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source};

/// Larger than any scenario.
pub(super) const LARGEST_BYTES: usize = 10_000_000;

#[derive(Debug, Error)]
pub enum ScenarioReadError {
    /// The machine's error: no such file, or no permission to read it.
    #[error("cannot read `{}`", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The author's error: the file exists and is not a scenario.
    #[error("`{}` is not a scenario", text.name())]
    Bad { text: Arc<Source>, diagnostics: Vec<Diagnostic> },
}

/// Reads the file at `path`, at most 10 MB of UTF-8.
pub fn read(path: &Path) -> Result<Arc<Source>, ScenarioReadError> {
    let name = path.display().to_string();
    let bytes = read_bytes(path).map_err(|source| ScenarioReadError::Io { path: path.to_owned(), source })?;
    if bytes.len() > LARGEST_BYTES {
        // The text is not kept: nobody reads ten million bytes below a message.
        return Err(ScenarioReadError::Bad { text: Source::new(name, ""), diagnostics: vec![too_large()] });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let byte = error.as_bytes()[at];
            let text = Source::new(name, String::from_utf8_lossy(error.as_bytes()));
            Err(ScenarioReadError::Bad { text, diagnostics: vec![not_utf8(at, byte)] })
        }
    }
}

/// Returns the bytes of a file, at most one more than the limit.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LARGEST_BYTES).expect("ten million fits") + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn too_large() -> Diagnostic {
    let message = format!("the file is larger than {} MB", LARGEST_BYTES / 1_000_000);
    Diagnostic::new("too-large", Place::new(0, 0), message)
        .help("check the path: a scenario is one or two pages long")
}

fn not_utf8(at: usize, byte: u8) -> Diagnostic {
    // In the text that is shown, the replacement character stands there.
    let place = Place::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
    Diagnostic::new("not-utf-8", place, format!("the byte 0x{byte:02x} at offset {at} is not UTF-8"))
        .label("first invalid byte")
        .help("save the file as UTF-8")
}
