// The page: the list of cases with its filter, the overview, the matrix, and the view that the address names.

const REPORT = JSON.parse(document.getElementById("report").textContent);
const EXPLANATIONS = JSON.parse(document.getElementById("explanations").textContent);
const CASES = REPORT.cases;
const MAIN = document.getElementById("main");
const WORDS = ["fail", "inconclusive", "could not run", "pass"];

// The details of a case are read when it is shown.
function detailsOf(found) {
  return JSON.parse(document.getElementById("details-" + CASES.indexOf(found)).textContent);
}

function byResult(word) {
  return CASES.filter((found) => resultOf(found) === word);
}

// Returns why a case did not pass, in a few words.
function reasonOf(found) {
  if (!found.judged) return found.error.message;
  const finding = found.judged.findings.find((one) => counts(one) && !one.inconclusive) || found.judged.findings.find(counts);
  if (finding) return `${finding.class}${finding.hops.length ? " at " + finding.hops[0] : ""}${finding.node ? ", by " + finding.node : ""}`;
  return found.judged.gaps.length ? found.judged.gaps[0].what : "";
}

function searchText(found) {
  const judged = found.judged;
  const further = judged ? [...judged.findings.map((one) => `${one.class} ${one.rule} ${one.side} ${one.node || ""} ${one.fingerprint}`),
    ...judged.hops.map((hop) => `${hop.id} ${hop.from} ${hop.to} ${hop.transport}`)] : [found.error.message];
  return [found.title, found.file, resultOf(found), ...further].join(" ").toLowerCase();
}

// The list of cases, built once; the filter hides entries.
function caseList() {
  const filter = document.getElementById("filter");
  const status = document.getElementById("shown-cases");
  const wanted = new Set(WORDS);
  const entries = CASES.map((found) => ({ found, text: null, item: el("li", {}, el("a", { href: caseAddress(found) },
    verdictMark(resultOf(found)), el("span", { class: "title" }, found.scenario, found.repeat > 1 && ` (repeat ${found.repeat})`),
    found.case && el("span", { class: "values" }, found.case.replaceAll(",", ", ")),
    resultOf(found) !== "pass" && el("span", { class: "reason" }, reasonOf(found)))) }));
  const order = new Map(WORDS.map((word, at) => [word, at]));
  entries.sort((a, b) => order.get(resultOf(a.found)) - order.get(resultOf(b.found)));
  document.getElementById("case-list").append(...entries.map((entry) => entry.item));
  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      entry.text = entry.text || searchText(entry.found);
      entry.item.hidden = !wanted.has(resultOf(entry.found)) || !words.every((word) => entry.text.includes(word));
      shown += entry.item.hidden ? 0 : 1;
    }
    status.textContent = shown === CASES.length ? count(shown, "case") : `${shown} of ${count(CASES.length, "case")}`;
  };
  for (const word of WORDS.filter((one) => byResult(one).length > 0)) {
    const button = el("button", { type: "button", "aria-pressed": "true" }, verdictMark(word), ` ${byResult(word).length}`);
    button.addEventListener("click", () => {
      if (!wanted.delete(word)) wanted.add(word);
      button.setAttribute("aria-pressed", String(wanted.has(word)));
      apply();
    });
    document.getElementById("verdicts").append(button);
  }
  filter.addEventListener("input", apply);
  apply();
}

function verdictSentence() {
  const failed = byResult("fail").length;
  const open = CASES.length - failed - byResult("pass").length;
  if (failed > 0) return `${failed} of ${count(CASES.length, "case")} failed`;
  if (open > 0) return `${open} of ${count(CASES.length, "case")} without a verdict`;
  return CASES.length === 1 ? "The case passed" : `All ${count(CASES.length, "case")} passed`;
}

// Groups equal causes over all cases: the same class by the same side of the same node.
function causes() {
  const groups = new Map();
  for (const found of CASES.filter((one) => one.judged)) {
    for (const finding of found.judged.findings.filter(counts)) {
      const key = [finding.inconclusive, finding.class, finding.side, finding.node].join("\n");
      const group = groups.get(key) || { finding, found, cases: new Set(), hops: new Set(), places: [] };
      group.cases.add(found);
      finding.hops.forEach((hop) => group.hops.add(hop));
      group.places.push({ finding, found });
      groups.set(key, group);
    }
  }
  return [...groups.values()].sort((a, b) => a.finding.inconclusive - b.finding.inconclusive || b.cases.size - a.cases.size);
}

