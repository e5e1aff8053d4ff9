//! Colours by their meaning.

use crate::report::CaseResult;

/// The choice between coloured and plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    Plain,
    Colour,
}

/// The meaning of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Good,
    Bad,
    Inconclusive,
    /// Names and headings.
    Strong,
    /// Details that a reader may skip.
    Faint,
    /// Under the caret.
    Caret,
}

impl Palette {
    /// Returns colour on a terminal only, and never when `NO_COLOR` is set and not empty (no-color.org).
    pub fn choose(is_terminal: bool, no_color: Option<&str>) -> Self {
        if is_terminal && no_color.is_none_or(str::is_empty) { Palette::Colour } else { Palette::Plain }
    }

    pub fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Inconclusive => "1;33",
            Ink::Strong => "1",
            Ink::Faint => "2",
            Ink::Caret => "31",
        };
        if self == Palette::Plain || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

impl Ink {
    /// Returns the ink for the word of a result.
    pub fn of(result: CaseResult) -> Ink {
        match result {
            CaseResult::Pass => Ink::Good,
            CaseResult::Inconclusive | CaseResult::CouldNotRun => Ink::Inconclusive,
            CaseResult::Fail => Ink::Bad,
        }
    }
}

/// Returns a page of `explain` with its headings in colour, or as it is.
pub fn headed(page: &str, palette: Palette) -> String {
    if palette == Palette::Plain {
        return page.to_owned();
    }
    page.lines()
        .map(|line| match line.trim_start_matches('#').strip_prefix(' ') {
            Some(heading) if line.starts_with('#') => format!("{}\n", palette.paint(Ink::Strong, heading)),
            _ => format!("{line}\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_counts_only_when_it_is_not_empty() {
        assert_eq!(Palette::choose(true, None), Palette::Colour);
        assert_eq!(Palette::choose(true, Some("")), Palette::Colour);
        assert_eq!(Palette::choose(true, Some("1")), Palette::Plain);
        assert_eq!(Palette::choose(false, None), Palette::Plain);
    }

    #[test]
    fn headings_lose_their_hashes_only_to_colour() {
        let page = "# one: two\n\n- # three\n";
        assert_eq!(headed(page, Palette::Plain), page);
        assert_eq!(headed(page, Palette::Colour), "\x1b[1mone: two\x1b[0m\n\n- # three\n");
    }
}
