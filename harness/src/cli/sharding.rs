//! `--shard K/N`: the cases of one shard.

use std::collections::BTreeMap;

use super::arguments::ShardArguments;
use super::selection::Selection;
use super::{comparison, exit, print};

/// Keeps the cases of the shard, or returns the exit status after it has printed the problem. A shard without a case is
/// no problem: its report is needed where all are merged.
pub fn keep_shard(arguments: &ShardArguments, selection: &mut Selection) -> Result<(), u8> {
    let Some(shard) = arguments.shard else { return Ok(()) };
    let durations = match &arguments.durations {
        Some(path) => comparison::read(path).map(|record| record.durations_ms()).map_err(|error| {
            print::error(&error);
            exit::USAGE
        })?,
        None => BTreeMap::new(),
    };
    let titles: Vec<String> = selection.cases.iter().map(|case| case.scenario.title()).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut has = shard.has(&titles, &durations).into_iter();
    selection.cases.retain(|_| has.next().unwrap_or(false));
    Ok(())
}
