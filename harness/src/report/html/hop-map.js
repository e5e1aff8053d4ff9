// The hop map: nodes as boxes, destinations of brokers as capsules, hops as arrows. A broken hop has a cross at the
// side that broke it and the class beside it; the table below the picture says the same in words.

const BOX = { width: 128, height: 46 };

// Returns the parts that a hop leads over: nodes, and the destination at a broker.
function stationsOf(hop, details) {
  const via = details.via[hop.id];
  const middle = via ? [{ key: "via " + via + " " + (hop.operation || ""), via, name: hop.operation || via }] : [];
  return [{ key: hop.from, name: hop.from }, ...middle, { key: hop.to, name: hop.to }];
}

// Returns the hops so that each stands behind the one that causes it.
function storyOrder(hops) {
  const known = new Set(hops.map((hop) => hop.id));
  const ordered = [];
  const seen = new Set();
  const visit = (hop) => {
    if (seen.has(hop.id)) return;
    seen.add(hop.id);
    ordered.push(hop);
    hops.filter((other) => other.within === hop.id).forEach(visit);
  };
  hops.filter((hop) => !hop.within || !known.has(hop.within)).forEach(visit);
  hops.forEach(visit);
  return ordered;
}

function placeStations(hops, details) {
  const stations = new Map();
  const layers = [];
  const place = (station, layer) => {
    if (stations.has(station.key)) return stations.get(station.key);
    layers[layer] = layers[layer] || [];
    const placed = { ...station, layer, row: layers[layer].length };
    layers[layer].push(placed);
    stations.set(station.key, placed);
    return placed;
  };
  for (const hop of storyOrder(hops)) {
    let layer = -1;
    for (const station of stationsOf(hop, details)) layer = place(station, layer + 1).layer;
  }
  return { stations, layers: layers.map((layer) => layer || []) };
}

function clip(text, length) {
  return text.length > length ? text.slice(0, length - 1) + "…" : text;
}

function hopMap(found, details, at) {
  const hops = found.judged.hops;
  const { stations, layers } = placeStations(hops, details);
  const upright = at.width < 640;
  const gaps = Math.max(1, layers.length - 1);
  const room = Math.floor((at.width - 20 - BOX.width) / gaps);
  const [along, across] = upright ? [118, 160] : [Math.min(BOX.width + 150, Math.max(BOX.width + 90, room)), 92];
  const rows = Math.max(1, ...layers.map((layer) => layer.length));
  for (const station of stations.values()) {
    const shift = (rows - layers[station.layer].length) / 2;
    const [a, b] = [station.layer * along, (station.row + shift) * across];
    [station.x, station.y] = upright ? [b + 8, a + 8] : [a + 8, b + 26];
  }
  const back = hops.some((hop) => goesBack(stationsOf(hop, details).map((one) => stations.get(one.key))));
  const width = upright ? rows * across + 40 : (layers.length - 1) * along + BOX.width + 16;
  const height = (upright ? (layers.length - 1) * along + BOX.height + 30 : rows * across) + (back ? 60 : 0);
  // A little too wide is drawn smaller, far too wide is scrolled.
  const scale = upright ? 1 : Math.min(1, Math.max(0.8, at.width / width));
  const guilty = new Map(found.judged.findings.filter(counts).map((finding) => [finding.node, finding]));
  const picture = svg("svg", { class: "hop-map", viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale, role: "img",
    "aria-label": mapInWords(found) });
  picture.append(arrowHeads());
  const edges = svg("g", {});
  const labels = svg("g", {});
  picture.append(edges, svg("g", {}, [...stations.values()].map((one) => box(one, details, guilty))), labels);
  const used = new Map();
  for (const hop of storyOrder(hops)) edge(hop, found, { stations, details, upright, along, edges, labels, used });
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Map of the hops" }, picture);
}

function goesBack(stations) {
  return stations.some((one, at) => at > 0 && one.layer <= stations[at - 1].layer);
}

function mapInWords(found) {
  const broken = found.judged.hops.filter((hop) => hop.verdict !== "pass");
  const words = broken.map((hop) => `${hop.id} from ${hop.from} to ${hop.to}: ${hopRemark(hop, found)}`);
  const all = count(found.judged.hops.length, "hop");
  return `Map of ${all}. ` + (words.length ? words.join("; ") : "All pass") + ". The table below lists them.";
}