function causeCard(group, withMap) {
  const { finding, found } = group;
  const hops = [...group.hops];
  const place = { ...finding, hops: hops.length > 3 ? [] : hops };
  const many = hops.length > 3 ? `at ${hops.length} hops, ` : "";
  const state = finding.inconclusive ? "inconclusive" : "fail";
  const links = group.places.map((one) => el("li", {}, el("a", { href: caseAddress(one.found, "finding", one.finding.fingerprint) },
    one.found.title, one.found.repeat > 1 && ` (repeat ${one.found.repeat})`), one.finding.hops.length > 0 && ` at ${one.finding.hops.join(", ")}`));
  const words = many ? many + blame(place).replace(/^by /, `broken by the ${finding.side} `) : blame(place);
  return el("article", { class: "card " + state },
    el("h3", {}, el("span", { class: "verdict " + state }, el("span", { class: "mark", "aria-hidden": "true" }, MARKS[state]), " " + finding.class), " ",
      el("span", { class: "blame" }, prose(words)), el("span", { class: "faint" }, ` in ${count(group.cases.size, "case")}`)),
    el("p", { class: "message" }, prose(finding.message)),
    withMap && hopMap(found, detailsOf(found), { width: MAIN.clientWidth - 90 }),
    findingBytes(finding),
    finding.try_next.length > 0 && el("p", {}, el("b", {}, "Next: "), prose(finding.try_next[0])),
    el("p", {}, el("a", { class: "open", href: caseAddress(found, "finding", finding.fingerprint) }, "Open the finding")),
    links.length > 1 && fold(`All ${links.length} places`, false, el("ul", {}, links)));
}

function overview() {
  const groups = causes();
  const broken = groups.filter((group) => !group.finding.inconclusive);
  const open = groups.filter((group) => group.finding.inconclusive);
  const gaps = grouped(CASES.filter((one) => one.judged).flatMap((found) => found.judged.gaps.map((gap) => [gap.what, found])));
  const errors = grouped(byResult("could not run").map((found) => [found.error.message, found]));
  const state = REPORT.partial ? "The run has not ended: the report is partial. " : REPORT.interrupted ? "The run was interrupted. " : "";
  return [
    el("h1", { tabindex: "-1" }, verdictMark(REPORT.verdict), " ", verdictSentence()),
    el("p", { class: "faint" }, state, runFacts().join(" · ")),
    broken.length > 0 && el("section", {}, el("h2", {}, "What broke"), broken.map((group, at) => causeCard(group, at < 3))),
    open.length + gaps.length > 0 && el("section", {}, el("h2", {}, "What is inconclusive, and why"), open.map((group) => causeCard(group, false)), gaps.map((one) => reasonCard(one, "inconclusive"))),
    errors.length > 0 && el("section", {}, el("h2", {}, "What could not run"), errors.map((one) => reasonCard(one, "could-not-run"))),
    textList("Warnings", REPORT.warnings), textList("Fixed: accepted by the baseline, and no longer there", REPORT.fixed),
    groups.length + gaps.length + errors.length === 0 && el("section", {}, el("h2", {}, "Cases"), matrix("h3")),
  ];
}

function runFacts() {
  const facts = ["seed " + REPORT.seed, millis(REPORT.took_ms), `unbroken ${REPORT.tool.version}`];
  const missing = REPORT.counts.due - CASES.length;
  return missing > 0 ? [...facts, `${count(missing, "case")} did not end`] : facts;
}

function grouped(pairs) {
  const groups = new Map();
  for (const [what, found] of pairs) groups.set(what, [...(groups.get(what) || []), found]);
  return [...groups].map(([what, cases]) => ({ what, cases }));
}

function reasonCard({ what, cases }, state) {
  return el("article", { class: "card " + state }, el("p", { class: "message" }, prose(what)),
    fold(count(cases.length, "case"), cases.length < 4, el("ul", {}, cases.map((found) => el("li", {}, el("a", { href: caseAddress(found) }, found.title))))));
}

function textList(title, texts) {
  return texts.length > 0 && el("section", {}, el("h2", {}, title), el("ul", {}, texts.map((text) => el("li", {}, prose(text)))));
}

