//! The workflows of CI: actions are pinned by commit, and the oldest Rust is the one of the manifest.

use std::path::PathBuf;

use crate::root;

fn workflows() -> Vec<(PathBuf, String)> {
    let folder = root().join(".github/workflows");
    let entries = std::fs::read_dir(folder).expect("the workflows are in the repository").flatten();
    entries
        .map(|entry| entry.path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).expect("workflows are UTF-8")))
        .collect()
}

#[test]
fn actions_are_pinned_by_commit() {
    let mut wrong = Vec::new();
    for (path, text) in workflows() {
        for line in
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        {
            let (action, release) = line.split_once(" # ").unwrap_or((line, ""));
            let commit = action.rsplit('@').next().unwrap_or_default();
            if commit.len() != 40
                || !commit.bytes().all(|byte| byte.is_ascii_hexdigit())
                || !release.starts_with('v')
            {
                wrong.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "write `action@COMMIT # RELEASE`: {wrong:#?}");
}

#[test]
fn the_oldest_rust_of_the_workflow_is_the_one_of_the_manifest() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("it is set");
    let (_, check) =
        workflows().into_iter().find(|(path, _)| path.ends_with("check.yml")).expect("the workflow exists");
    assert!(check.contains(&format!("RUSTUP_TOOLCHAIN: {oldest}")), "`oldest-rust` is not {oldest}");
}
