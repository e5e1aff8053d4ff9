//! AMQP through a tap: conversations written by hand, and `lapin` against the stand-in.

#[cfg(feature = "rabbitmq")]
mod clients;
mod conversation;
mod frames;
#[cfg(feature = "rabbitmq")]
mod rabbit;
mod read;
#[cfg(feature = "rabbitmq")]
mod settled;

use super::*;
use crate::evidence::{Message, Settlement};

fn amqp() -> TapPlan {
    TapPlan { protocol: TapProtocol::Amqp, ..plan() }
}

fn ended(how: Settlement) -> CaptureEnd {
    CaptureEnd::Settled(how)
}

fn message(capture: &Capture) -> &Message {
    capture.message.as_ref().expect("a message")
}
