//! Proof that the rules can fail: every fault of the model relay is found and named right at the right hop,
//! and the correct relay passes the same stories.
//!
//! The table is typed; tests hold that it has every fault of the relay, and a row for every class and every
//! rule.

#![expect(clippy::print_stdout, reason = "the count of faults is told by the test that holds it")]

use std::collections::BTreeSet;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use unbroken::breaks::Class;
use unbroken::rules;
use unbroken::scenario::Expectation;

mod faults {
    pub mod story;
    pub mod table;
}

use faults::story::{self, Told};
use faults::table::{NOT_TOLD, ROWS, Row};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = ROWS.iter().map(found).collect();
    let stories: BTreeSet<&str> = ROWS.iter().map(|row| row.story).collect();
    let healthy = stories.into_iter().filter(|story| !story::NEEDS_A_FAULT.contains(story));
    trials.extend(healthy.map(|story| Trial::test(format!("correct::{story}"), move || passes(story))));
    trials.push(Trial::test("the_table_has_every_fault_of_the_relay", every_fault));
    trials.push(Trial::test("the_table_has_every_class_and_every_rule", every_class));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn found(row: &'static Row) -> Trial {
    Trial::test(format!("fault::{}::{}", row.fault, row.story), move || {
        let told = story::run(row.story, Some(row.fault), row.strict)?;
        let wanted: BTreeSet<Told> = row.found.iter().map(Told::wanted).collect();
        if told == wanted {
            return Ok(());
        }
        Err(Failed::from(format!("wanted {wanted:#?}\nwas told {told:#?}")))
    })
}

fn passes(story: &str) -> Result<(), Failed> {
    let told = story::run(story, None, false)?;
    if told.is_empty() {
        Ok(())
    } else {
        Err(Failed::from(format!("the correct relay was blamed: {told:#?}")))
    }
}

fn every_fault() -> Result<(), Failed> {
    let mut missing = Vec::new();
    for fault in relay_model::faults::Fault::ALL {
        let listed = ROWS.iter().any(|row| row.fault == fault.name())
            || NOT_TOLD.iter().any(|(name, _)| *name == fault.name());
        if !listed {
            missing.push(format!("{} ({})", fault.name(), fault.shows()));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("faults without a row: {missing:#?}").into()) }
}

fn every_class() -> Result<(), Failed> {
    let told: BTreeSet<Class> = ROWS.iter().flat_map(|row| row.found).map(|found| found.0).collect();
    let classes: Vec<&str> =
        Class::ALL.iter().filter(|class| !told.contains(class)).map(|class| class.word()).collect();
    let rules: BTreeSet<Expectation> = told.iter().map(|class| rules::owner(*class).expectation).collect();
    let rules: Vec<&str> =
        Expectation::ALL.iter().filter(|rule| !rules.contains(rule)).map(|rule| rule.id()).collect();
    if classes.is_empty() && rules.is_empty() {
        println!(
            "{} faults in {} rows, {} classes",
            relay_model::faults::Fault::ALL.len(),
            ROWS.len(),
            told.len()
        );
        return Ok(());
    }
    Err(format!("classes without a fault: {classes:?}; rules without a fault: {rules:?}").into())
}
