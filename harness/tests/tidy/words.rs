//! The word list of the house (CONTRIBUTING.md, "English"): retired words and forms, each with its replacement.
//!
//! It reads sources, docs, snapshots, expected outputs and scenarios as text. A word is found in identifiers too
//! (`is_told`, `NOT_TOLD`, `ToldBy`); a form is found across line breaks. It does not check grammar.
//!
//! A line that keeps a retired form for a reason is in `KEPT`.

use std::sync::LazyLock;

use regex::Regex;

use crate::files;

/// Files and folders that are not read, each with the reason.
const EXCEPT: &[(&str, &str)] = &[
    ("fixtures/brokers/transcripts/", "what brokers and clients of others say"),
    ("harness/tests/judged/first-headers-for-ever", "the dump of all findings names the case"),
    ("harness/tests/tidy/words.rs", "this list"),
];

/// Lines that keep a retired form: a file, and the line as it stands there.
const KEPT: &[(&str, &str)] = &[
    // Baselines of version 1 may have the former word of an unknown side.
    ("harness/src/rules/fingerprint.rs", r#"const FORMER_UNKNOWN_SIDE: &str = "nobody yet";"#),
];

const READ: &[&str] = &["rs", "md", "snap", "txt", "yaml", "yml", "toml", "py", "js", "go", "java"];

/// A retired word, with its inflections as a regular expression, and its replacement.
const WORDS: &[(&str, &str)] = &[
    ("told", "reported, printed, shown; configured; instructed"),
    ("mend(?:s|ed|ing)?", "fix"),
    ("mistakes?", "error, problem"),
    ("troubles?", "problem, error"),
    ("anew", "again"),
    ("unsure", "inconclusive"),
    ("whoever", "name the person or the part that acts"),
];

/// A retired form, words that make it legal when they follow at once, and its replacement.
const FORMS: &[(&str, &str, &str)] = &[
    (r"tells?\s+(?:that|of|more)\b", "", "report, print, show"),
    (r"tells\s+(?:what|where|which|whether|how|why)\b", "", "report, print, show"),
    (r"was\s+right\b", "", "`x` extracted the incoming context correctly"),
    (r"another\s+(?:[\w`'-]+\s+){1,3}than\b", "", "a wrong ..., a different ... from"),
    (r"(?:send|sends|sent)\s+on\b", ON, "forward, continue"),
    (r"(?:go|goes|going|went|gone)\s+on\b", ON, "continue"),
    (r"(?:is|are|was|were)\s+none\s+of\b", "", "is not a ..., is not one of ..."),
    (r"(?:there|that|which|it|they)\s+(?:is|are|was|were)\s+none\b", "", "is missing, there is no ..."),
    (r"(?:is|are|was|were|be|being)\s+not\s+there\b", "", "is missing"),
    (r"(?:has|have|had)\s+none\b", "", "has no ..."),
    (r"(?:has|have|had)\s+of\b", "", "subject, verb, object"),
    (r"(?:comes?|came)\s+back\s+(?:when|once)\b", "", "returns when, resolves when"),
    (r"(?:is|are|was|were|be|been|being)\s+said\b", "", "is reported"),
    (r"(?:is|are|was|were|be|been|being)\s+asked\s+(?:for|whether|about)\b", "", "is requested"),
    (r"(?:leave|leaves|leaving|left)\s+(?:[^\s.;:,]+\s+){0,3}away\b", "", "omit"),
    (r"all\s+the\s+time\b", "", "still, always"),
    (r"in\s+the\s+clear\b", "", "plaintext"),
    (r"nobody\s+yet\b", "", "unknown"),
    (r"wants\s+an?\b", "", "needs"),
    (r"for\s+ever\b", "", "forever"),
];

/// "Sent on the same connection", "goes on the wire" are no retired forms.
const ON: &str =
    r"\s+(?:the|an?|its?|this|that|these|one|two|each|every|any|both|all|which|either|separate|different|\W)";

static RETIRED: LazyLock<Vec<Retired>> = LazyLock::new(|| {
    let words = WORDS.iter().map(|(word, instead)| Retired::word(word, instead));
    let forms = FORMS.iter().map(|(form, unless, instead)| Retired::form(form, unless, instead));
    words.chain(forms).collect()
});

static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*//[/!] (What|Who|Whom|Whose|How|Whether|Which|Where|Why)\b").expect("it is constant")
});

