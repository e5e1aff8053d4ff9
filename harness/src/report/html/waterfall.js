// One stimulus: what crossed the wire and the spans around it, in the order of cause and effect. Lines beside the names
// show which span an injected id names, what a span continues, and its links; a span that is due and missing is a ghost.

const ROW = 34;
const LANE = 11;
const HOUR = 3.6e9;

// Returns the rows: `{ kind, depth, crossing | span | hop, ... }`.
function rowsOf(example, found) {
  const state = { example, found, rows: [], spans: new Set(), crossings: new Set() };
  example.crossings.forEach((crossing, at) => {
    if (crossing.cause === undefined) addCrossing(state, at, 0);
  });
  example.crossings.forEach((_, at) => addCrossing(state, at, 0));
  const known = new Map(example.spans.map((span, at) => [span.trace_id + span.span_id, at]));
  const isTop = (span) => !known.has(span.trace_id + span.parent_id);
  const rest = example.spans.map((_, at) => at).filter((at) => !state.spans.has(at));
  rest.filter((at) => isTop(example.spans[at])).forEach((at) => addSpan(state, at, 0, -1));
  rest.forEach((at) => addSpan(state, at, 0, -1));
  return state.rows;
}

function addCrossing(state, at, depth) {
  if (state.crossings.has(at) || depth > 60) return;
  state.crossings.add(at);
  const crossing = state.example.crossings[at];
  const call = crossing.call_span ?? crossing.named_span;
  if (call !== undefined && !state.spans.has(call)) {
    state.spans.add(call);
    state.rows.push({ kind: "span", depth, span: call });
  }
  if (crossing.lacks_call_span) state.rows.push({ kind: "ghost", depth, crossing: at, node: crossing.from, side: "call" });
  state.rows.push({ kind: "wire", depth: depth + 1, crossing: at });
  if (crossing.lacks_receiver_span) {
    state.rows.push({ kind: "ghost", depth: depth + 2, crossing: at, node: crossing.to, side: "receiver" });
  }
  if (crossing.receiver_span !== undefined && !state.spans.has(crossing.receiver_span)) {
    addSpan(state, crossing.receiver_span, depth + 2, at);
  } else {
    addEffects(state, at, depth + 3);
  }
  addMissing(state, crossing, depth + 3);
}

function addEffects(state, at, depth) {
  state.example.crossings.forEach((crossing, effect) => {
    if (crossing.cause === at) addCrossing(state, effect, depth);
  });
}

// Adds the hops that this crossing should have caused and did not.
function addMissing(state, crossing, depth) {
  for (const hop of state.found.judged.hops) {
    const crossed = state.example.crossings.some((one) => one.hop === hop.id);
    const listed = state.rows.some((row) => row.kind === "missing" && row.hop === hop);
    if (hop.within === crossing.hop && !crossed && !listed && hop.verdict !== "pass") {
      state.rows.push({ kind: "missing", depth, hop });
    }
  }
}

// Adds a span with the spans of its node below it; calls go to the crossing that they made.
function addSpan(state, at, depth, crossing) {
  if (state.spans.has(at) || depth > 60) return;
  state.spans.add(at);
  const { spans, crossings } = state.example;
  const own = spans[at];
  state.rows.push({ kind: "span", depth, span: at });
  const below = spans.map((_, other) => other)
    .filter((other) => spans[other].trace_id === own.trace_id && spans[other].parent_id === own.span_id
      && spans[other].node === own.node && other !== at)
    .sort((a, b) => spans[a].start_micros - spans[b].start_micros);
  for (const child of below) {
    const made = crossings.findIndex((one, ix) => !state.crossings.has(ix) && (one.call_span ?? one.named_span) === child);
    if (made >= 0 && !state.spans.has(child)) addCrossing(state, made, depth + 1);
    else addSpan(state, child, depth + 1, -1);
  }
  if (crossing >= 0) addEffects(state, crossing, depth + 1);
}

// Letters of the traces, in the order in which they appear.
function tracesOf(example, rows) {
  const letters = new Map();
  const add = (trace) => {
    if (trace && !letters.has(trace)) letters.set(trace, letters.size);
  };
  for (const row of rows) {
    if (row.kind === "span") add(example.spans[row.span].trace_id);
    if (row.kind === "wire") contextsOf(example.crossings[row.crossing]).forEach(([trace]) => add(trace));
  }
  return letters;
}

function contextsOf(crossing) {
  const capture = crossing.delivered || crossing.sent;
  return capture ? capture.contexts : [];
}

// The trace that was due where none is.
function dueBadge(trace, letters) {
  const badge = traceBadge(trace, letters);
  if (trace && letters.has(trace)) badge.classList.add("due");
  return badge;
}

function traceBadge(trace, letters) {
  if (!trace || !letters.has(trace)) return el("span", { class: "faint" }, "–");
  const at = letters.get(trace);
  const name = at < 26 ? String.fromCharCode(65 + at) : String(at + 1);
  return el("span", { class: "trace t" + (at % 6), title: "trace " + trace }, name);
}

