//! HTML under construction, for the pages of all reports. Text becomes markup in one place, which escapes it.

/// The colours of every page, for a light and a dark screen.
pub const COLOURS: &str = include_str!("colours.css");

/// HTML under construction.
#[derive(Default)]
pub struct Markup(String);

impl Markup {
    /// Adds our own markup.
    pub fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Adds text, whatever is in it.
    pub fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if c.is_control() && c != '\n' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }

    pub fn element(&mut self, name: &'static str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.text(text);
        self.raw(&format!("</{name}>\n"));
    }

    /// Adds a link to an address that begins with `https://`.
    pub fn link(&mut self, address: &str) {
        self.raw("<a href=\"");
        self.text(address);
        self.raw("\">");
        self.text(address);
        self.raw("</a>");
    }

    /// Adds a value for a script, as JSON in an element that is not executed. No text can end the element.
    pub fn data(&mut self, id: &str, json: &str) {
        self.raw(&format!("<script type=\"application/json\" id=\"{id}\">"));
        // In JSON, `<` stands in strings only, and GitHub Actions reads `##[error]` anywhere in a line as a command.
        self.raw(&json.replace('<', "\\u003c").replace("##[", "\\u0023#["));
        self.raw("</script>\n");
    }

    pub fn into_text(self) -> String {
        self.0
    }
}
