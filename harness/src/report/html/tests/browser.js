// Walks over the page as a reader would, and leaves what it saw in `#walk` as JSON.

const PROBLEMS = [];
window.addEventListener("error", (event) => PROBLEMS.push(event.message));
window.addEventListener("unhandledrejection", (event) => PROBLEMS.push(String(event.reason)));

function nextView(address) {
  return new Promise((resolve) => {
    window.addEventListener("hashchange", () => resolve(), { once: true });
    location.hash = address;
  });
}

function shownCases() {
  return [...document.querySelectorAll("#case-list li")].filter((item) => !item.hidden).length;
}

function filterBy(text) {
  const field = document.getElementById("filter");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  return shownCases();
}

async function walk() {
  const seen = {
    opened_elements: document.querySelectorAll("*").length,
    title: document.querySelector("main h1").textContent,
    cases: shownCases(),
  };
  seen.unmatched = filterBy("no case has this text");
  seen.failed = filterBy("not-injected shop");
  seen.all_again = filterBy("");
  const lost = [];
  let findings = 0;
  for (const found of CASES.slice(0, 20)) {
    await nextView(caseAddress(found));
    if (!document.querySelector("main h1").textContent.includes(found.title)) lost.push(found.title);
    for (const finding of found.judged ? found.judged.findings : []) {
      findings += 1;
      await nextView(caseAddress(found, "finding", finding.fingerprint));
      if (document.activeElement.id !== "finding-" + finding.fingerprint) lost.push(finding.fingerprint);
    }
    [...document.querySelectorAll("button.pick")].slice(0, 8).forEach((row) => row.click());
  }
  await nextView("#matrix");
  seen.tables = document.querySelectorAll("main table.matrix").length;
  await nextView("#case/not%20there/%E0%A4%A");
  seen.unknown = document.querySelector("main h1").textContent;
  document.getElementById("theme").click();
  seen.theme = document.documentElement.dataset.theme;
  await nextView(caseAddress(CASES[0]));
  seen.text = document.querySelector("main").textContent;
  return { ...seen, findings, lost, hostile: document.body.dataset.hostile || "",
    loaded: performance.getEntriesByType("resource").length };
}

walk().catch((error) => ({ error: String(error) })).then((seen) => {
  const result = document.createElement("script");
  result.type = "application/json";
  result.id = "walk";
  result.textContent = JSON.stringify({ ...seen, problems: PROBLEMS }).replaceAll("<", "\\u003c");
  document.body.append(result);
});
