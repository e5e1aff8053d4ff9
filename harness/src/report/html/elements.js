"use strict";

// Elements out of text. Text reaches the page through `textContent` and `setAttribute` only, so that nothing that a
// service wrote is ever markup.

const SVG = "http://www.w3.org/2000/svg";

function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
  return parent;
}

function decorate(node, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : name === "href" ? value : visible(value));
  }
  return node;
}

function el(name, attributes, ...children) {
  return append(decorate(document.createElement(name), attributes), children);
}

function svg(name, attributes, ...children) {
  return append(decorate(document.createElementNS(SVG, name), attributes), children);
}

// Characters that move, reorder or hide text, as the other reports write them: `\x1b`, `\u{202e}`.
const INVISIBLE = new RegExp(
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff" +
    "\\ufff9-\\ufffb\\ufffe\\uffff]|[\\u{e0000}-\\u{e007f}]",
  "gu"
);

function visible(text) {
  return String(text).replace(INVISIBLE, (c) => {
    const code = c.codePointAt(0);
    const digits = code.toString(16);
    return code < 0x100 ? "\\x" + digits.padStart(2, "0") : "\\u{" + digits + "}";
  });
}

// Output of a node without its colours, as the terminal report shows it.
function uncoloured(line) {
  return line.replace(/\u001b\[[0-9;]*m/g, "");
}

// `a` with code spans: text between backticks becomes an element, the rest stays text.
function prose(text) {
  return text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));
}

// Text that may be broken behind its separators.
function breakable(text) {
  return text.split(/(?<=[,[=./])/).map((part, at) => [at > 0 && el("wbr"), part]);
}

function count(number, noun) {
  const plural = noun === "stimulus" ? "stimuli" : noun + "s";
  return number.toLocaleString("en") + " " + (number === 1 ? noun : plural);
}

function millis(ms) {
  if (ms < 1000) return ms + " ms";
  if (ms < 60000) return (Math.floor(ms / 100) / 10).toFixed(1) + " s";
  return Math.floor(ms / 60000) + " min " + String(Math.floor(ms / 1000) % 60).padStart(2, "0") + " s";
}

function micros(us) {
  const size = Math.abs(us);
  if (size < 1000) return us + " µs";
  if (size < 1000000) return (us / 1000).toFixed(size < 10000 ? 2 : 1) + " ms";
  return (us / 1000000).toFixed(2) + " s";
}

const MARKS = { pass: "✓", fail: "✕", inconclusive: "?", "could not run": "!" };

function verdictMark(word) {
  return el("span", { class: "verdict " + word.replaceAll(" ", "-") },
    el("span", { "aria-hidden": "true", class: "mark" }, MARKS[word] || ""), " " + word);
}

function copyButton(text, label) {
  const button = el("button", { type: "button", class: "copy" }, label);
  button.addEventListener("click", () => {
    const done = (word) => {
      button.textContent = word;
      setTimeout(() => (button.textContent = label), 1500);
    };
    copy(text).then(() => done("Copied"), () => done("Select it and press Ctrl+C"));
  });
  return button;
}

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // A page from a file has no clipboard of its own in some browsers.
  const area = el("textarea", { class: "off-screen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("the browser did not copy");
}

// A list in which every text keeps the place of its own, and long ones are folded.
function fold(summary, open, ...children) {
  return el("details", { open }, el("summary", {}, summary), ...children);
}

function lines(texts) {
  return el("pre", { class: "output", tabindex: "0" }, texts.map(uncoloured).join("\n"));
}