// Returns the connectors `{ from, to, kind, words }` between rows.
function connectorsOf(example, rows) {
  const spanRow = new Map(rows.flatMap((row, at) => (row.kind === "span" ? [[row.span, at]] : [])));
  const byId = new Map(example.spans.map((span, at) => [span.trace_id + span.span_id, at]));
  const found = [];
  rows.forEach((row, at) => {
    if (row.kind === "wire") {
      const crossing = example.crossings[row.crossing];
      const [[trace, id] = []] = contextsOf(crossing);
      const named = byId.get(trace + id) ?? crossing.named_span;
      if (named !== undefined) found.push({ from: at, to: spanRow.get(named), kind: "names" });
      const received = crossing.receiver_span;
      if (received === undefined || !id) return;
      const span = example.spans[received];
      if (span.trace_id === trace && span.parent_id === id) {
        found.push({ from: spanRow.get(received), to: at, kind: "continues" });
      } else if (span.links.some((link) => link[0] === trace && link[1] === id)) {
        found.push({ from: spanRow.get(received), to: at, kind: "links" });
      }
    }
    if (row.kind === "span") {
      for (const [trace, id] of example.spans[row.span].links) {
        const linked = byId.get(trace + id);
        const shown = found.some((one) => one.kind === "links" && one.from === at);
        if (linked !== undefined && !shown) found.push({ from: at, to: spanRow.get(linked), kind: "links" });
      }
    }
  });
  return found.filter((one) => one.from !== undefined && one.to !== undefined);
}

// Draws the connectors in lanes, short ones next to the rows.
function drawConnectors(connectors, rows) {
  const lanes = [];
  const sorted = [...connectors].sort((a, b) => Math.abs(a.from - a.to) - Math.abs(b.from - b.to));
  const paths = sorted.map((one) => {
    const [top, end] = [Math.min(one.from, one.to), Math.max(one.from, one.to)];
    let lane = lanes.findIndex((taken) => taken.every(([a, b]) => end <= a || top >= b));
    if (lane < 0) lane = lanes.push([]) - 1;
    lanes[lane].push([top, end]);
    const x = 8 + Math.min(lane, 7) * LANE + 6;
    const offset = one.kind === "names" ? -5 : 5;
    const [a, b] = [one.from * ROW + ROW / 2 + offset, one.to * ROW + ROW / 2 + offset];
    return svg("path", { d: `M2 ${a}H${x}V${b}H3`, class: "tie " + one.kind, "marker-end": "url(#tie-" + one.kind + ")" });
  });
  const width = 22 + Math.min(lanes.length, 8) * LANE;
  const heads = ["names", "continues", "links"].map((kind) =>
    svg("marker", { id: "tie-" + kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7,
      orient: "auto" }, svg("path", { d: "M0 0 8 4 0 8z", class: "tie-head " + kind })));
  return svg("svg", { class: "ties", width, height: rows.length * ROW, "aria-hidden": "true" }, svg("defs", {}, heads), paths);
}

function timesOf(example, rows) {
  const times = [];
  for (const row of rows) {
    if (row.kind === "span") {
      const span = example.spans[row.span];
      times.push(span.start_micros, span.start_micros + span.took_micros);
    }
    if (row.kind === "wire") {
      const { sent, delivered } = example.crossings[row.crossing];
      for (const one of [sent, delivered]) if (one) times.push(one.at_micros, one.ended_micros ?? one.at_micros);
    }
  }
  const drawn = times.filter((time) => Math.abs(time) < HOUR);
  const start = Math.min(0, ...drawn);
  return { start, length: Math.max(1, Math.max(0, ...drawn) - start) };
}

function bar(range, from, to, kind) {
  const clamp = (value) => Math.min(100, Math.max(0, value));
  const left = clamp(((Math.min(from, to) - range.start) / range.length) * 100);
  const width = clamp((Math.abs(to - from) / range.length) * 100);
  return el("span", { class: "bar " + kind, style: `left:${left.toFixed(2)}%;width:${width.toFixed(2)}%` });
}

function waterfall(found, example, show) {
  const rows = rowsOf(example, found);
  const letters = tracesOf(example, rows);
  const range = timesOf(example, rows);
  const view = { found, example, letters, range, show };
  const body = rows.map((row) => waterfallRow(row, view));
  const ties = drawConnectors(connectorsOf(example, rows), rows);
  const width = Number(ties.getAttribute("width"));
  body.forEach((tr, at) => {
    const cell = el("td", { class: "tie-cell", style: `width:${width}px;min-width:${width}px`, "aria-hidden": "true" });
    if (at === 0) cell.append(ties);
    tr.children[1].after(cell);
  });
  const head = ["span or crossing", "trace", null, "time"].map((name) =>
    name ? el("th", { scope: "col" }, name) : el("td", { style: `width:${width}px` }));
  const left = [
    example.omitted_crossings && count(example.omitted_crossings, "further crossing"),
    example.omitted_spans && count(example.omitted_spans, "further span"),
  ].filter(Boolean);
  return [
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Waterfall" },
      el("table", { class: "waterfall" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body))),
    legend(),
    left.length > 0 && el("p", { class: "faint" }, `Left out: ${left.join(" and ")}. The evidence has them: run with `,
      el("code", {}, "--keep-evidence"), "."),
  ];
}

