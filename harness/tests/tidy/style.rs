//! The rules of CONTRIBUTING.md, "Names and English", that a machine can check in the code: function docs open with a
//! verb, types are nouns, one-use closures and tuple parameters are absent, errors have types.
//!
//! It reads the sources as text and checks no grammar; [`words`](crate::words) holds the retired forms.
//!
//! A file that breaks a rule for a reason is in `EXCEPT`.

use std::sync::LazyLock;

use regex::Regex;

use crate::{is_test_file, root, sources, without_tests};

/// Files that the rules do not hold for, each with the reason.
const EXCEPT: &[(&str, &str)] = &[];

/// The most closures with a name, for each 100 functions of a crate.
const NAMED_CLOSURES: usize = 3;

/// Nouns in the plural, pronouns and other words that end like a verb in the third person.
const NO_VERBS: &[&str] = &[
    "Addresses",
    "Answers",
    "Arguments",
    "As",
    "Attributes",
    "Bodies",
    "Bytes",
    "Calls",
    "Cases",
    "Crossings",
    "Does",
    "Entries",
    "Fields",
    "Files",
    "Has",
    "Headers",
    "Hops",
    "Ids",
    "Its",
    "Items",
    "Is",
    "Kinds",
    "Less",
    "Lines",
    "Members",
    "Messages",
    "Names",
    "Nodes",
    "Numbers",
    "Options",
    "Parts",
    "Places",
    "Ports",
    "Records",
    "Requests",
    "Rows",
    "Rules",
    "Services",
    "Spans",
    "Texts",
    "Things",
    "This",
    "Types",
    "Was",
    "Words",
    "Unless",
    "Always",
    "Perhaps",
    "Versions",
    "Values",
    "Traces",
];

/// Single words that are a participle or a function word, and so name no thing.
static NO_NOUN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        "^([A-Z][a-z]*[^e]ed|Sent|Seen|Kept|Held|Known|Given|Taken|Found|Made|Left|Lost|Drawn|Written|Hidden|Bound|\
         Shown|Chosen|Begun|Done|Gone|Met|Put|Read|Said|Meant|Here|There|Within|Beside|Around|Between|Behind|Before|\
         After|Below|Above|Once|Also|Only|Due|Own|Both|Each|With|Without|About|Until|Since|Whole|Late|Early|Fresh|Free|\
         Ready|Alive|Alone|Apart|Standing|Waiting|Running|Going|Coming)$",
    )
    .expect("it is constant")
});

/// Words that [`NO_NOUN`] matches and that are nouns.
const NOUNS: &[&str] = &["Seed", "Feed", "Shed", "Thread", "Speed", "Read"];

static DOC: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*/// (\S+)").expect("it is constant"));
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?(?:unsafe )?fn ").expect("it is constant")
});
static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait|type|union) ([A-Z]\w*)")
        .expect("it is constant")
});
static CLOSURE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*let (?:mut )?\w+ = (?:async )?(?:move )?\|").expect("it is constant"));
static SHAPES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let shape = |form: &str, instead: &'static str| (Regex::new(form).expect("it is constant"), instead);
    vec![
        shape(r"\.filter\(\|_\|", "`if`, `bool::then`"),
        shape(r"^\s*(?:true|false) =>", "`if`"),
        shape(r"match \(\) \{", "`if`"),
        shape(
            r"(?:fn \w+\(|\||, |^\s+)\(\w+, [\w, ]+\): &?\(",
            "a struct with a name in place of a tuple parameter",
        ),
        shape(r"Result<[^<>]*(?:<[^<>]*>)?[^<>]*, String>", "an error type"),
    ]
});

/// Returns `line: what is wrong` for each line of a source that breaks a rule.
fn faults(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut wrong = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let at = number + 1;
        if FUNCTION.is_match(line) {
            wrong.extend(
                opening(&lines[..number]).map(|word| (at, format!("`{word}` opens the doc: use a verb"))),
            );
        }
        if let Some(found) = TYPE.captures(line) {
            let name = &found[1];
            if NO_NOUN.is_match(name) && !NOUNS.contains(&name) {
                wrong.push((at, format!("`{name}` is no noun")));
            }
        }
        if !line.trim_start().starts_with("//") {
            let shapes = SHAPES.iter().filter(|(shape, _)| shape.is_match(line));
            wrong.extend(shapes.map(|(_, instead)| (at, format!("{}: use {instead}", line.trim()))));
        }
    }
    wrong
}

/// Returns the first word of the doc comment that ends these lines, if it is no verb in the third person.
fn opening<'a>(before: &[&'a str]) -> Option<&'a str> {
    let mut first = None;
    for line in before.iter().rev() {
        let code = line.trim_start();
        if code.starts_with("///") {
            first = DOC.captures(line).and_then(|found| found.get(1)).map(|word| word.as_str());
        } else if !code.starts_with("#[") && !code.ends_with(")]") {
            break;
        }
    }
    first.filter(|word| !is_verb(word))
}

fn is_verb(word: &str) -> bool {
    let word = word.trim_end_matches([',', ':']);
    let letters = word.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '-');
    letters
        && word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.ends_with('s')
        && !NO_VERBS.contains(&word)
}

/// Returns the sources that the rules read, by their name from the root: no tests, they name things for a page only.
fn read() -> Vec<(String, String)> {
    let code = sources(&root()).into_iter().filter(|(path, _)| !is_test_file(path));
    let named = code.map(|(path, text)| {
        let name = path.strip_prefix(root()).expect("found below it").to_string_lossy().replace('\\', "/");
        (name, without_tests(&text))
    });
    named.collect()
}

#[test]
fn every_file_follows_the_rules_for_names_and_docs() {
    let mut wrong = Vec::new();
    for (name, text) in read() {
        if !EXCEPT.iter().any(|(place, _)| name.starts_with(place)) {
            wrong.extend(faults(&text).into_iter().map(|(line, what)| format!("{name}:{line}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn closures_with_a_name_are_rare() {
    let (mut functions, mut closures) = (0, Vec::new());
    for (name, text) in read() {
        for (number, line) in text.lines().enumerate() {
            functions += usize::from(FUNCTION.is_match(line));
            if CLOSURE.is_match(line) {
                closures.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    let limit = functions * NAMED_CLOSURES / 100;
    let shown = closures.join("\n");
    assert!(closures.len() <= limit, "{} in {functions} functions, limit {limit}:\n{shown}", closures.len());
}

#[test]
fn what_breaks_a_rule_is_found_with_its_line() {
    let text = "/// The span of it.\n#[must_use]\nfn span() {}\n/// Returns it.\nfn good() {}\nstruct Held;\nstruct Shed;\n\
                fn f(a: u8, (b, c): (u8, u8)) {}\nlet a = x.filter(|_| b);\n        true => 1,\n\
                fn g() -> Result<u8, String> {}\n// Result<u8, String>";
    let lines: Vec<usize> = faults(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [3, 6, 8, 9, 10, 11]);
}

#[test]
fn a_verb_in_the_third_person_opens_a_doc() {
    for verb in ["Returns", "Parses", "Resolves", "Re-pairs"] {
        assert!(is_verb(verb), "{verb}");
    }
    for other in ["The", "`x`", "This", "Spans", "True", "Whether", "returns"] {
        assert!(!is_verb(other), "{other}");
    }
}
