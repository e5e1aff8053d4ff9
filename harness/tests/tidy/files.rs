//! The files of the repository by name; build output, packages of other languages and hidden folders are not listed.

use std::path::{Path, PathBuf};

/// Returns every file below the root that has one of the extensions, with its name from the root (`/` on any system).
pub fn below(root: &Path, extensions: &[&str]) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", "node_modules"].contains(&name.as_str()) && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if extensions.iter().any(|wanted| path.extension().is_some_and(|own| own == *wanted)) {
                let inside = path.strip_prefix(root).expect("it is found below the root");
                found.push((inside.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    found.sort();
    found
}
