//! Reads a file that the user names: a regular file of a bounded size.
//!
//! A FIFO or a device is refused: it may have no end, or make a run wait forever.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// A baseline may have this many bytes.
#[cfg(feature = "cli")]
pub(crate) const BASELINE_BYTES: u64 = 16 << 20;
/// The evidence of a case may have this many bytes: some millions of spans.
#[cfg(feature = "cli")]
pub(crate) const EVIDENCE_BYTES: u64 = 2 << 30;

/// Checks that the path is a regular file, or a link to one, and returns its length.
pub(crate) fn check(path: &Path) -> io::Result<u64> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    let problem = format!("it is {}, not a regular file", kind(&metadata));
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// Returns the text of the file, which may have at most `limit` bytes.
#[cfg(feature = "cli")]
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<String> {
    use std::io::Read;

    let length = check(path)?.min(limit);
    let mut text = String::with_capacity(usize::try_from(length).unwrap_or(0));
    // One byte more shows that the file is too large, even if it grows meanwhile.
    std::fs::File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        let problem = format!("it is larger than {} MiB", limit >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(text)
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_device_are_refused() {
        let problem = |path: &str| read(Path::new(path), 10).unwrap_err().to_string();
        assert_eq!(problem("/"), "it is a folder, not a regular file");
        assert_eq!(problem("/dev/zero"), "it is a device, not a regular file");
        assert!(problem("/no/such/file").contains("No such file"));
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let path = std::env::temp_dir().join(format!("unbroken-input-{}", std::process::id()));
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 10).unwrap(), "0123456789");
        assert!(read(&path, 9).unwrap_err().to_string().contains("larger than"));
        std::fs::remove_file(&path).unwrap();
    }
}
