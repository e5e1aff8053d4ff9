//! `${secret.NAME}`: the environment variable NAME of this process, whose value no output shows.
//!
//! A value is masked from the moment at which it is read: as it is, percent-encoded, escaped as in JSON and as in
//! reports, and each longer line of it by itself. What a program makes of it in another way, such as Base64, is not
//! found.

use std::env::{self, VarError};

use parking_lot::Mutex;

use super::literals::{Extent, Literals, Replacement};
use crate::wire::percent;

/// A shorter value stands in too many other texts.
const SHORTEST: usize = 4;
/// A line of a value that is masked by itself has at least so many bytes.
const SHORTEST_LINE: usize = 8;

static SECRETS: Mutex<Option<Literals>> = Mutex::new(None);

/// The reason why a secret cannot be used. `at` is its place in the scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable `{name}` is not set, but `${{secret.{name}}}`{at} needs it: set it")]
    NotSet { name: String, at: String },
    #[error(
        "the environment variable `{name}` is not UTF-8, and `${{secret.{name}}}`{at} must be text: change it"
    )]
    NotText { name: String, at: String },
    #[error(
        "the environment variable `{name}` has {length} bytes, and `${{secret.{name}}}`{at} needs at least {SHORTEST}, \
         because a shorter value stands in other texts too: set a longer one, or use `${{env.{name}}}` if it may be shown"
    )]
    Short { name: String, length: usize, at: String },
}

/// Returns the value of `${secret.NAME}`, which is masked from now on. `at` is its place, such as `shop.yaml:4:10`.
pub fn read(name: &str, at: Option<&str>) -> Result<String, SecretError> {
    let (owned, at) = (name.to_owned(), at.map(|at| format!(" at `{at}`")).unwrap_or_default());
    let value = match env::var(name) {
        Ok(value) => value,
        Err(VarError::NotPresent) => return Err(SecretError::NotSet { name: owned, at }),
        Err(VarError::NotUnicode(_)) => return Err(SecretError::NotText { name: owned, at }),
    };
    if value.len() < SHORTEST {
        return Err(SecretError::Short { name: owned, length: value.len(), at });
    }
    let mut secrets = SECRETS.lock();
    let literals = secrets.get_or_insert_default();
    for form in forms(&value) {
        literals.add(form.as_bytes(), format!("${{secret.{name}}}").as_bytes(), Extent::Anywhere);
    }
    Ok(value)
}

/// Returns whether any secret was read.
pub fn has_secrets() -> bool {
    SECRETS.lock().is_some()
}

/// Returns a text with `${secret.NAME}` in place of the values that were read.
pub fn hide(text: &str) -> Option<Replacement<String>> {
    SECRETS.lock().as_ref().map(|secrets| secrets.replace(text))
}

/// Returns bytes with `${secret.NAME}` in place of the values that were read.
pub fn hide_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    SECRETS.lock().as_ref().map(|secrets| secrets.replace_bytes(bytes).text)
}

/// Returns the forms in which a value is printed.
fn forms(value: &str) -> Vec<String> {
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    let mut forms = Vec::new();
    for part in std::iter::once(value).chain(std::iter::once(value.trim())).chain(lines) {
        if part.len() < SHORTEST {
            continue;
        }
        let quoted = serde_json::Value::from(part).to_string();
        let encoded = String::from_utf8(percent::encode(part.as_bytes())).expect("it encodes as ASCII");
        forms.extend([part.to_owned(), quoted[1..quoted.len() - 1].to_owned()]);
        forms.extend([encoded.clone(), with_lower_case_digits(&encoded)]);
        forms.push(part.as_bytes().escape_ascii().to_string());
    }
    forms
}

fn with_lower_case_digits(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let mut lower = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        lower.push_str(&format!("%{}{rest}", digits.to_ascii_lowercase()));
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test sets a variable: these are of every process that cargo starts for a test.
    const VARIABLE: &str = "CARGO_MANIFEST_DIR";

    #[test]
    fn a_value_is_hidden_in_each_of_its_forms_once_it_was_read() {
        let value = read(VARIABLE, None).unwrap();
        let percent = value.replace('/', "%2F");
        for form in [value.clone(), format!("\"{value}\""), percent.clone(), percent.replace("%2F", "%2f")] {
            let hidden = hide(&form).unwrap().text;
            assert!(!hidden.contains("harness"), "{hidden}");
            assert!(hidden.contains("${secret.CARGO_MANIFEST_DIR}"), "{hidden}");
        }
        assert_eq!(hide_bytes(&[b"\xff", value.as_bytes()].concat()).unwrap()[0], 0xff);
    }

    #[test]
    fn each_longer_line_of_a_value_is_a_form_of_it() {
        let forms = forms("-----BEGIN KEY-----\nMIIEvQIBADANBg\nab\n");
        for form in ["MIIEvQIBADANBg", "-----BEGIN KEY-----", "-----BEGIN KEY-----\\nMIIEvQIBADANBg\\nab\\n"]
        {
            assert!(forms.iter().any(|known| known == form), "{forms:?}");
        }
        assert!(!forms.iter().any(|form| form == "ab"), "{forms:?}");
    }

    #[test]
    fn a_secret_that_is_not_set_is_named_with_its_place() {
        let error = read("NO_SUCH_VARIABLE", Some("shop.yaml:4:10")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable `NO_SUCH_VARIABLE` is not set, but `${secret.NO_SUCH_VARIABLE}` at \
             `shop.yaml:4:10` needs it: set it"
        );
    }
}
