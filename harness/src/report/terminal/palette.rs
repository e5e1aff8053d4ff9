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

/// The signs by which a stream is coloured where the user gives no order: what it is, and variables of the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColourSigns<'a> {
    pub is_terminal: bool,
    /// `NO_COLOR`: no colour when it is set and not empty (no-color.org).
    pub no_color: Option<&'a str>,
    /// `CLICOLOR_FORCE`: colour without a terminal too, when it is neither empty nor `0` (bixense.com/clicolors).
    pub force: Option<&'a str>,
    /// `TERM`: a terminal that is `dumb` shows no colour.
    pub term: Option<&'a str>,
}

impl Palette {
    /// Returns the palette that the signs call for. `NO_COLOR` wins over `CLICOLOR_FORCE`.
    pub fn choose(signs: &ColourSigns<'_>) -> Self {
        let refused = signs.no_color.is_some_and(|value| !value.is_empty());
        let forced = signs.force.is_some_and(|value| !value.is_empty() && value != "0");
        let shows_colour = signs.is_terminal && signs.term != Some("dumb");
        if !refused && (forced || shows_colour) { Palette::Colour } else { Palette::Plain }
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

    const TERMINAL: ColourSigns<'_> =
        ColourSigns { is_terminal: true, no_color: None, force: None, term: Some("xterm") };

    #[test]
    fn no_color_counts_only_when_it_is_not_empty() {
        let with = |no_color| Palette::choose(&ColourSigns { no_color, force: Some("1"), ..TERMINAL });
        assert_eq!((with(None), with(Some(""))), (Palette::Colour, Palette::Colour));
        assert_eq!(with(Some("1")), Palette::Plain);
    }

    #[test]
    fn a_file_and_a_dumb_terminal_are_plain_unless_colour_is_forced() {
        let file = ColourSigns { is_terminal: false, ..TERMINAL };
        let dumb = ColourSigns { term: Some("dumb"), ..TERMINAL };
        for signs in [file, dumb] {
            let forced = |force| Palette::choose(&ColourSigns { force, ..signs });
            assert_eq!([None, Some(""), Some("0")].map(forced), [Palette::Plain; 3]);
            assert_eq!(forced(Some("1")), Palette::Colour);
        }
    }

    #[test]
    fn headings_lose_their_hashes_only_to_colour() {
        let page = "# one: two\n\n- # three\n";
        assert_eq!(headed(page, Palette::Plain), page);
        assert_eq!(headed(page, Palette::Colour), "\x1b[1mone: two\x1b[0m\n\n- # three\n");
    }
}
