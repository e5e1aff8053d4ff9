// One case: its map, its findings, one stimulus in detail, and everything else that was reported about it.

function caseAddress(found, ...further) {
  const repeat = found.repeat > 1 ? ["r" + found.repeat] : [];
  return "#" + ["case", found.title, ...repeat, ...further].map(encodeURIComponent).join("/");
}

// A case without a verdict of its own in the JSON report could not run.
function resultOf(found) {
  return found.judged ? found.verdict : "could not run";
}

function caseView(found, details, at) {
  return [
    el("p", { class: "back" }, el("a", { href: "#overview" }, "← All cases")),
    el("h1", { tabindex: "-1" }, verdictMark(resultOf(found)), " ", breakable(found.title)),
    found.judged && found.judged.about && el("p", { class: "about" }, found.judged.about),
    el("p", { class: "faint" }, caseFacts(found).join(" · ")),
    found.judged ? judgedView(found, details, at) : errorView(found.error),
    el("section", {}, el("h2", {}, "Repeat this"),
      el("div", { class: "command" }, el("code", {}, details.command), copyButton(details.command, "Copy the command"))),
  ];
}

function caseFacts(found) {
  const facts = [found.file, millis(found.took_ms)];
  if (found.repeat > 1) facts.push("repeat " + found.repeat);
  if (!found.judged) return facts;
  const { stimuli, crossings, spans, seed } = found.judged;
  return [...facts, count(stimuli, "stimulus"), count(crossings, "crossing"), count(spans, "span"), "seed " + seed];
}

function errorView(error) {
  return el("section", {}, el("h2", {}, "Why it could not run"), el("p", { class: "message" }, prose(error.message)),
    error.caused_by.length > 0 && el("ul", {}, error.caused_by.map((cause) => el("li", {}, "caused by: ", prose(cause)))),
    error.output.length > 0 && lines(error.output));
}

function judgedView(found, details, at) {
  const { findings, gaps } = found.judged;
  const stage = exampleStage(found, details);
  const list = findings.map((finding) => findingCard(finding, found, details, stage));
  return [
    el("section", { "aria-labelledby": "map-title" }, el("h2", { id: "map-title" }, "Hops"), hopMap(found, details, at), hopTable(found)),
    list.length > 0 && el("section", {}, el("h2", {}, list.length === 1 ? "Finding" : "Findings"), list),
    gaps.length > 0 && el("section", { id: "gaps" }, el("h2", {}, "Why it is inconclusive"), gaps.map((gap) =>
      el("div", { class: "card inconclusive" }, el("p", {}, prose(gap.what)), gap.output.length > 0 && lines(gap.output)))),
    stage.section,
    remarks(found.judged),
    details.outputs.map(({ node, lines: output }) =>
      el("section", {}, fold(`Output of ${node}, ${count(output.length, "line")}`, true, lines(output)))),
    rulesTable(found.judged),
  ];
}

function findingCard(finding, found, details, stage) {
  const address = caseAddress(found, "finding", finding.fingerprint);
  const state = finding.known ? "known" : finding.inconclusive ? "inconclusive" : "fail";
  const all = finding.of > 0 && finding.hit >= finding.of;
  const hits = finding.of === 0 ? `${finding.hit}` : all ? `all ${finding.of}` : `${finding.hit} of ${finding.of}`;
  const others = finding.others.slice(0, 8).join(", ") + (finding.others.length > 8 ? ` and ${finding.others.length - 8} more` : "");
  const numbers = finding.example && `stimulus ${finding.example}` + (finding.others.length ? `; also in ${others}` : "");
  const has = details.examples.some((one) => one.stimulus === finding.example);
  return el("article", { class: "card " + state, id: "finding-" + finding.fingerprint, tabindex: "-1" },
    el("h3", {}, el("span", { class: "verdict " + state }, el("span", { class: "mark", "aria-hidden": "true" }, MARKS[state] || "✓"),
      " " + finding.class), " ", el("span", { class: "blame" }, prose(blame(finding)), ` (${hits})`),
      el("a", { class: "permalink", href: address, "aria-label": "Link to this finding" }, "#")),
    finding.known && el("p", {}, "Accepted by the baseline: " + finding.known),
    el("p", { class: "message" }, prose(finding.message)),
    findingBytes(finding),
    el("dl", { class: "facts" }, [["expected", finding.expected], ["actual", finding.actual]].filter(([, value]) => value)
      .map(([term, value]) => [el("dt", {}, term), el("dd", {}, prose(value))])),
    finding.try_next.length > 0 && [el("h4", {}, "What to do next"), el("ul", {}, finding.try_next.map((step) => el("li", {}, prose(step))))],
    finding.missing_witness && el("p", {}, el("b", {}, "Missing witness: "), prose(finding.missing_witness)),
    finding.inside.length > 0 && el("ul", { class: "faint" }, finding.inside.map((remark) => el("li", {}, prose(remark)))),
    el("p", { class: "faint" }, prose(finding.clause)),
    el("p", { class: "faint" }, [finding.rule, `${found.file}:${finding.place.line}:${finding.place.column}`, numbers,
      "fingerprint " + finding.fingerprint].filter(Boolean).join(" · ")),
    el("p", { class: "actions" }, has && el("button", { type: "button", onclick: () => stage.choose(finding) }, "Show it in the waterfall"),
      copyButton(location.href.split("#")[0] + address, "Copy the link")),
    EXPLANATIONS[finding.class] && fold(`What ${finding.class} means, and its usual causes`, false,
      el("pre", { class: "explain", tabindex: "0" }, EXPLANATIONS[finding.class])));
}

