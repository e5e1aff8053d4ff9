// Bytes: the lines of a finding with what it points out, and the fields of a crossing at each side.

// Returns the text with the bytes of the caret marked. Carets count bytes, and lines of findings are ASCII.
function marked(line) {
  if (!line.caret) return [line.text];
  const bytes = new TextEncoder().encode(line.text);
  const part = (from, to) => new TextDecoder().decode(bytes.slice(from, to));
  const { start, end } = line.caret;
  const here = end > start ? el("mark", {}, part(start, end)) : el("mark", { class: "gap", title: line.caption }, "▾");
  return [part(0, start), here, part(end)];
}

function findingBytes(finding) {
  if (finding.lines.length === 0) return null;
  return el("dl", { class: "bytes" }, finding.lines.map((line, at) => [
    el("dt", {}, prose(line.label)),
    el("dd", { class: finding.break.actual.nothing && at === finding.lines.length - 1 && line.text.startsWith("no ") ? "absent" : null }, el("code", { class: "line" }, marked(line)),
      line.caption && el("span", { class: "caption" }, line.caption)),
  ]));
}

// The members of a list with those marked that the other side has not.
function differing(value, other) {
  if (other === undefined || value === other) return [value];
  let start = 0;
  while (start < value.length && value[start] === other[start]) start += 1;
  let end = 0;
  const most = Math.min(value.length, other.length) - start;
  while (end < most && value[value.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const middle = value.slice(start, value.length - end);
  return [value.slice(0, start), middle ? el("mark", {}, middle) : el("mark", { class: "gap" }, "▾"), value.slice(value.length - end)];
}

// A traceparent with its trace in colour. Its parent id differs on every hop as it should, and is not marked.
function traceparent(value, other, letters) {
  const parts = value.split("-");
  const others = other === undefined ? parts : other.split("-");
  if (parts.length < 4) return differing(value, other);
  return parts.flatMap((part, at) => {
    const differs = at !== 2 && others[at] !== part;
    const trace = at === 1 && letters.has(part) ? "trace-id t" + (letters.get(part) % 6) : "";
    return [at > 0 && "-", el(differs ? "mark" : "span", { class: trace || null }, part)];
  });
}

function fieldValue(name, value, other, letters) {
  return name === "traceparent" ? traceparent(value, other, letters) : differing(value, other);
}

// Returns the captures of a crossing in the order in which the bytes went.
function sidesOf(crossing, example) {
  const cause = crossing.cause === undefined ? null : example.crossings[crossing.cause];
  const into = cause && (cause.delivered || cause.sent);
  return [
    into && { title: `into ${crossing.from} (${cause.hop})`, capture: into },
    crossing.sent && { title: `from ${crossing.from}`, capture: crossing.sent },
    crossing.delivered && { title: `into ${crossing.to}`, capture: crossing.delivered },
  ].filter(Boolean);
}

function valuesOf(capture, name) {
  return capture.fields.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value);
}

function fieldTable(crossing, view) {
  const sides = sidesOf(crossing, view.example);
  const names = [...new Set(sides.flatMap(({ capture }) => capture.fields.map(([name]) => name.toLowerCase())))];
  if (names.length === 0) return el("p", {}, "No propagation field was on the wire.");
  const rows = names.map((name) => el("tr", {}, el("th", { scope: "row" }, name), sides.map(({ capture }, at) => {
    const before = at > 0 ? valuesOf(sides[at - 1].capture, name) : undefined;
    const values = valuesOf(capture, name);
    if (values.length === 0) return el("td", { class: "absent" }, before && before.length ? "missing" : "–");
    return el("td", {}, values.map((value, line) =>
      el("code", { class: "line" }, fieldValue(name, value, before && before[line], view.letters))));
  })));
  const others = sides.map(({ title, capture }) => capture.other_fields.length > 0
    && el("p", { class: "faint" }, `Further fields ${title}: ${capture.other_fields.join(", ")}.`));
  return [
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Fields on both sides" },
      el("table", { class: "fields" },
        el("thead", {}, el("tr", {}, el("td", {}), sides.map(({ title }) => el("th", { scope: "col" }, title)))),
        el("tbody", {}, rows))),
    others,
  ];
}

function crossingDetails(crossing, view) {
  const { example, letters } = view;
  const [[trace, id] = []] = contextsOf(crossing);
  const said = [];
  if (id) {
    const named = example.spans.find((span) => span.trace_id === trace && span.span_id === id);
    if (named) said.push(["The id ", el("code", {}, id), ` names the ${named.kind} span `, el("bdi", {}, named.name), ` of ${named.node}.`]);
    else if (crossing.from === "client") said.push(["The id ", el("code", {}, id), " is the one that unbroken sent: no span stands for it."]);
    else said.push(["The id ", el("code", {}, id), " names no span of this example."]);
  }
  if (crossing.expected_trace && crossing.expected_trace !== trace) {
    said.push(["Expected trace: ", traceBadge(crossing.expected_trace, letters), " ", el("code", {}, crossing.expected_trace), "."]);
  }
  const received = example.spans[crossing.receiver_span];
  if (received) said.push([`${crossing.to} made of it the ${received.kind} span `, el("bdi", {}, received.name), " in trace ",
    traceBadge(received.trace_id, letters), "."]);
  return [
    el("h3", {}, `${crossing.hop}: ${crossing.from} → ${crossing.to}`),
    el("p", {}, el("code", {}, crossing.request || "no tap saw it"), crossing.outcome && ` – ${crossing.outcome}`),
    fieldTable(crossing, view),
    said.map((words) => el("p", {}, words)),
  ];
}

function spanDetails(span, view) {
  const name = (trace, id) => {
    const other = view.example.spans.find((one) => one.trace_id === trace && one.span_id === id);
    return other ? [` (${other.kind} span `, el("bdi", {}, other.name), ` of ${other.node})`] : null;
  };
  const onWire = view.example.crossings.filter((one) => contextsOf(one).some(([t, id]) => t === span.trace_id && id === span.span_id));
  const facts = [
    ["node", span.node], ["name", el("bdi", {}, span.name)], ["kind", span.kind],
    ["trace", [traceBadge(span.trace_id, view.letters), " ", el("code", {}, span.trace_id)]],
    ["span id", [el("code", {}, span.span_id), onWire.length > 0 && `, on the wire of ${onWire.map((one) => one.hop).join(", ")}`]],
    ["parent id", span.parent_id ? [el("code", {}, span.parent_id), name(span.trace_id, span.parent_id)] : "none: the root of its trace"],
    ...span.links.map(([trace, id]) => ["link", [traceBadge(trace, view.letters), " ", el("code", {}, `${trace} ${id}`), name(trace, id)]]),
    ["time", `starts at ${micros(span.start_micros)}, takes ${micros(span.took_micros)}`],
    ["status", span.failed ? "error" : null],
  ];
  return [
    el("h3", {}, `${span.kind} span of ${span.node}`),
    el("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])),
  ];
}
