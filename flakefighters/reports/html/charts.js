// Charts as SVG.  Each verdict has a form of its own besides its colour, and each chart a table.

// How a result looks in a strip of height 1: how high it begins, how high it is, its class.
const MARKS = {
  pass: [0.62, 0.38],
  skip: [0.85, 0.15],
  flaky: [0.3, 0.7],
  undecided: [0, 1],
  genuine: [0, 1],
  unjudged: [0.3, 0.7],
};

// The results of one test as a row of bars: the taller, the worse.
function strip(cells, { from = 0, width = 5, height = 18, gap = 1, title } = {}) {
  const shown = cells.slice(from);
  const runs = shown.matchAll(/(.)\1*/g);
  const parts = [];
  for (const run of runs) {
    const kind = kindOf(run[1]);
    if (kind === "none") continue;
    const [top, tall] = MARKS[kind];
    for (let at = run.index; at < run.index + run[0].length; at++) {
      parts.push(
        svg("rect", {
          class: `cell ${kind}`,
          x: at * width,
          y: top * height,
          width: width - gap,
          height: tall * height,
        }),
      );
    }
  }
  const total = Math.max(1, shown.length * width);
  return svg(
    "svg",
    {
      class: "strip",
      viewBox: `0 0 ${total} ${height}`,
      width: total,
      height,
      role: "img",
      "aria-label": title || stripWords(shown),
    },
    parts,
  );
}

function stripWords(cells) {
  const counts = {};
  for (const letter of cells) counts[kindOf(letter)] = (counts[kindOf(letter)] || 0) + 1;
  const told = ["pass", ...KINDS]
    .filter((kind) => counts[kind])
    .map((kind) => `${counts[kind]} ${KIND_WORDS[kind]}`);
  return `Of ${plural(cells.length, "run")}: ${told.join(", ") || "none"}`;
}

