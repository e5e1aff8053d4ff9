//! The graph of the files of a crate: the arrows go from each file to the files that it names, read from the sources as
//! text.
//!
//! An arrow goes from a file to the file that defines what it names: re-exports are followed. A file that names the
//! `mod.rs` of its own folder gives no arrow, for the two are one module. Macros and paths that are put together are
//! not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module by the names on its path: `["runtime", "broker"]`.
pub type Module = Vec<String>;

/// The code of every module, without tests and comments, and the arrows between them.
pub struct ModuleGraph {
    uses: BTreeMap<Module, Vec<Use>>,
}

/// A path that a module names.
struct Use {
    path: Vec<String>,
    is_reexport: bool,
}

impl ModuleGraph {
    /// Reads the modules below `src`; `sources` are paths and their code.
    pub fn new(src: &Path, sources: &[(std::path::PathBuf, String)]) -> ModuleGraph {
        let uses = sources.iter().map(|(path, code)| {
            let inside = path.strip_prefix(src).expect("it is below the folder").with_extension("");
            let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            module.pop_if(|last| matches!(last.as_str(), "mod" | "lib"));
            (module, named_paths(code))
        });
        ModuleGraph { uses: uses.collect() }
    }

    /// For each module the modules that it names.
    pub fn arrows(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let arrows = self.uses.iter().map(|(module, uses)| {
            let targets = uses.iter().filter(|one| !one.is_reexport);
            let targets = targets.filter_map(|one| self.definer(module, &one.path, 0));
            (module, targets.filter(|target| !module.starts_with(target)).collect())
        });
        arrows.collect()
    }

    /// The modules of each circle, by name.
    pub fn circles(&self) -> BTreeSet<Vec<String>> {
        let arrows = self.arrows();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            arrows.keys().map(|module| (*module, reachable(module, &arrows))).collect();
        let mut circles = BTreeSet::new();
        for (module, ahead) in &reached {
            let together = ahead.iter().filter(|other| reached[**other].contains(*module));
            let names: Vec<String> = together.map(|other| other.join("/")).collect();
            if names.len() > 1 {
                circles.insert(names);
            }
        }
        circles
    }

    /// The module that defines what a path names, through at most eight re-exports.
    fn definer(&self, from: &Module, path: &[String], depth: usize) -> Option<&Module> {
        let absolute = self.absolute(from, path)?;
        let length =
            (0..=absolute.len()).rev().find(|length| self.uses.contains_key(&absolute[..*length]))?;
        let (module, uses) = self.uses.get_key_value(&absolute[..length])?;
        let Some(name) = absolute.get(length) else { return Some(module) };
        let reexport = uses.iter().find(|one| one.is_reexport && one.path.last() == Some(name));
        match reexport {
            Some(reexport) if depth < 8 => self.definer(module, &reexport.path, depth + 1),
            _ => Some(module),
        }
    }

    fn absolute(&self, from: &Module, path: &[String]) -> Option<Module> {
        let first = path.first()?.as_str();
        let supers = path.iter().take_while(|part| *part == "super").count();
        let base: &[String] = match first {
            "crate" => &[],
            "self" => from,
            "super" => &from[..from.len().checked_sub(supers)?],
            _ if self.uses.contains_key(&[from.as_slice(), &path[..1]].concat()) => {
                return Some([from.as_slice(), path].concat());
            }
            _ => return None,
        };
        Some([base, &path[supers.max(1)..]].concat())
    }
}

/// Everything that can be reached from a module, itself only through a circle.
fn reachable<'a>(from: &Module, arrows: &BTreeMap<&'a Module, BTreeSet<&'a Module>>) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = arrows[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(&arrows[module]);
        }
    }
    reached
}

/// The paths of `use` items, their braces opened, and the paths within other code.
fn named_paths(code: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut rest = String::new();
    for item in code.split_inclusive(';') {
        let start = item.rfind("use ").filter(|at| {
            let before = item[..*at].trim_end();
            let line = before.rsplit('\n').next().unwrap_or_default().trim();
            line.is_empty() || line.starts_with("pub") || line.ends_with([']', '}', '{'])
        });
        let Some(start) = start.filter(|_| item.ends_with(';')) else {
            rest.push_str(item);
            continue;
        };
        let is_reexport = item[..start].trim_end().rsplit('\n').next().unwrap_or_default().contains("pub");
        rest.push_str(&item[..start]);
        let tree: String =
            item[start + 4..].trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" ");
        let paths = opened(&tree).into_iter();
        uses.extend(paths.map(|path| Use { path, is_reexport }));
    }
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    let split = |word: &str| word.split("::").map(str::to_owned).collect();
    uses.extend(paths.map(|word| Use { path: split(word), is_reexport: false }));
    uses
}

/// `a::{b, c::d as e}` as `a::b` and `a::c::d`.
fn opened(tree: &str) -> Vec<Vec<String>> {
    let Some((prefix, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let inner = inner.trim_end().trim_end_matches('}');
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in inner.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| opened(&format!("{}{part}", prefix.trim()))).collect()
}
