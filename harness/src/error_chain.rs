//! Errors of any type: boxed, and printed with their causes, which nothing else does.

use std::error::Error;

pub(crate) type BoxedError = Box<dyn Error + Send + Sync>;

/// Returns the causes of an error, the nearest first.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'a (dyn Error + 'static)| Error::source(*cause))
}

/// Returns the error and its causes in one line: `cannot connect: connection refused`.
pub(crate) fn one_line(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// Returns `error: ...` and a line `caused by: ...` for each cause.
pub(crate) fn lines(error: &(dyn Error + 'static)) -> String {
    let first = format!("error: {error}");
    causes(error).fold(first, |lines, cause| format!("{lines}\n  caused by: {cause}"))
}

/// Returns the last cause, which usually names what the operating system or the peer reported.
pub(crate) fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("no route")]
    struct Middle(#[source] io::Error);

    #[test]
    fn an_error_is_printed_with_all_its_causes() {
        let error = Outer(Middle(io::Error::other("unreachable")));
        assert_eq!(one_line(&error), "cannot connect: no route: unreachable");
        assert_eq!(lines(&error), "error: cannot connect\n  caused by: no route\n  caused by: unreachable");
        assert_eq!(root_cause(&error).to_string(), "unreachable");
        let plain = io::Error::other("alone");
        assert_eq!(one_line(&plain), "alone");
    }
}
