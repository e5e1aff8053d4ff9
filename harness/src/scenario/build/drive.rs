//! `drive:`, one drive each.

use super::builder::Builder;
use super::draft::DriveDraft;
use crate::diagnostic::Diagnostic;
use crate::scenario::drive::{Drive, DriveBody, DriveContext};
use crate::scenario::index::NodeIx;
use crate::scenario::pattern;
use crate::scenario::reference::TemplateSite;
use crate::scenario::template::{Template, TemplatePart};
use crate::scenario::tree::{KeyValue, Tree, TreeValue};
use crate::wire::Decision;

/// Sent where `context: invalid` names no traceparent of its own: a version that the standard forbids.
const INVALID: &str = "ff-${trace-id}-${parent-id}-01";

impl<'a> Builder<'a, '_> {
    /// Returns the drive; `None` when the hop that it sends is unknown.
    pub(super) fn drive(&mut self, tree: &'a Tree) -> Option<DriveDraft<'a>> {
        let send = self.hop_named(tree.get("send")?);
        let mut headers = self.headers(tree);
        let body = self.body(tree, &mut headers);
        let hangs_up = tree.text_at("hangs-up-after").and_then(pattern::duration);
        let stray = ["within", "answers"].iter().find_map(|key| tree.entry(key));
        if let (Some(stray), Some(_)) = (stray, hangs_up) {
            let message = format!(
                "`{}` has no effect beside `hangs-up-after`: the driver does not wait for an answer",
                stray.key.value
            );
            let help = "remove one of the two";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        let drive = Drive {
            place: tree.value_place("send"),
            send: send?,
            times: number_at(tree, "times").unwrap_or(1),
            concurrency: number_at(tree, "concurrency").unwrap_or(1),
            context: self.context(tree),
            headers,
            body,
            query: self.query(tree),
            within: hangs_up.or_else(|| tree.text_at("within").and_then(pattern::duration)),
            hangs_up: hangs_up.is_some(),
            upgrades: tree.entry("upgrade").is_some(),
            origin: tree.text_at("origin").map(str::to_owned),
            answers: number_at(tree, "answers"),
            canary: tree.get("canary").and_then(Tree::boolean).unwrap_or(true),
        };
        Some(DriveDraft { drive, tree })
    }

    fn context(&mut self, tree: &'a Tree) -> DriveContext {
        let root = tree.text_at("root").map(|root| root == "sampled");
        if let Some(lines) = tree.get("raw-headers") {
            return DriveContext::Raw { lines: self.raw_headers(tree, lines), root };
        }
        let Some(context) = tree.get("context") else {
            if let Some(stray) = tree.entry("root") {
                let message =
                    "`root` has no effect: the root sampler decides only without a valid traceparent";
                let help = "add `context: none`, or use `sampled` instead";
                self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
            }
            let random = tree.get("random").and_then(Tree::boolean).unwrap_or(false);
            return DriveContext::Valid { decision: self.decision(tree), random };
        };
        for stray in ["sampled", "decision", "random"].iter().filter_map(|key| tree.entry(key)) {
            let message =
                format!("`{}` has no effect beside `context`: no valid traceparent is sent", stray.key.value);
            let help = "remove one of the two; `root` sets what the root sampler must decide";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        match (context.text(), context.get("invalid")) {
            (_, Some(own)) => self.invalid(own, root),
            (Some("invalid"), _) => DriveContext::Invalid { traceparent: INVALID.to_owned(), root },
            _ => DriveContext::None { root },
        }
    }

    fn decision(&mut self, tree: &'a Tree) -> Decision {
        let sampled = tree.get("sampled").and_then(|sampled| self.case.pick(sampled).boolean());
        let Some(decision) = tree.entry("decision") else { return Decision::of(sampled.unwrap_or(true)) };
        if let Some(stray) = tree.entry("sampled") {
            let message = "`sampled` has no effect beside `decision`, which says what is sent";
            let diagnostic = Diagnostic::new("stray-key", stray.key.place, message).label("no effect");
            let help = "remove one of the two";
            self.complaints.report(diagnostic.also(decision.key.place, "the decision").help(help));
        }
        match decision.value.text() {
            Some("debug") => Decision::Debug,
            // Its shape was refused where it is something else.
            _ => Decision::Deferred,
        }
    }

    fn invalid(&mut self, own: &'a Tree, root: Option<bool>) -> DriveContext {
        let traceparent = own.text().unwrap_or_default().to_owned();
        let filled =
            traceparent.replace("${trace-id}", &"1".repeat(32)).replace("${parent-id}", &"2".repeat(16));
        if filled.contains("${") {
            self.unknown_template(own, "a traceparent");
        } else if valid(filled.as_bytes()) {
            let message = "`context: invalid` needs an invalid traceparent, and this one is valid";
            let help = "change it so that it does not parse, or remove `context` to send a valid one";
            self.complaints.report(Diagnostic::new("valid-traceparent", own.place, message).help(help));
        }
        DriveContext::Invalid { traceparent, root }
    }

    /// Returns the lines of `raw-headers`, which stand for the context.
    fn raw_headers(&mut self, tree: &'a Tree, lines: &'a Tree) -> Vec<(String, String)> {
        let strays = ["context", "sampled", "decision", "random"];
        for stray in strays.iter().filter_map(|key| tree.entry(key)) {
            let message =
                format!("`{}` has no effect beside `raw-headers`, which says what is sent", stray.key.value);
            let help = "remove one of the two";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        let mut raw = Vec::new();
        for line in lines.one_or_more() {
            // Its shape was refused where it is something else.
            let Some((name, value)) = line.text().and_then(|text| text.split_once(':')) else { continue };
            if let Some(help) = owned(name)
                && !name.eq_ignore_ascii_case("traceparent")
            {
                let message = format!("the driver sets `{name}` itself");
                self.complaints.report(Diagnostic::new("reserved-header", line.place, message).help(help));
            }
            if value.replace("${trace-id}", "").replace("${parent-id}", "").contains("${") {
                self.unknown_template(line, "a field line");
            }
            raw.push((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
        }
        raw
    }

    fn unknown_template(&mut self, at: &Tree, what: &str) {
        let message = format!("unknown template in {what}");
        let help = "templates here: `${trace-id}`, `${parent-id}`";
        self.complaints.report(Diagnostic::new("unknown-template", at.place, message).help(help));
    }

    fn headers(&mut self, tree: &'a Tree) -> Vec<(String, Template)> {
        let mut headers = Vec::new();
        for KeyValue { key, value } in tree.get("headers").map_or(&[][..], Tree::entries) {
            if let Some(help) = owned(&key.value) {
                let message = format!("the driver sets `{}` itself", key.value);
                self.complaints.report(Diagnostic::new("reserved-header", key.place, message).help(help));
                continue;
            }
            for line in value.one_or_more() {
                if line.text().is_some_and(|text| text.contains(['\r', '\n', '\0'])) {
                    let message = format!("the value of `{}` contains a line end", key.value);
                    let help = "write a list to send several lines";
                    self.complaints.report(Diagnostic::new("bad-text", line.place, message).help(help));
                }
                headers.push((key.value.clone(), self.template(line, NodeIx::CLIENT, TemplateSite::Drive)));
            }
        }
        headers
    }

    /// Returns the parameters of the query, one for each value.
    fn query(&mut self, tree: &'a Tree) -> Vec<(String, Template)> {
        let mut query = Vec::new();
        for KeyValue { key, value } in tree.get("query").map_or(&[][..], Tree::entries) {
            for one in value.one_or_more() {
                query.push((key.value.clone(), self.template(one, NodeIx::CLIENT, TemplateSite::Drive)));
            }
        }
        query
    }

    /// Returns the body and its type; a `content-type` among the headers becomes the body's.
    fn body(&mut self, tree: &'a Tree, headers: &mut Vec<(String, Template)>) -> DriveBody {
        let Some(body) = tree.get("body") else { return DriveBody::Empty };
        let (content, default) = match &body.value {
            TreeValue::Scalar { .. } => {
                (self.template(body, NodeIx::CLIENT, TemplateSite::Drive), "text/plain; charset=utf-8")
            }
            _ => (self.json_template(body, NodeIx::CLIENT), "application/json"),
        };
        let own = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content_type = match own.map(|at| headers.remove(at).1.parts) {
            Some(parts) => match parts.as_slice() {
                [TemplatePart::Text(text)] => text.clone(),
                _ => default.to_owned(),
            },
            None => default.to_owned(),
        };
        DriveBody::Bytes { content, content_type }
    }
}

fn number_at(tree: &Tree, key: &str) -> Option<u32> {
    tree.get(key)?.number().and_then(|number| u32::try_from(number).ok())
}

/// Returns whether a reader of level 1 would accept it: W3C Trace Context 3.2.
fn valid(bytes: &[u8]) -> bool {
    let parts: Vec<&[u8]> = bytes.split(|b| *b == b'-').collect();
    match parts.as_slice() {
        [version, trace, parent, flags, rest @ ..] => {
            let lengths = [version.len(), trace.len(), parent.len(), flags.len()] == [2, 32, 16, 2];
            let digits = [version, trace, parent, flags].iter().all(|part| is_lower_hex(part));
            let version_fits = *version != b"ff" && (*version != b"00" || rest.is_empty());
            lengths && digits && version_fits && !is_zero(trace) && !is_zero(parent)
        }
        _ => false,
    }
}

fn is_lower_hex(part: &[u8]) -> bool {
    part.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

fn is_zero(part: &[u8]) -> bool {
    part.iter().all(|byte| *byte == b'0')
}

/// Returns why a drive cannot choose a header.
fn owned(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "traceparent" => Some("use `sampled`, `random` or `context` instead, or `raw-headers` for any text"),
        "host" => Some("use `host` at the hop instead"),
        "origin" => Some("use `origin` at the drive instead, which sends a preflight, too"),
        "content-length" | "transfer-encoding" | "connection" => Some("remove it: the body determines it"),
        _ => None,
    }
}
