//! Lists that stand for several cases -> the cases, each with a name.

use std::collections::HashMap;

use super::complaints::Complaints;
use super::tree::Tree;
use crate::diagnostic::Diagnostic;

/// A larger matrix is hardly intended, and each case is a run.
const MOST_CASES: usize = 256;

/// One way to choose from every list of the matrix.
#[derive(Debug, Default)]
pub(super) struct MatrixCase<'a> {
    /// `sampled=true,relay=rust`; empty when there is nothing to choose.
    pub name: String,
    /// By where the list begins.
    picks: HashMap<usize, &'a Tree>,
}

impl<'a> MatrixCase<'a> {
    /// Returns the tree that stands for `tree` in this case.
    pub fn pick(&self, tree: &'a Tree) -> &'a Tree {
        self.picks.get(&tree.place.start).copied().unwrap_or(tree)
    }
}

/// One list, and what it is called in the names of cases.
struct Axis<'a> {
    /// `relay`.
    key: &'a str,
    /// `shop`, shown where a key is a list more than once.
    of: String,
    list: &'a Tree,
}

/// Returns all cases, the last list's values changing fastest; one without a name when there is no list.
pub(super) fn cases<'a>(root: &'a Tree, complaints: &mut Complaints) -> Vec<MatrixCase<'a>> {
    let axes = axes(root);
    for axis in &axes {
        repeated(axis, complaints);
    }
    let mut cases = vec![MatrixCase::default()];
    for axis in &axes {
        if cases.len() * axis.list.items().len() > MOST_CASES {
            let message = format!("the lists of this file expand to more than {MOST_CASES} cases");
            let label = "this list exceeds the limit";
            let help = "split the file, or shorten a list";
            complaints.report(Diagnostic::new("too-much", axis.list.place, message).label(label).help(help));
            break;
        }
        let name = match axes.iter().filter(|other| other.key == axis.key).count() {
            1 => axis.key.to_owned(),
            _ => format!("{}.{}", axis.of, axis.key),
        };
        cases = cases
            .iter()
            .flat_map(|case| axis.list.items().iter().map(|item| with(case, axis, &name, item)))
            .collect();
    }
    cases
}

fn with<'a>(case: &MatrixCase<'a>, axis: &Axis<'a>, name: &str, item: &'a Tree) -> MatrixCase<'a> {
    let value = item.text().unwrap_or_default().replace([',', ' '], "+");
    let comma = if case.name.is_empty() { "" } else { "," };
    let mut picks = case.picks.clone();
    picks.insert(axis.list.place.start, item);
    MatrixCase { name: format!("{}{comma}{name}={value}", case.name), picks }
}

/// Returns the lists of the matrix in the order of the file.
fn axes(root: &Tree) -> Vec<Axis<'_>> {
    let mut axes = Vec::new();
    for node in root.get("nodes").map_or(&[][..], Tree::entries) {
        for key in ["relay", "propagators", "gateway"] {
            axes.extend(axis(&node.value, key, node.key.value.clone()));
        }
    }
    for (number, drive) in root.get("drive").map_or(&[][..], Tree::items).iter().enumerate() {
        axes.extend(axis(drive, "sampled", format!("drive-{}", number + 1)));
    }
    axes.sort_by_key(|axis| axis.list.place.start);
    axes
}

fn axis<'a>(tree: &'a Tree, key: &'a str, of: String) -> Option<Axis<'a>> {
    let list = tree.get(key)?;
    (!list.items().is_empty()).then_some(Axis { key, of, list })
}

fn repeated(axis: &Axis<'_>, complaints: &mut Complaints) {
    let mut seen = HashMap::new();
    for item in axis.list.items() {
        let Some(text) = item.text() else { continue };
        if let Some(first) = seen.insert(text, item.place) {
            let message = format!("`{text}` appears twice in `{}`", axis.key);
            let diagnostic = Diagnostic::new("repeated-case", item.place, message).label("second");
            complaints.report(
                diagnostic.also(first, "first").help("remove one of them: each value is a case of its own"),
            );
        }
    }
}
