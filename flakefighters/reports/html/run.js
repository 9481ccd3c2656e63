// The first question: what is wrong with this run?

const runState = { search: "" };

function runView() {
  const run = D.run;
  if (!run)
    return [
      el("h1", { tabindex: "-1", text: "No run" }),
      el("p", { class: "about", text: "The history has no run to show." }),
    ];
  const groups = grouped(run.failures);
  const list = el("div");
  const show = () =>
    list.replaceChildren(
      ...groups.map((group) => verdictGroup(group, run.failures.length)).filter(Boolean),
    );
  show();
  return [
    el("h1", { tabindex: "-1" }, headline(run)),
    el("p", { class: "lead" }, runLine(run)),
    runFacts(run),
    run.failures.length > 8 &&
      el(
        "div",
        { class: "tools" },
        search("Search these failures", runState.search, (text) => {
          runState.search = text;
          show();
        }),
      ),
    list,
    run.left_out > 0 &&
      el("p", {
        class: "about",
        text: `${plural(run.left_out, "more failure")} left out of this report.`,
      }),
  ];
}

function headline(run) {
  const counts = KINDS.map((kind) => [
    kind,
    run.failures.filter((one) => (one.label || "unjudged") === kind).length,
  ]).filter(([, count]) => count);
  if (!counts.length)
    return run.complete ? "Nothing failed" : `Nothing failed, but the run is ${run.completeness}`;
  return counts.map(([kind, count], at) => [
    at ? el("span", { class: "comma", text: ", " }) : null,
    el(
      "span",
      { class: `says ${kind}` },
      `${number(count)} ${kind === "unjudged" ? "without a verdict" : kind}`,
    ),
  ]);
}

function runLine(run) {
  const parts = [
    `Run ${run.name}`,
    run.started && moment(run.started),
    run.took && `took ${run.took}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

function runFacts(run) {
  return el(
    "dl",
    { class: "factlist" },
    run.facts.map(([name, value]) =>
      el("div", {}, el("dt", { text: name }), el("dd", { text: value })),
    ),
  );
}

// Failures by verdict, in it by cause and change.
function grouped(failures) {
  return KINDS.map((kind) => {
    const causes = new Map();
    for (const one of failures.filter((each) => (each.label || "unjudged") === kind)) {
      const key = `${one.cause}\n${one.change}`;
      if (!causes.has(key)) causes.set(key, { cause: one.cause, change: one.change, failures: [] });
      causes.get(key).failures.push(one);
    }
    return { kind, causes: [...causes.values()] };
  }).filter((group) => group.causes.length);
}

function verdictGroup({ kind, causes }, all) {
  const matches = matcher(runState.search);
  const found = causes
    .map((one) => ({
      ...one,
      failures: one.failures.filter((each) =>
        matches(`${each.nodeid} ${each.message} ${each.reason}`.toLowerCase()),
      ),
    }))
    .filter((one) => one.failures.length);
  const count = found.reduce((sum, one) => sum + one.failures.length, 0);
  return (
    count > 0 &&
    el(
      "section",
      { class: "group" },
      el(
        "h2",
        {},
        verdict(kind, kind === "unjudged" ? "No verdict" : capital(kind)),
        el("span", { class: "count", text: number(count) }),
      ),
      el("p", { class: "about", text: KIND_MEANS[kind] }),
      found.map((one) =>
        el(
          "div",
          { class: "cause" },
          el(
            "h3",
            {},
            capital(one.cause),
            one.change && [": ", el("span", { class: "mono" }, breakable(one.change))],
            one.failures.length > 1 &&
              el("span", { class: "count", text: number(one.failures.length) }),
          ),
          one.failures.slice(0, 200).map((each) => failure(each, all === 1)),
          one.failures.length > 200 &&
            el("p", {
              class: "about",
              text: `and ${number(one.failures.length - 200)} more: search for them above`,
            }),
        ),
      ),
    )
  );
}
