//! Numbers as ProtoJSON writes them, from the text of a JSON number or of a string that holds one.
//!
//! Integers may have a fraction of zeros and an exponent, as long as their value is an integer.

/// Parses the exact integer that a JSON number stands for, if it is one and fits 64 bits with or without sign.
pub fn integer(text: &str) -> Option<i128> {
    if let Ok(number) = text.parse::<i64>()
        && is_json_number(text)
    {
        return Some(i128::from(number));
    }
    if !is_json_number(text) {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()),
        None => (digits, Some(0)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let trailing = all.len() - all.trim_end_matches('0').len();
    // Value = significant * 10^zeros.
    let zeros = exponent?.checked_sub(fraction.len() as i64)?.checked_add(trailing as i64)?;
    let zeros = u32::try_from(zeros).ok().filter(|zeros| significant.len() + *zeros as usize <= 20)?;
    let value = significant.parse::<i128>().ok()?.checked_mul(10i128.checked_pow(zeros)?)?;
    Some(if negative { -value } else { value })
}

/// Parses a double; `None` if the text is not a number or beyond the range of a double.
pub fn double(text: &str) -> Option<f64> {
    if !is_json_number(text) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn is_json_number(text: &str) -> bool {
    let mut lexer = super::lexer::Lexer::new(text.as_bytes());
    lexer.number().is_ok_and(|number| number.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_in_all_their_forms() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("1e3", Some(1000)),
            ("1.50e1", Some(15)),
            ("1000e-3", Some(1)),
            ("0.0", Some(0)),
            ("0e99999999999999999999", Some(0)),
            ("18446744073709551615", Some(i128::from(u64::MAX))),
            ("-9223372036854775808", Some(i128::from(i64::MIN))),
            ("1.5", None),
            ("1e-1", None),
            ("1e400", None),
            ("1e99999999999999999999", None),
            ("", None),
            (" 1", None),
            ("+1", None),
            ("0x10", None),
        ] {
            assert_eq!(integer(text), value, "{text}");
        }
    }

    #[test]
    fn doubles_beyond_the_range_are_refused() {
        assert_eq!(double("1.5"), Some(1.5));
        assert_eq!(double("1e400"), None);
        assert_eq!(double("inf"), None);
    }
}
