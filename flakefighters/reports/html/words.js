// Numbers, times and names as people read them.  Times are UTC: a report is read anywhere.

const number = (value) => value.toLocaleString("en");

const plural = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value === 0) return "0 s";
  if (value < 0.0095) return `${+(value * 1000).toPrecision(2)} ms`;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${+value.toPrecision(value < 10 ? 2 : 3)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${number(Math.floor(value / 3600))} h ${Math.round((value % 3600) / 60)} min`;
}

const iso = (second) => new Date(second * 1000).toISOString();
const day = (second) => iso(second).slice(0, 10);
const moment = (second) => `${iso(second).slice(0, 16).replace("T", " ")} UTC`;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

// "3 Nov"
const shortDay = (second) => `${+iso(second).slice(8, 10)} ${MONTHS[+iso(second).slice(5, 7) - 1]}`;

function percent(value) {
  if (value > 0 && value < 0.001) return "<0.1%";
  return `${+(value * 100).toPrecision(value < 0.1 ? 2 : 3)}%`;
}

// A node id: its path stands back, its name in front.  Breaks may come after slashes and colons.
function nodeid(name, props) {
  const shown = name.length > 1200 ? `${name.slice(0, 1200)}…` : name;
  const at = shown.indexOf("::");
  const path = at < 0 ? "" : shown.slice(0, at + 2);
  return el(
    "span",
    { class: "node", ...props },
    breakable(path, "node-path"),
    breakable(shown.slice(path.length), "node-name"),
  );
}

function breakable(text, kind) {
  const pieces = text.split(/(?<=[/:_[.])/).slice(0, 400);
  return el(
    "span",
    { class: kind },
    pieces.flatMap((piece) => [piece, el("wbr")]),
  );
}

// A verdict in words, with a shape that tells it as well as its colour.
function verdict(kind, text) {
  return el(
    "span",
    { class: `verdict ${kind}` },
    el("span", { class: "shape", "aria-hidden": "true" }),
    text || KIND_WORDS[kind],
  );
}

const runName = (at) => RUNS.name[at];
const runTitle = (at) =>
  [`run ${RUNS.name[at]}`, moment(RUNS.started[at]), RUNS.commit[at], RUNS.branch[at], RUNS.job[at]]
    .filter(Boolean)
    .join(", ");
const cellWords = (letter) => {
  const [outcome, label] = D.look.letters[letter] || [letter, ""];
  return label ? `${outcome}, ${label}` : outcome;
};