// A rate with its interval on a scale from 0 to 100 %; small rates matter, so it is not even.
function interval([rate, low, high]) {
  const place = (value) => 100 * Math.sqrt(Math.min(1, value));
  return svg(
    "svg",
    {
      class: "interval",
      viewBox: "0 0 100 10",
      width: 100,
      height: 10,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    svg("line", { class: "axis", x1: 0, x2: 100, y1: 5, y2: 5 }),
    svg("line", {
      class: "span",
      x1: place(low),
      x2: Math.max(place(high), place(low) + 1.5),
      y1: 5,
      y2: 5,
    }),
    svg("circle", { class: "dot", cx: Math.max(3, Math.min(97, place(rate))), cy: 5, r: 3 }),
  );
}

// The fills that tell verdicts apart without colour.
function patterns(prefix) {
  const ground = (kind) => svg("rect", { class: `fill ${kind}`, width: 6, height: 6 });
  const pattern = (kind, ...marks) =>
    svg(
      "pattern",
      { id: `${prefix}-${kind}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      ground(kind),
      marks,
    );
  return svg(
    "defs",
    {},
    pattern("genuine"),
    pattern("flaky", svg("path", { class: "ink", d: "M-1 1L1 -1M0 6L6 0M5 7L7 5" })),
    pattern("undecided", svg("circle", { class: "ink-dot", cx: 3, cy: 3, r: 1.2 })),
    pattern("unjudged", svg("path", { class: "ink", d: "M0 3H6" })),
  );
}

function niceTop(value) {
  const unit = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 5, 10].map((step) => step * unit).find((top) => top >= value) || 1;
}

// The width that a picture may have.
const roomy = () =>
  Math.max(300, Math.min(1080, byId("main").clientWidth - (innerWidth > 700 ? 56 : 32)));

// Axes of a chart of 220; returns what maps values to places.
function frame(top, labels, told) {
  const [left, right, up, down] = [52, roomy() - 4, 12, 190];
  const y = (value) => down - ((down - up) * value) / (top || 1);
  const x = (share) => left + (right - left) * share;
  const lines = [0, 0.5, 1].map((share) => [
    svg("line", { class: "axis", x1: left, x2: right, y1: y(top * share), y2: y(top * share) }),
    svg(
      "text",
      { class: "tick", x: left - 8, y: y(top * share) + 4, "text-anchor": "end" },
      told(top * share),
    ),
  ]);
  const under = labels.map(([share, text], at) =>
    svg(
      "text",
      {
        class: "tick",
        x: x(share),
        y: 212,
        "text-anchor": at === 0 ? "start" : at === labels.length - 1 ? "end" : "middle",
      },
      text,
    ),
  );
  return { x, y, down, width: right - left, lines: [lines, under] };
}

const dayLabels = (times) => {
  if (!times.length) return [];
  const places = times.length < 3 ? [0] : [0, Math.floor((times.length - 1) / 2), times.length - 1];
  return places.map((at) => [times.length < 2 ? 0 : at / (times.length - 1), shortDay(times[at])]);
};

function chart(label, ...parts) {
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${roomy()} 220`, role: "img", "aria-label": label },
    parts,
  );
}

// Lines over time: series of { name, kind, values }, a value for each time.
function lineChart(label, times, series) {
  const top = niceTop(
    Math.max(0, ...series.flatMap((one) => one.values.filter((value) => value !== null))),
  );
  const { x, y, lines } = frame(top, dayLabels(times), (value) => seconds(value) || "0");
  const share = (at) => (times.length < 2 ? 0.5 : at / (times.length - 1));
  const paths = series.map((one) => {
    let pen = false;
    const path = one.values
      .map((value, at) => {
        const move =
          value === null
            ? ""
            : `${pen ? "L" : "M"}${x(share(at)).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = value !== null;
        return move;
      })
      .join("");
    const alone = one.values.filter((value) => value !== null).length < 40;
    return [
      svg("path", { class: `line ${one.kind}`, d: path }),
      alone &&
        one.values.map(
          (value, at) =>
            value !== null &&
            svg("circle", { class: `point ${one.kind}`, cx: x(share(at)), cy: y(value), r: 2.5 }),
        ),
    ];
  });
  return chart(label, lines, paths);
}

// Bars by day, of parts { kind: number } that stand on each other.
function stackChart(label, days, stacks) {
  const sum = (parts) => KINDS.reduce((all, kind) => all + (parts[kind] || 0), 0);
  const top = niceTop(Math.max(1, ...stacks.map(sum)));
  const { x, y, width, lines } = frame(top, dayLabels(days), (value) =>
    Number.isInteger(value) ? number(value) : "",
  );
  const each = width / Math.max(1, days.length);
  const wide = Math.min(28, Math.max(1, each * 0.8));
  const bars = stacks.flatMap((parts, at) => {
    let under = 0;
    return KINDS.filter((kind) => parts[kind]).map((kind) => {
      const from = under;
      under += parts[kind];
      return svg(
        "rect",
        {
          class: `bar ${kind}`,
          fill: `url(#day-${kind})`,
          x: x(0) + at * each + (each - wide) / 2,
          y: y(under),
          width: wide,
          height: y(from) - y(under),
        },
        svg("title", {}, `${day(days[at])}: ${parts[kind]} ${KIND_WORDS[kind]}`),
      );
    });
  });
  return chart(label, patterns("day"), lines, bars);
}

// A bar beside a number, for tables.
function share(value, most, kind) {
  return svg(
    "svg",
    {
      class: "share",
      viewBox: "0 0 100 8",
      width: 100,
      height: 8,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    svg("rect", {
      class: `fill ${kind || "accent"}`,
      width: Math.max(1, (100 * value) / (most || 1)),
      height: 8,
      rx: 2,
    }),
  );
}

const legend = (kinds, extra) =>
  el(
    "p",
    { class: "legend" },
    kinds.map((kind) => verdict(kind)),
    extra,
  );

// A chart, what it shows, and the same as a table.
function figure(title, about, picture, head, rows) {
  return el(
    "section",
    { class: "figure" },
    el("h2", { text: title }),
    about && el("p", { class: "about" }, about),
    picture,
    rows &&
      el(
        "details",
        { class: "as-table" },
        el("summary", { text: "As a table" }),
        el(
          "div",
          { class: "scroll low", tabindex: "0", role: "group", "aria-label": title },
          el(
            "table",
            {},
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                head.map((text) => el("th", { scope: "col", text })),
              ),
            ),
            el(
              "tbody",
              {},
              rows.map((row) =>
                el(
                  "tr",
                  {},
                  row.map((text, at) =>
                    el(at ? "td" : "th", {
                      scope: at ? null : "row",
                      class: at ? "number" : null,
                      text,
                    }),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
  );
}
