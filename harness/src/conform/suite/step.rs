//! The steps of an instruction: calls back to the harness, and steps that the target executes itself.

use serde_json::{Value, json};

/// One step of an instruction (`fixtures/CONTRACT.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstructionStep {
    /// A call back to the harness.
    Call,
    /// A step without a call, such as `wait:20`.
    Own(String),
    /// A step that makes a call inside, such as `spawn:`.
    Around(String),
}

/// The word that stands for a call.
const CALL: &str = "call";

impl InstructionStep {
    /// Reads `call`, `wait:20`, or `spawn: call`.
    pub(super) fn read(text: &str) -> InstructionStep {
        let text = text.trim();
        match text.strip_suffix(CALL) {
            Some("") => InstructionStep::Call,
            Some(around) if around.ends_with(' ') => InstructionStep::Around(around.trim().to_owned()),
            Some(_) | None => InstructionStep::Own(text.to_owned()),
        }
    }

    /// Returns true for a step with a call.
    pub fn calls(&self) -> bool {
        match self {
            InstructionStep::Call | InstructionStep::Around(_) => true,
            InstructionStep::Own(_) => false,
        }
    }
}

/// Returns the instruction with the addresses of its calls in their order.
pub fn instruction(steps: &[InstructionStep], calls: impl IntoIterator<Item = Value>) -> Value {
    let mut calls = calls.into_iter();
    let steps = steps.iter().map(|step| match step {
        InstructionStep::Call => calls.next().unwrap_or_default(),
        InstructionStep::Own(url) => json!({ "url": url, "arguments": [] }),
        InstructionStep::Around(url) => {
            json!({ "url": url, "arguments": [calls.next().unwrap_or_default()] })
        }
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_call_a_step_of_the_target_or_both() {
        let steps = ["wait:20", "spawn: call", "call"].map(InstructionStep::read);
        assert_eq!(
            steps,
            [
                InstructionStep::Own("wait:20".into()),
                InstructionStep::Around("spawn:".into()),
                InstructionStep::Call
            ]
        );
        let built = instruction(&steps, [json!("one"), json!("two")]);
        let expected = json!([
            { "url": "wait:20", "arguments": [] }, { "url": "spawn:", "arguments": ["one"] }, "two"
        ]);
        assert_eq!(built, expected);
    }
}