struct Retired {
    pattern: Regex,
    unless: Option<Regex>,
    instead: &'static str,
}

impl Retired {
    /// Matches the word in prose and as a part of an identifier in any case convention.
    fn word(word: &str, instead: &'static str) -> Self {
        let (first, rest) = word.split_at(1);
        let (upper, capitals) = (first.to_uppercase(), word.to_uppercase());
        let alone = format!("(?:^|[^A-Za-z])([{first}{upper}]{rest})(?:[^a-z]|$)");
        let constant = format!("(?:^|[^A-Za-z])({capitals})(?:[^A-Za-z]|$)");
        let inside = format!("[a-z]({upper}{rest})(?:[^a-z]|$)");
        let pattern = Regex::new(&format!("(?m){alone}|{constant}|{inside}")).expect("it is constant");
        Self { pattern, unless: None, instead }
    }

    fn form(form: &str, unless: &str, instead: &'static str) -> Self {
        let regex = |pattern: &str| Regex::new(pattern).expect("it is constant");
        let unless = (!unless.is_empty()).then(|| regex(&format!("(?i)^{unless}\\b|^{unless}")));
        Self { pattern: regex(&format!(r"(?i)\b({form})")), unless, instead }
    }
}

/// A retired form in a text: its line, the words found, and their replacement.
#[derive(Debug, PartialEq)]
struct Hit {
    line: usize,
    found: String,
    instead: String,
}

/// A text with its line breaks and comment markers replaced by blanks, so that a form is found across lines.
struct Flat {
    text: String,
    starts: Vec<usize>,
}

impl Flat {
    fn of(text: &str) -> Self {
        let mut flat = Self { text: String::with_capacity(text.len()), starts: Vec::new() };
        for line in text.lines() {
            flat.starts.push(flat.text.len());
            let line = line.trim();
            let prose = ["///", "//!", "//", "#", "*"].iter().find_map(|marker| line.strip_prefix(marker));
            flat.text.push_str(prose.unwrap_or(line).trim_start());
            flat.text.push('\n');
        }
        flat
    }

    /// Returns the number of the line, from 1, that holds the byte.
    fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }
}

fn hits(text: &str) -> Vec<Hit> {
    let flat = Flat::of(text);
    let mut all: Vec<Hit> = RETIRED.iter().flat_map(|retired| hits_of(retired, &flat)).collect();
    all.extend(openings(text));
    all.sort_by_key(|hit| hit.line);
    all
}

fn hits_of(retired: &Retired, flat: &Flat) -> Vec<Hit> {
    let mut hits = Vec::new();
    for captures in retired.pattern.captures_iter(&flat.text) {
        let Some(found) = captures.iter().skip(1).flatten().next() else { continue };
        let rest = &flat.text[found.end()..];
        if retired.unless.as_ref().is_some_and(|unless| unless.is_match(rest)) {
            continue;
        }
        let words: Vec<&str> = found.as_str().split_whitespace().collect();
        let instead = retired.instead.to_owned();
        hits.push(Hit { line: flat.line(found.start()), found: words.join(" "), instead });
    }
    hits
}

/// Doc comments whose first line is a noun clause: "What a tap saw" in place of "Returns what a tap saw".
fn openings(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let doc = line.trim_start().starts_with("///") || line.trim_start().starts_with("//!");
        if let (false, Some(found)) = (inside, OPENING.captures(line)) {
            let instead = "a verb, such as `Returns`, or a noun, such as `The bytes that`".to_owned();
            hits.push(Hit { line: number + 1, found: format!("{} as an opening", &found[1]), instead });
        }
        inside = doc;
    }
    hits
}

/// Lists `file:line: form -> replacement` for each retired form.
fn retired_forms() -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, path) in files::below(&crate::root(), READ) {
        if EXCEPT.iter().any(|(place, _)| name.starts_with(place)) {
            continue;
        }
        for hit in hits(&name.replace(['/', '-', '.'], " ")) {
            wrong.push(format!("{name}: its name: {} -> {}", hit.found, hit.instead));
        }
        // Some inputs of tests are not UTF-8 on purpose.
        let bytes = std::fs::read(&path).expect("it was listed");
        let text = without_transcripts(&String::from_utf8_lossy(&bytes));
        let lines: Vec<&str> = text.lines().collect();
        for hit in hits(&text) {
            if KEPT.contains(&(name.as_str(), lines[hit.line - 1])) {
                continue;
            }
            wrong.push(format!("{name}:{}: {} -> {}", hit.line, hit.found, hit.instead));
        }
    }
    wrong
}

