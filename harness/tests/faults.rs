//! Proof that the rules can fail: every fault of the model relay is found and named right at the right hop,
//! and the correct relay passes the same stories.
//!
//! The table is typed; tests hold that it has every fault of the relay, and a row for every class and every
//! rule.

#![expect(clippy::print_stdout, reason = "the test that checks the table prints the count of faults")]

use std::collections::BTreeSet;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use unbroken::breaks::{Class, Side};
use unbroken::rules;
use unbroken::scenario::Expectation;

mod dump;
mod faults {
    pub mod messages;
    pub mod story;
    pub mod table;
}

use dump::Dump;
use faults::messages;
use faults::story::{self, Answer, LookedAt, Story};
use faults::table::{self, NOT_FOUND, Row};

static DUMP: Dump = Dump::new("faults");

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A row waits for relays to start and to end about as long as it computes.
    arguments
        .test_threads
        .get_or_insert_with(|| 2 * std::thread::available_parallelism().map_or(1, usize::from));
    let mut trials: Vec<Trial> =
        rows().flat_map(|row| stories(row).into_iter().map(move |story| found(row, story))).collect();
    let all: BTreeSet<Story> = rows().flat_map(stories).collect();
    let healthy = all.into_iter().filter(|story| !story::NEEDS_A_FAULT.contains(&story.name));
    trials.extend(healthy.flat_map(|story| {
        let relays: &[&str] = if story.over.is_some() { &["model", "rust"] } else { &["model"] };
        relays.iter().map(move |relay| correct(story, relay))
    }));
    let cases = trials.iter().map(|trial| trial.name().to_owned()).collect();
    trials.push(Trial::test("the_table_has_every_fault_of_the_relay", every_fault));
    trials.push(Trial::test("a_row_finds_what_the_relay_says", as_the_relay_says));
    trials.push(Trial::test("the_table_has_every_class_and_every_rule", every_class));
    let conclusion = libtest_mimic::run(&arguments, trials);
    unbroken::testing::runtime::end();
    DUMP.end(&cases).expect("the dump of findings has the cases of this program");
    conclusion.exit_code()
}

fn rows() -> impl Iterator<Item = &'static Row> {
    table::ROWS.iter().chain(messages::ROWS)
}

/// Returns the story of a row, once for each transport.
fn stories(row: &'static Row) -> Vec<Story> {
    let name = row.story;
    match row.over {
        [] => vec![Story { name, over: None }],
        over => over.iter().map(|over| Story { name, over: Some(over) }).collect(),
    }
}

fn found(row: &'static Row, story: Story) -> Trial {
    let strict = if row.strict { "::strict" } else { "" };
    let name = format!("fault::{}::{story}{strict}", row.fault);
    Trial::test(name.clone(), move || {
        let findings = story::run(&name, story, LookedAt::Faulty(row.fault), row.strict)?;
        let found: BTreeSet<Answer> = findings.iter().map(Answer::found).collect();
        let expected: BTreeSet<Answer> = row.found().iter().map(Answer::expected).collect();
        if found == expected {
            return Ok(DUMP.compare(&name, &findings)?);
        }
        Err(Failed::from(format!("expected {expected:#?}\nfound {found:#?}")))
    })
}

fn correct(story: Story, relay: &'static str) -> Trial {
    let name = format!("correct::{relay}::{story}");
    Trial::test(name.clone(), move || {
        let findings = story::run(&name, story, LookedAt::Correct(relay), false)?;
        if findings.is_empty() {
            Ok(DUMP.compare(&name, &findings)?)
        } else {
            Err(Failed::from(format!("the correct relay was blamed: {findings:#?}")))
        }
    })
}

fn every_fault() -> Result<(), Failed> {
    let mut missing = Vec::new();
    for fault in relay_model::faults::Fault::ALL {
        let listed = rows().any(|row| row.fault == fault.name())
            || NOT_FOUND.iter().any(|(name, _)| *name == fault.name());
        if !listed && !is_of_the_suite(fault) {
            missing.push(format!("{} ({})", fault.name(), fault.shows()));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("faults without a row: {missing:#?}").into()) }
}

/// Returns true for a fault that no scenario shows: the reference suite finds it (`tests/conform/relay_table.rs`).
fn is_of_the_suite(fault: relay_model::faults::Fault) -> bool {
    fault.shows().starts_with("requirement ")
}

/// Checks that for each fault some row finds what the relay's list says.
fn as_the_relay_says() -> Result<(), Failed> {
    let says = |shows: &str, row: &Row| match shows {
        "passes" => row.found().is_empty() || story::NEEDS_A_FAULT.contains(&row.story),
        _ => row.found().iter().any(|(class, side, _)| {
            let sided = [Side::Sender, Side::Receiver].iter().any(|side| shows.contains(side.word()));
            shows.contains(class.word()) && (!sided || shows.contains(side.word()))
        }),
    };
    let listed = relay_model::faults::Fault::ALL.into_iter().filter(|fault| {
        let listed = NOT_FOUND.iter().any(|(name, _)| *name == fault.name());
        !listed && !is_of_the_suite(*fault) && !fault.shows().starts_with("a note")
    });
    let other: Vec<String> = listed
        .filter(|fault| !rows().any(|row| row.fault == fault.name() && says(fault.shows(), row)))
        .map(|fault| format!("{} ({})", fault.name(), fault.shows()))
        .collect();
    if other.is_empty() { Ok(()) } else { Err(format!("no row finds what they show: {other:#?}").into()) }
}

fn every_class() -> Result<(), Failed> {
    let found: BTreeSet<Class> = rows().flat_map(Row::found).map(|found| found.0).collect();
    // Collectors are wrong in `tests/collectors`: no relay is one.
    let relays = Class::ALL.iter().filter(|class| !class.is_of_a_collector());
    let classes: Vec<&str> =
        relays.filter(|class| !found.contains(class)).map(|class| class.word()).collect();
    let rules: BTreeSet<Expectation> = found.iter().map(|class| rules::owner(*class).expectation).collect();
    let of_collectors = [Expectation::TracesKept, Expectation::CollectorsUnchanged];
    let of_relays = Expectation::ALL.iter().filter(|rule| !of_collectors.contains(rule));
    let rules: Vec<&str> = of_relays.filter(|rule| !rules.contains(rule)).map(|rule| rule.id()).collect();
    if classes.is_empty() && rules.is_empty() {
        let (legal, faults): (Vec<_>, Vec<_>) =
            relay_model::faults::Fault::ALL.into_iter().partition(|fault| fault.shows() == "passes");
        let rows: usize = rows().map(|row| stories(row).len()).sum();
        let (faults, legal, classes) = (faults.len(), legal.len(), found.len());
        println!("{faults} faults and {legal} legal variants in {rows} rows, {classes} classes");
        return Ok(());
    }
    Err(format!("classes without a fault: {classes:?}; rules without a fault: {rules:?}").into())
}