function arrowHeads() {
  const heads = ["pass", "fail", "inconclusive"].map((word) =>
    svg("marker", { id: "head-" + word, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 10, markerHeight: 10,
      markerUnits: "userSpaceOnUse", orient: "auto" }, svg("path", { d: "M0 0 8 4 0 8z", class: "head " + word })));
  return svg("defs", {}, heads);
}

function box(station, details, guilty) {
  const node = details.nodes.find((one) => one.name === station.name && !station.via);
  const kind = station.via ? station.via : node ? node.kind : "";
  const blamed = !station.via && guilty.get(station.name);
  const shape = station.via ? "capsule" : kind === "gateway" ? "gateway" : "node";
  const state = blamed ? (blamed.inconclusive ? " doubted" : " guilty") : "";
  const radius = shape === "capsule" ? BOX.height / 2 : shape === "gateway" ? 0 : 8;
  const title = station.name + (kind ? ", " + kind : "") + (blamed ? ": " + blamed.class : "");
  return svg("g", { class: "station " + shape + state },
    svg("title", {}, title),
    shape === "gateway"
      ? svg("path", { d: hexagon(station), class: "outline" })
      : svg("rect", { x: station.x, y: station.y, width: BOX.width, height: BOX.height, rx: radius, class: "outline" }),
    svg("text", { x: station.x + BOX.width / 2, y: station.y + 20, class: "name" }, clip(station.name, 16)),
    svg("text", { x: station.x + BOX.width / 2, y: station.y + 36, class: "kind" },
      clip(blamed && !blamed.inconclusive ? "broke it" : kind, 20)));
}

function hexagon({ x, y }) {
  const [w, h, cut] = [BOX.width, BOX.height, 14];
  return `M${x + cut} ${y}H${x + w - cut}L${x + w} ${y + h / 2}L${x + w - cut} ${y + h}H${x + cut}L${x} ${y + h / 2}Z`;
}

// Draws one hop, and its label at its first leg.
function edge(hop, found, map) {
  const stations = stationsOf(hop, map.details).map((one) => map.stations.get(one.key));
  const finding = found.judged.findings.find((one) => counts(one) && one.hops.includes(hop.id));
  const last = stations.length - 2;
  for (let leg = 0; leg <= last; leg += 1) {
    const [from, to] = [stations[leg], stations[leg + 1]];
    const key = from.key + " > " + to.key;
    const times = map.used.get(key) || 0;
    map.used.set(key, times + 1);
    const line = { ...legOf(from, to, times, map.upright), letters: map.upright ? 20 : Math.floor((map.along - BOX.width) / 6.5) };
    const [side, place] = crossAt(finding, last);
    const here = finding && side === leg;
    const word = finding ? (here || last === 0 ? hop.verdict : hop.verdict === "fail" ? "inconclusive" : hop.verdict)
      : hop.verdict;
    const path = svg("path", { d: line.d, class: "edge " + word, "marker-end": `url(#head-${word})` });
    map.edges.append(path);
    if (leg === 0 || here) map.labels.append(...edgeLabel(hop, found, line, map.upright, leg === 0, here));
    if (here) map.labels.append(crossMark(line.point(place), hop.verdict));
  }
}

// Returns the leg at which a finding is drawn, and how far along it.
function crossAt(finding, last) {
  if (!finding) return [-1, 0];
  if (finding.side === "sender") return [0, 0.16];
  if (finding.side === "receiver") return [last, 0.84];
  return [finding.side === "intermediary" ? last : 0, 0.5];
}

function legOf(from, to, times, upright) {
  const middle = { x: BOX.width / 2, y: BOX.height / 2 };
  const shift = times * 18;
  if (to.layer > from.layer) {
    const start = upright ? [from.x + middle.x + shift, from.y + BOX.height] : [from.x + BOX.width, from.y + middle.y + shift];
    const end = upright ? [to.x + middle.x + shift, to.y - 2] : [to.x - 2, to.y + middle.y + shift];
    return cubic(start, end, upright ? [0, (end[1] - start[1]) / 2] : [(end[0] - start[0]) / 2, 0]);
  }
  const start = upright ? [from.x + BOX.width, from.y + middle.y] : [from.x + middle.x, from.y + BOX.height];
  const end = upright ? [to.x + BOX.width + 2, to.y + middle.y] : [to.x + middle.x + 12, to.y + BOX.height + 2];
  return cubic(start, end, upright ? [60 + shift, 0] : [0, 60 + shift], true);
}

