//! `unbroken list`: prints one line for each case.

use super::arguments::ListArguments;
use super::selection::select;
use super::{exit, print};

pub fn list(arguments: &ListArguments) -> u8 {
    let selected = match select(&arguments.selection) {
        Ok(selected) => selected,
        Err(status) => return status,
    };
    let mut text = String::new();
    for case in &selected.cases {
        let scenario = &case.scenario;
        text += &format!("{}: {}", scenario.source.name(), scenario.title());
        if let Some(about) = &scenario.about {
            text += &format!("  - {}", about.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        text.push('\n');
    }
    print::out(&text);
    exit::PASS
}