// Who broke it, in the words of the terminal report.
function blame(finding) {
  const names = finding.hops.map((hop) => "`" + hop + "`");
  const hops = names.length > 1 ? names.slice(0, -1).join(", ") + " and " + names.at(-1) : names[0];
  const place = hops ? `at ${hops}, ` : "";
  const node = finding.node ? " `" + finding.node + "`" : "";
  if (finding.side === "unknown") return node ? `${place}about${node}, side unknown` : `${place}side unknown`;
  if (finding.inconclusive) return `${place}possibly broken by the ${finding.side}${node}`;
  if (!hops) return "by" + (node || " the " + finding.side);
  return `${place}broken by the ${finding.side}${node}`;
}

// The waterfall with its choice of stimuli, and the panel for what is selected in it.
function exampleStage(found, details) {
  if (details.examples.length === 0) {
    const why = details.left_out ? "The waterfall of this case is left out, to keep the page small. Repeat the case alone to see it."
      : "Nothing was seen of any stimulus.";
    return { section: el("section", {}, el("h2", {}, "Trace beside the wire"), el("p", { class: "faint" }, why)), choose: () => {} };
  }
  const picture = el("div", {});
  const panel = el("div", { class: "panel", role: "region", "aria-label": "Selected row", "aria-live": "polite" });
  const buttons = details.examples.map((example) => el("button", { type: "button", onclick: () => draw(example) }, `Stimulus ${example.stimulus}`));
  const show = (content, row) => {
    picture.querySelectorAll(".pick[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    if (row) row.setAttribute("aria-current", "true");
    panel.replaceChildren();
    append(panel, content);
  };
  const draw = (example, hop) => {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(details.examples[at] === example)));
    picture.replaceChildren();
    append(picture, [waterfall(found, example, show)]);
    const wires = [...picture.querySelectorAll("tr.wire")];
    const wanted = wires.find((row) => hop && row.querySelector("b").textContent === hop)
      || wires.find((row) => row.classList.contains("fail")) || wires.find((row) => row.classList.contains("inconclusive")) || wires[0];
    if (wanted) wanted.querySelector("button").click();
  };
  draw(details.examples[0]);
  const section = el("section", { id: "trace", tabindex: "-1" }, el("h2", {}, "Trace beside the wire"),
    el("p", { class: "faint" }, `${details.examples.length} of ${count(found.judged.stimuli, "stimulus")} shown. Select a row for its bytes.`),
    details.examples.length > 1 && el("div", { class: "choices", role: "group", "aria-label": "Stimulus" }, buttons), picture, panel);
  const choose = (finding) => {
    draw(details.examples.find((one) => one.stimulus === finding.example), finding.hops[0]);
    section.scrollIntoView();
    section.focus({ preventScroll: true });
  };
  return { section, choose };
}

function remarks(judged) {
  const notes = judged.notes.map((note) => [note.hop && [el("b", {}, note.hop), ": "], prose(note.text), note.seen > 1 && ` (${note.seen} times)`]);
  const calls = judged.undeclared.map((call) => ["no hop declares ", prose(call.what), ` (${count(call.times, "time")})`]);
  const all = [...notes, ...calls];
  if (all.length === 0) return null;
  return el("section", {}, fold(`Notes (${all.length})`, all.length < 8, el("ul", {}, all.map((words) => el("li", {}, words)))));
}

function rulesTable(judged) {
  const rows = judged.rules.map((rule) => el("tr", {}, el("th", { scope: "row" }, rule.rule), el("td", {}, verdictMark(rule.verdict)),
    el("td", {}, rule.looked_at.toLocaleString("en"))));
  const heads = ["rule", "verdict", "looked at"].map((head) => el("th", { scope: "col" }, head));
  return el("section", {}, fold(`Rules (${rows.length})`, false, el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows))));
}
