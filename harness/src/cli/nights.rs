//! The folder of `unbroken nightly`: a report for each night, and one run at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The file that is locked while a night runs.
const LOCK: &str = "lock";
const PREFIX: &str = "night-";
/// A night that was interrupted; it is never compared with.
const PARTIAL: &str = "partial-";

/// The folder, which no other run uses while this exists.
#[derive(Debug)]
pub struct Nights {
    folder: PathBuf,
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub enum NightsError {
    #[error("cannot use the folder `{}`", folder.display())]
    Io { folder: PathBuf, source: io::Error },
    #[error("another run uses the folder `{}`: wait until it has ended, or use another one", folder.display())]
    Locked { folder: PathBuf },
}

fn failed(folder: &Path, source: io::Error) -> NightsError {
    NightsError::Io { folder: folder.to_owned(), source }
}

impl Nights {
    /// Opens the folder, or creates it.
    pub fn open(folder: &Path) -> Result<Nights, NightsError> {
        std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK));
        let lock = lock.map_err(|source| failed(folder, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Nights { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(NightsError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(folder, source)),
        }
    }

    /// Returns the report of the last complete night.
    pub fn last(&self) -> Result<Option<PathBuf>, NightsError> {
        Ok(self.complete()?.pop())
    }

    fn complete(&self) -> Result<Vec<PathBuf>, NightsError> {
        let entries = std::fs::read_dir(&self.folder).map_err(|source| failed(&self.folder, source))?;
        let mut nights = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| failed(&self.folder, source))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(PREFIX) && name.ends_with(".json") {
                nights.push(path);
            }
        }
        nights.sort();
        Ok(nights)
    }

    /// Writes the report of this night, whole or not at all, and removes the oldest ones beyond `keep`. `at` is the
    /// time of the night, which sorts.
    pub fn add(
        &self,
        at: &str,
        report: &str,
        partial: bool,
        keep: NonZeroUsize,
    ) -> Result<PathBuf, NightsError> {
        let prefix = if partial { PARTIAL } else { PREFIX };
        let path = self.folder.join(format!("{prefix}{at}.json"));
        let draft = self.folder.join(".draft");
        std::fs::write(&draft, report).map_err(|source| failed(&self.folder, source))?;
        std::fs::rename(&draft, &path).map_err(|source| failed(&self.folder, source))?;
        let nights = self.complete()?;
        let surplus = nights.len().saturating_sub(keep.get());
        for old in nights.iter().take(surplus) {
            std::fs::remove_file(old).map_err(|source| failed(&self.folder, source))?;
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("unbroken-nights-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn the_last_complete_night_is_found_and_old_ones_are_removed() {
        let folder = folder("kept");
        let nights = Nights::open(&folder).unwrap();
        let two = NonZeroUsize::new(2).unwrap();
        assert_eq!(nights.last().unwrap(), None);
        for at in ["2026-11-28T02", "2026-11-29T02", "2026-11-30T02"] {
            nights.add(at, "{}", false, two).unwrap();
        }
        nights.add("2026-12-01T02", "{}", true, two).unwrap();
        assert_eq!(nights.last().unwrap(), Some(folder.join("night-2026-11-30T02.json")));
        assert_eq!(nights.complete().unwrap().len(), 2);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn two_runs_at_once_are_refused() {
        let folder = folder("locked");
        let first = Nights::open(&folder).unwrap();
        assert!(matches!(Nights::open(&folder), Err(NightsError::Locked { .. })));
        drop(first);
        assert!(Nights::open(&folder).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
