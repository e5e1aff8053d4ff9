//! The ports and the folder of a node while it runs; the folder is removed with it.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::runtime::process::guard;
use crate::runtime::process::port::Port;

/// The ports and the folder that the templates of a node may name.
#[derive(Debug, Default)]
pub struct OwnResources {
    /// `${self.port}`.
    pub port: Option<u16>,
    /// Held so that no other harness chooses it.
    pub held: Option<Port>,
    /// `${self.port.NAME}`, by name.
    pub named: BTreeMap<String, Port>,
    /// `${self.dir}`.
    pub folder: Option<NodeFolder>,
}

impl OwnResources {
    /// Returns the resources of a container whose port is known.
    #[cfg(feature = "container")]
    pub fn at(port: Option<u16>) -> OwnResources {
        OwnResources { port, ..OwnResources::default() }
    }

    /// Returns the port of a name.
    pub fn named_port(&self, name: &str) -> Option<u16> {
        self.named.get(name).map(|port| port.number)
    }
}

/// A folder that only this user can read; it is removed when this is dropped, and when the harness ends.
#[derive(Debug)]
pub struct NodeFolder(PathBuf);

impl NodeFolder {
    pub fn create() -> io::Result<NodeFolder> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("unbroken-node-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        guard::remove_folder_later(&path);
        Ok(NodeFolder(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for NodeFolder {
    fn drop(&mut self) {
        // It fails where somebody has removed the folder already.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_with_what_is_in_it() {
        let folder = NodeFolder::create().unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("a.conf"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