function legend() {
  const item = (kind, words) => el("li", {}, svg("svg", { width: 26, height: 10, "aria-hidden": "true" },
    svg("path", { d: "M1 5H25", class: "tie " + kind })), " " + words);
  return el("ul", { class: "legend" },
    item("names", "the id on the wire names this span"),
    item("continues", "the span continues this context"),
    item("links", "link to another trace"),
    el("li", {}, el("span", { class: "trace due" }, "A"), " trace that was due"),
    el("li", {}, el("span", { class: "ghost-key" }, "no span"), " due, and not exported"));
}

function waterfallRow(row, view) {
  const build = { span: spanRow, wire: wireRow, ghost: ghostRow, missing: missingRow }[row.kind];
  const { label, trace, time, className, select } = build(row, view);
  const indent = `padding-left:${Math.min(row.depth, 14) * 12 + 8}px`;
  const name = select
    ? el("button", { type: "button", class: "pick", onclick: (event) => view.show(select(), event.currentTarget) }, label)
    : el("span", { class: "pick" }, label);
  return el("tr", { class: row.kind + " " + (className || "") },
    el("th", { scope: "row", style: indent }, name), el("td", { class: "trace-cell" }, trace), el("td", { class: "time" }, time));
}

function spanRow(row, view) {
  const span = view.example.spans[row.span];
  const end = span.start_micros + span.took_micros;
  const at = view.letters.get(span.trace_id) % 6;
  return {
    label: [el("b", {}, span.node), " ", el("bdi", {}, span.name || "(no name)"), " ", el("span", { class: "faint" }, span.kind),
      begins(row.span, view) && el("span", { class: "tag" }, "new trace"), span.failed && el("span", { class: "verdict fail" }, " error")],
    trace: traceBadge(span.trace_id, view.letters),
    time: [bar(view.range, span.start_micros, end, "t" + at), barText(view.range, span.start_micros, micros(span.took_micros))],
    select: () => spanDetails(span, view),
  };
}

// Returns whether a span stands for what was received and has no parent.
function begins(span, { example }) {
  return example.spans[span].parent_id === "" && example.crossings.some((crossing) => crossing.receiver_span === span);
}

function barText(range, from, text) {
  const left = Math.min(100, Math.max(0, ((from - range.start) / range.length) * 100));
  const place = left > 60 ? `right:${(100 - left + 1).toFixed(2)}%` : `left:${left.toFixed(2)}%`;
  return el("span", { class: "bar-text", style: place }, text);
}

function findingAt(view, crossing) {
  const { stimulus } = view.example;
  const of = view.found.judged.findings.filter((one) => one.hops.includes(crossing.hop)
    && (one.example === stimulus || one.others.includes(stimulus)));
  return of.find((one) => counts(one)) || of[0];
}

function wireRow(row, view) {
  const crossing = view.example.crossings[row.crossing];
  const finding = findingAt(view, crossing);
  const [[trace, id] = []] = contextsOf(crossing);
  const first = crossing.sent || crossing.delivered;
  const last = crossing.delivered || crossing.sent;
  const state = finding ? (finding.known ? "known" : finding.inconclusive ? "inconclusive" : "fail") : "";
  const marks = first
    ? [bar(view.range, first.at_micros, last.ended_micros ?? last.at_micros, "wire"),
      barText(view.range, first.at_micros, crossing.outcome)]
    : el("span", { class: "faint" }, "no tap saw it");
  return {
    className: state,
    label: [el("span", { "aria-hidden": "true" }, "⇢ "), el("b", {}, crossing.hop), " ",
      id ? el("code", {}, "…" + id.slice(-6)) : el("span", { class: state }, first ? "no context" : ""),
      state && el("span", { class: "tag " + state }, finding.class),
      el("span", { class: "faint" }, ` ${crossing.from} → ${crossing.to}`)],
    trace: trace ? traceBadge(trace, view.letters) : dueBadge(crossing.expected_trace, view.letters),
    time: marks,
    select: () => crossingDetails(crossing, view),
  };
}

function ghostRow(row, view) {
  const crossing = view.example.crossings[row.crossing];
  const capture = row.side === "receiver" ? crossing.delivered || crossing.sent : crossing.sent;
  const text = row.side === "receiver" ? ` exported no span for ${crossing.hop}` : ` exported no span for its call ${crossing.hop}`;
  return {
    label: [el("b", {}, row.node), text],
    trace: "",
    time: capture && bar(view.range, capture.at_micros, capture.ended_micros ?? capture.at_micros + view.range.length / 12, "ghost"),
  };
}

function missingRow(row) {
  const { hop } = row;
  return { label: [el("span", { "aria-hidden": "true" }, "⇢ "), el("b", {}, hop.id), ` was not crossed (${hop.from} → ${hop.to})`],
    trace: "", time: "", className: hop.verdict };
}
