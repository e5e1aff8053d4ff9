//! Checks that the parts of a scenario make sense together; each file checks one part of a draft.

mod additions;
mod address;
mod broker;
mod carrier;
mod collector;
mod crossing_count;
mod dead_letter;
mod drive;
mod drive_message;
mod expectation;
mod fan_out;
mod formats;
mod hop;
mod image;
mod instruction;
mod listeners;
mod message;
mod overlap;
mod relay_brokers;
mod restart;
mod story;
mod wiring;
mod witness;

use super::build::Draft;
use super::complaints::Complaints;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    hop::check(draft, complaints);
    restart::check(draft, complaints);
    message::check(draft, complaints);
    broker::check(draft, complaints);
    relay_brokers::check(draft, complaints);
    fan_out::check(draft, complaints);
    dead_letter::check(draft, complaints);
    overlap::check(draft, complaints);
    drive::check(draft, complaints);
    formats::check(draft, complaints);
    carrier::check(draft, complaints);
    collector::check(draft, complaints);
    wiring::check(draft, complaints);
    address::check(draft, complaints);
    additions::check(draft, complaints);
    listeners::check(draft, complaints);
    witness::check(draft, complaints);
    image::check(draft, complaints);
    let driven = story::check(draft, complaints);
    // What follows from a part that could not be made would be reported twice.
    if !draft.incomplete {
        instruction::check(draft, &driven, complaints);
        crossing_count::check(draft, &driven, complaints);
        expectation::check(draft, &driven, complaints);
    }
}
