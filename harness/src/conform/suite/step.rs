//! The steps of an instruction: calls back to the harness, and steps that the target executes itself.

use serde_json::{Value, json};

use super::notation::{NotationError, RequestIds, Text};

/// One step of an instruction (`fixtures/CONTRACT.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstructionStep {
    /// A call back to the harness. The options follow the address of a message: `?batch=3`.
    Call { options: Text },
    /// A step without a call, such as `wait:20`.
    Own(Text),
    /// A step with steps inside, such as `spawn:`.
    Around(Text, Vec<InstructionStep>),
}

/// The word that stands for a call.
const CALL: &str = "call";
/// The option of a message that stands for several in one call of the client.
const BATCH: &str = "batch=";
/// Separates the steps inside another.
const INSIDE: &str = "; ";

impl InstructionStep {
    /// Reads `call`, `call?batch=3`, `wait:20`, `spawn: wait:20; call`, or `spawn: [wait:20]`.
    pub(super) fn read(text: &str) -> Result<InstructionStep, NotationError> {
        let text = text.trim();
        if let Some(options) = call_options(text) {
            return Ok(InstructionStep::Call { options: Text::read(options)? });
        }
        match inside(text) {
            Some((around, inside)) => {
                let inside = inside.split(INSIDE).map(InstructionStep::read).collect::<Result<_, _>>()?;
                Ok(InstructionStep::Around(Text::read(around)?, inside))
            }
            None => Ok(InstructionStep::Own(Text::read(text)?)),
        }
    }

    /// Returns one call without options.
    pub fn call() -> InstructionStep {
        InstructionStep::Call { options: Text::default() }
    }

    /// Returns the number of calls that it makes.
    pub fn calls(&self) -> usize {
        match self {
            InstructionStep::Call { options } => batch(options).unwrap_or(1),
            InstructionStep::Around(_, inside) => inside.iter().map(InstructionStep::calls).sum(),
            InstructionStep::Own(_) => 0,
        }
    }

    /// Returns true for a step that has a meaning for a message alone.
    pub fn needs_message(&self) -> bool {
        let is_of_delivery = |url: &Text| {
            let url = url.fill(&RequestIds::default());
            url == b"fail:nack" || url == b"fail:reject"
        };
        match self {
            InstructionStep::Call { .. } => false,
            InstructionStep::Own(url) => is_of_delivery(url),
            InstructionStep::Around(_, inside) => inside.iter().any(InstructionStep::needs_message),
        }
    }

    /// Returns true for a call that only a message can be.
    pub fn is_of_message(&self) -> bool {
        match self {
            InstructionStep::Call { options } => *options != Text::default(),
            InstructionStep::Around(_, inside) => inside.iter().any(InstructionStep::is_of_message),
            InstructionStep::Own(_) => false,
        }
    }
}

/// Returns a step and the steps inside it: in brackets, or with a call as the last one.
fn inside(text: &str) -> Option<(&str, &str)> {
    let (around, inside) = text.split_once(' ')?;
    if let Some(inside) = inside.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
        return Some((around, inside));
    }
    let last = inside.rsplit(' ').next()?;
    call_options(last).map(|_| (around, inside))
}

/// Returns what follows `call`, empty or with a question mark; `None` for another step.
fn call_options(text: &str) -> Option<&str> {
    text.strip_prefix(CALL).filter(|options| options.is_empty() || options.starts_with('?'))
}

/// Returns the number of messages in a call.
fn batch(options: &Text) -> Option<usize> {
    let options = String::from_utf8_lossy(&options.fill(&RequestIds::default())).into_owned();
    let batch = options.split(['?', '&']).find_map(|option| option.strip_prefix(BATCH));
    batch.and_then(|count| count.parse().ok())
}

/// Returns the instruction. `call` makes a step of a call, from its number and its options; of a batch the number is
/// `None`, and each message has its own.
pub fn instruction(
    steps: &[InstructionStep],
    minted: &RequestIds,
    call: &dyn Fn(Option<usize>, &str) -> Value,
) -> Value {
    let mut next = 0;
    list(steps, minted, call, &mut next)
}

fn list(
    steps: &[InstructionStep],
    minted: &RequestIds,
    call: &dyn Fn(Option<usize>, &str) -> Value,
    next: &mut usize,
) -> Value {
    let steps = steps.iter().map(|step| match step {
        InstructionStep::Call { options } => {
            let number = batch(options).is_none().then_some(*next);
            *next += step.calls();
            call(number, &filled(options, minted))
        }
        InstructionStep::Own(url) => json!({ "url": filled(url, minted), "arguments": [] }),
        InstructionStep::Around(url, inside) => {
            json!({ "url": filled(url, minted), "arguments": list(inside, minted, call, next) })
        }
    });
    steps.collect()
}

fn filled(text: &Text, minted: &RequestIds) -> String {
    String::from_utf8_lossy(&text.fill(minted)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_call_a_step_of_the_target_or_both() {
        let texts = ["wait:20", "spawn: baggage:a=b c; call", "call", "log:a call of mine"];
        let steps = texts.map(|text| InstructionStep::read(text).unwrap());
        let own = |text: &str| InstructionStep::Own(Text::read(text).unwrap());
        let inside = vec![own("baggage:a=b c"), InstructionStep::call()];
        let around = InstructionStep::Around(Text::read("spawn:").unwrap(), inside);
        assert_eq!(steps, [own("wait:20"), around, InstructionStep::call(), own("log:a call of mine")]);
        let minted = RequestIds { trace_id: "a".into(), parent_id: "b".into() };
        let built = instruction(&steps[..3], &minted, &|number, _| json!(number));
        let expected = json!([
            { "url": "wait:20", "arguments": [] },
            { "url": "spawn:", "arguments": [{ "url": "baggage:a=b c", "arguments": [] }, 0] },
            1
        ]);
        assert_eq!(built, expected);
    }

    #[test]
    fn a_batch_is_several_calls_and_only_messages_have_options() {
        let batch = InstructionStep::read("call?batch=3&key={T}").unwrap();
        assert!(batch.calls() == 3 && batch.is_of_message());
        let minted = RequestIds { trace_id: "a".into(), parent_id: "b".into() };
        let built = instruction(&[batch], &minted, &|number, options| json!([number, options]));
        assert_eq!(built, json!([[null, "?batch=3&key=a"]]));
        assert!(InstructionStep::read("link:{Q}").is_err());
        assert!(!InstructionStep::read("spawn: call").unwrap().is_of_message());
        let quiet = InstructionStep::read("spawn: [wait:1; log:x]").unwrap();
        assert!(matches!(quiet, InstructionStep::Around(_, inside) if inside.len() == 2));
    }
}
