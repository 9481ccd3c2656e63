// Elements, made without markup: text goes in as text, whatever it holds.

const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on")
      for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

const el = (tag, props, ...children) => fill(document.createElement(tag), props, children);
const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const unseen = (text) => el("span", { class: "unseen", text });

let saying = 0;

// Tell a screen reader; of several things in a row the last.
function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    byId("live").textContent = text;
  }, 120);
}

// The colour that a property has now, light or dark.
function colour(name) {
  const probe = byId("live");
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.style.color = "";
  return found;
}

function button(text, act, props) {
  return el("button", { type: "button", on: { click: act }, ...props }, text);
}

// A labelled field of one line.
function search(label, value, act) {
  const input = el("input", {
    type: "search",
    placeholder: label,
    "aria-label": label,
    autocomplete: "off",
    spellcheck: "false",
  });
  input.value = value;
  input.addEventListener("input", () => act(input.value));
  return input;
}

// Words that must all be there, in any order.
function matcher(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (name) => words.every((word) => name.includes(word));
}

function remember(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(`flakefighters-${key}`);
    localStorage.setItem(`flakefighters-${key}`, value);
  } catch {
    /* a file may not be allowed to */
  }
  return null;
}