/// Blanks the `diff` blocks of a Markdown file: they hold what brokers answered.
fn without_transcripts(text: &str) -> String {
    let mut quoted = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        quoted = if quoted { line != "```" } else { line == "```diff" };
        if !quoted {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

#[test]
fn no_file_has_a_retired_form() {
    let wrong = retired_forms();
    assert!(wrong.is_empty(), "{} retired forms:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_exception_exists() {
    let names: Vec<String> = files::below(&crate::root(), READ).into_iter().map(|(name, _)| name).collect();
    let missing: Vec<&str> = EXCEPT
        .iter()
        .map(|(place, _)| *place)
        .filter(|place| !names.iter().any(|name| name.starts_with(place)))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn each_kept_line_exists_and_has_a_retired_form() {
    for (file, line) in KEPT {
        let text = std::fs::read_to_string(crate::root().join(file)).expect("a kept line is in a file");
        assert!(text.lines().any(|other| other == *line), "{file}: {line}");
        assert_eq!(hits(line).len(), 1, "{file}: {line}");
    }
}

fn found_in(text: &str) -> Vec<String> {
    hits(text).into_iter().map(|hit| hit.found).collect()
}

#[test]
fn a_retired_form_is_found_with_its_line() {
    let text = "a line\n/// The relay is\n/// none of ours and sends\n// on what came.\n";
    let found: Vec<_> = hits(text).into_iter().map(|hit| (hit.line, hit.found)).collect();
    assert_eq!(found, [(2, "is none of".to_owned()), (3, "sends on".to_owned())]);
}

#[test]
fn words_are_found_in_identifiers_of_any_case() {
    for text in
        ["told", "Told", "is_told", "told_by(x)", "NOT_TOLD", "ToldBy", "wasTold", "`told`", "mended", "MEND"]
    {
        assert_eq!(found_in(text).len(), 1, "{text}");
    }
    for text in
        ["toldo", "TOLDO", "amend", "recommended", "commend", "Mendel", "is_none()", "troubleshooting"]
    {
        assert_eq!(found_in(text), [""; 0], "{text}");
    }
}

#[test]
fn each_form_of_the_list_is_found() {
    let texts = [
        "it tells that a header is missing",
        "the report tells where it broke",
        "what `shop` received was right: it made a span",
        "`shop` sent another id than that of its span",
        "the message was sent on unchanged",
        "the trace went on in the old one",
        "its address is none of Kafka",
        "bytes that are none",
        "a header that is not there",
        "of these it has none",
        "what a client has of it",
        "it comes back when all is done",
        "the address is said to the node",
        "a flush is asked for",
        "a relay that leaves a call away",
        "another case has it all the time",
        "Kafka in the clear",
        "the side is nobody yet",
        "it wants a compiler",
        "it waits for ever",
    ];
    for text in texts {
        assert_eq!(found_in(text).len(), 1, "{text}: {:?}", found_in(text));
    }
}

#[test]
fn legal_neighbours_of_the_forms_are_not_found() {
    let texts = [
        "the request was sent on the same connection, and `traceparent` goes on the wire",
        "sent on `topic`, sends on every partition",
        "a hop whose relation is none",
        "nobody can tell which call caused it",
        "none of them matches",
        "the other side left it, far away",
        "the reader came back, and the client asked for more",
        "another request, rather than the first",
    ];
    for text in texts {
        assert_eq!(found_in(text), [""; 0], "{text}");
    }
}

#[test]
fn only_the_first_line_of_a_doc_comment_is_its_opening() {
    let text = "/// Returns the span.\n/// Whether it ended is another question.\nfn f() {}\n\n/// Whether it ended.\n";
    assert_eq!(found_in(text), ["Whether as an opening"]);
    assert_eq!(found_in("// What follows is a comment, not a doc comment.\n"), [""; 0]);
}

#[test]
fn transcripts_of_brokers_are_not_ours() {
    assert_eq!(without_transcripts("a\n```diff\n-told\n```\nb\n"), "a\n\n\n```\nb\n");
}