// Cases against hops, one table for each scenario.
function matrix(heading) {
  return grouped(CASES.map((found) => [found.scenario, found])).map(({ what, cases }) => {
    const hops = [...new Set(cases.flatMap((found) => (found.judged ? found.judged.hops.map((hop) => hop.id) : [])))];
    const rows = cases.map((found) => el("tr", {},
      el("th", { scope: "row" }, el("a", { href: caseAddress(found) }, found.case || what, found.repeat > 1 && ` (repeat ${found.repeat})`)),
      el("td", {}, verdictMark(resultOf(found))),
      hops.map((id) => matrixCell(found, id))));
    return el("section", {}, el(heading, {}, what), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Cases of " + what },
      el("table", { class: "matrix" }, el("thead", {}, el("tr", {}, ["case", "verdict", ...hops].map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, rows))));
  });
}

function matrixCell(found, id) {
  const hop = found.judged && found.judged.hops.find((one) => one.id === id);
  if (!hop) return el("td", { class: "faint" }, "–");
  return el("td", { class: hop.verdict }, el("a", { href: caseAddress(found, "hop", id), class: "verdict " + hop.verdict },
    el("span", { class: "mark", "aria-hidden": "true" }, MARKS[hop.verdict]), " " + hopRemark(hop, found)));
}

// Shows what the address names: `#case/TITLE`, then optionally `r2`, and `finding/FINGERPRINT` or `hop/NAME`.
function show() {
  const parts = location.hash.slice(1).split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const [view, title, ...rest] = parts;
  if (view === "main") return MAIN.focus();
  const repeat = rest[0] && /^r\d+$/.test(rest[0]) ? Number(rest.shift().slice(1)) : 1;
  const found = view === "case" ? CASES.find((one) => one.title === title && one.repeat === repeat) : null;
  const content = found ? caseView(found, detailsOf(found), { width: MAIN.clientWidth - 50 })
    : view === "case" ? [el("h1", { tabindex: "-1" }, "No such case"), el("p", {}, "This report has no case ", el("b", {}, title || ""), ".")]
      : view === "matrix" ? [el("h1", { tabindex: "-1" }, "Cases and hops"), matrix("h2")] : overview();
  MAIN.replaceChildren();
  append(MAIN, content);
  document.body.classList.toggle("in-view", view === "case" || view === "matrix");
  document.title = (found ? found.title + " – " : "") + "unbroken: " + verdictSentence();
  for (const link of document.querySelectorAll("nav a")) {
    const current = link.getAttribute("href") === (found ? caseAddress(found) : "#" + (view || "overview"));
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  focusPart(rest[0] && document.getElementById(rest.slice(0, 2).join("-")));
}

function focusPart(part) {
  window.scrollTo(0, 0);
  if (part) {
    part.classList.add("target");
    part.scrollIntoView({ block: "center" });
    part.focus({ preventScroll: true });
  } else if (location.hash) {
    const title = MAIN.querySelector("h1");
    if (title) title.focus({ preventScroll: true });
  }
}

function themeSwitch() {
  const button = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const apply = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = "Theme: " + theme;
  };
  let theme = "system";
  try {
    theme = localStorage.getItem("unbroken-theme") || theme;
  } catch {
    // Storage is blocked for this page: the choice holds until it is closed.
  }
  apply(theme);
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    apply(theme);
    try {
      localStorage.setItem("unbroken-theme", theme);
    } catch {
      // As above.
    }
  });
}

// Paper has no links: the overview is printed with the cases that did not pass, and everything is unfolded.
function printing() {
  const printed = 40;
  const added = [];
  const opened = [];
  window.addEventListener("beforeprint", () => {
    if (!document.body.classList.contains("in-view")) {
      const cases = CASES.filter((found) => resultOf(found) !== "pass");
      for (const found of cases.slice(0, printed)) added.push(el("section", { class: "printed" }, caseView(found, detailsOf(found), { width: 700 })));
      if (cases.length > printed) added.push(el("p", {}, `${cases.length - printed} further cases are not printed.`));
      MAIN.append(...added);
    }
    for (const part of document.querySelectorAll("main details:not([open])")) {
      part.open = true;
      opened.push(part);
    }
  });
  window.addEventListener("afterprint", () => {
    opened.splice(0).forEach((part) => (part.open = false));
    added.splice(0).forEach((part) => part.remove());
  });
  document.getElementById("print").addEventListener("click", () => window.print());
}

document.getElementById("totals").append(verdictMark(REPORT.verdict), " ",
  WORDS.filter((word) => byResult(word).length > 0).map((word) => `${byResult(word).length} ${word}`).join(", "));
themeSwitch();
caseList();
printing();
window.addEventListener("hashchange", show);
show();
