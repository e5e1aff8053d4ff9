//! The keys of a collector, and of what exports through one.

use crate::scenario::pattern::LINE;
use crate::scenario::shape::{KeyShape, Object, Shape, may, must};
use Shape::List;

pub(super) static COLLECTOR: Object = Object {
    what: "`collector`",
    keys: &[
        must(
            "config",
            Shape::Text(&LINE),
            "its configuration with templates such as `${self.port}` and `${sink.endpoint}`, relative to the scenario file",
        ),
        may(
            "to",
            List(&Shape::Text(&LINE)),
            "the collectors that it exports to, and `sink` for the end of the way; `sink` by default",
        ),
    ],
    tag: None,
};

pub(super) static COLLECTOR_KEYS: &[KeyShape] =
    &[may("program", Shape::Text(&LINE), "its program, in place of the one in `PATH`")];

/// Of nodes that export telemetry.
pub(super) static EXPORT_KEYS: &[KeyShape] =
    &[may("exports-to", Shape::Text(&LINE), "the collector that its telemetry goes through")];
