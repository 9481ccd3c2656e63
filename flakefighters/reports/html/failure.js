// One failure, folded: what it says first, and all that the verdict rests on inside.

function traceback(text) {
  return el(
    "pre",
    { class: "trace", tabindex: "0", role: "group", "aria-label": "Traceback" },
    text.split("\n").map((line) => {
      const kind = /^E\s/.test(line) ? "error" : /^>\s/.test(line) ? "here" : null;
      return kind ? [el("span", { class: kind, text: line }), "\n"] : `${line}\n`;
    }),
  );
}

const DIFF_KINDS = { "+": "added", "-": "removed", "@": "place" };

function difference(diff) {
  const lines = diff.lines.map((line) =>
    el("span", { class: DIFF_KINDS[line[0]] || "same", text: `${line}\n` }),
  );
  return el(
    "figure",
    { class: "diff" },
    el("figcaption", {}, el("span", { class: "mono", text: diff.path })),
    el("pre", { tabindex: "0", role: "group", "aria-label": `Changes of ${diff.path}` }, lines),
    diff.more > 0 && el("p", { class: "about", text: `and ${plural(diff.more, "more line")}` }),
  );
}

const block = (title, ...parts) =>
  el("section", { class: "block" }, el("h4", { text: title }), parts);

const listed = (texts) =>
  el(
    "ul",
    { class: "facts" },
    texts.map((text) => el("li", { text })),
  );

// A failure of the run that is shown.
function failure(one, open) {
  const test = numberOf().get(one.nodeid);
  const kind = one.label || "unjudged";
  const body = el("div", { class: "inside" });
  const inside = once(() => body.append(...failureParts(one, test)));
  const folded = el(
    "details",
    { class: `failure ${kind}`, open, on: { toggle: () => folded.open && inside() } },
    el(
      "summary",
      {},
      el("span", { class: "shape", "aria-hidden": "true" }),
      el(
        "span",
        { class: "gist" },
        nodeid(one.nodeid),
        one.message && el("span", { class: "message", text: one.message }),
        el(
          "span",
          { class: "reason" },
          unseen(`${KIND_WORDS[kind]}: `),
          one.reason || "no verdict",
          one.introduced && el("em", { text: " New: introduced here?" }),
        ),
      ),
    ),
    body,
  );
  if (open) inside();
  return folded;
}

function failureParts(one, test) {
  const where = `${one.exception || "no exception"} in ${one.phase}${one.subtest === null ? "" : `, subtest ${one.subtest}`}`;
  const facts = [...one.evidence];
  if (one.confidence) facts.unshift(`confidence: ${one.confidence}`);
  if (one.was) facts.push(`an earlier verdict was ${one.was}`);
  if (one.introduced)
    facts.push(
      "it ran what changed since it was last stable, and that change may have made it flaky",
    );
  return [
    facts.length && block("What the verdict rests on", listed(facts)),
    one.diffs.length && block("What changed", one.diffs.map(difference)),
    one.attempts.length &&
      block("Attempts", listed(one.attempts.map((word, at) => `${at + 1}: ${word}`))),
    block(
      where,
      one.text ? traceback(one.text) : el("p", { class: "about", text: "It left no text." }),
    ),
    one.said.length > 1 &&
      el(
        "details",
        { class: "more" },
        el("summary", { text: "What each flakefighter says" }),
        listed(one.said),
      ),
    test !== undefined &&
      el(
        "p",
        { class: "along" },
        el("a", { href: testLink(test), text: "This test over time" }),
        " ",
        strip(cellsOf(test), { from: Math.max(0, RUN_COUNT - 60), width: 4, height: 14 }),
      ),
  ].filter(Boolean);
}