function cubic(start, end, pull, back) {
  const second = back ? [end[0] + pull[0], end[1] + pull[1]] : [end[0] - pull[0], end[1] - pull[1]];
  const points = [start, [start[0] + pull[0], start[1] + pull[1]], second, end];
  const weights = (t) => [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  const point = (t) => [0, 1].map((axis) => weights(t).reduce((sum, w, at) => sum + w * points[at][axis], 0));
  return { d: `M${points[0]}C${points.slice(1).join(" ")}`, point };
}

function edgeLabel(hop, found, line, upright, named, here) {
  const [x, y] = line.point(0.5);
  const side = upright ? " beside" : "";
  // For the mouse: the table has the same links for everybody.
  const link = (text, dy, kind) => svg("text", { x: upright ? x + 10 : x, y: y + dy, class: "hop " + kind + side,
    onclick: () => (location.hash = caseAddress(found, "hop", hop.id)) }, svg("title", {}, text), clip(text, line.letters));
  const labels = [];
  if (named) labels.push(link(hop.id, upright ? -2 : -8, "name"));
  const remark = hopRemark(hop, found);
  if (here || (named && hop.verdict !== "fail" && remark !== "ok")) labels.push(link(shortRemark(hop, found), upright ? 13 : 17, hop.verdict));
  return labels;
}

function crossMark([x, y], verdict) {
  const glyph = verdict === "inconclusive"
    ? svg("text", { x, y: y + 4.5, class: "glyph" }, "?")
    : svg("path", { d: `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x + 4} ${y - 4}L${x - 4} ${y + 4}`, class: "glyph" });
  return svg("g", { class: "cross " + verdict, "aria-hidden": "true" }, svg("circle", { cx: x, cy: y, r: 9 }), glyph);
}

// The class alone: the table has the numbers.
function shortRemark(hop, found) {
  const first = found.judged.findings.find((finding) => counts(finding) && finding.hops.includes(hop.id));
  return first ? first.class : hopRemark(hop, found);
}

function counts(finding) {
  return !finding.known;
}

function hopRemark(hop, found) {
  const breaks = found.judged.findings.filter((finding) => finding.hops.includes(hop.id));
  if (breaks.length) {
    return breaks.map((one) => (one.known ? "known: " : "") + one.class + (one.of > 1 ? `, ${one.hit} of ${one.of}` : ""))
      .join("; ");
  }
  if (hop.verdict === "pass") return "ok";
  return hop.verdict === "inconclusive" && hop.judged === 0 ? "not judged" : hop.verdict;
}

function hopTable(found) {
  const depth = new Map();
  const rows = storyOrder(found.judged.hops).map((hop) => {
    depth.set(hop.id, hop.within && depth.has(hop.within) ? depth.get(hop.within) + 1 : 0);
    const judged = hop.crossings ? `${hop.judged.toLocaleString("en")} of ${hop.crossings.toLocaleString("en")}` : "";
    const seen = hop.seen && hop.seen !== hop.relation ? ` (${hop.seen} seen)` : "";
    return el("tr", { id: "hop-" + hop.id, tabindex: "-1", class: "hop-row " + hop.verdict },
      el("th", { scope: "row", style: `padding-left:${0.5 + depth.get(hop.id)}rem` },
        el("a", { href: caseAddress(found, "hop", hop.id) }, hop.id)),
      el("td", {}, `${hop.from} → ${hop.to}`),
      el("td", {}, el("code", {}, hop.operation || "any"), " ", el("span", { class: "faint" }, hop.transport)),
      el("td", {}, hop.relation + seen),
      el("td", {}, judged),
      el("td", {}, el("span", { class: "verdict " + hop.verdict },
        el("span", { class: "mark", "aria-hidden": "true" }, MARKS[hop.verdict]), " " + hopRemark(hop, found))));
  });
  const heads = ["hop", "from → to", "request", "relation", "judged", "verdict"];
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of the hops" },
    el("table", { class: "hops" },
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, rows)));
}
