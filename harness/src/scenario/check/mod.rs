//! Whether the parts of a scenario make sense together; each file asks its own questions of a draft.

mod broker;
mod dead_letter;
mod drive;
mod drive_message;
mod expectation;
mod fan_out;
mod hop;
mod image;
mod message;
mod overlap;
mod relay_brokers;
mod restart;
mod story;
mod wiring;

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
    wiring::check(draft, complaints);
    image::check(draft, complaints);
    let driven = story::check(draft, complaints);
    // What follows from a part that could not be made would be told twice.
    if !draft.incomplete {
        expectation::check(draft, &driven, complaints);
    }
}
