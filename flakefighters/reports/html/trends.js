// How it went: durations, and failures by day, by cause and by signature.

const signatureState = { sort: "failures", down: true, search: "" };

function trendsView() {
  return [
    el("h1", { tabindex: "-1", text: "How it went" }),
    el("p", { class: "lead", text: `${plural(RUN_COUNT, "run")}${D.look.chosen}` }),
    byDay(),
    durations(),
    byCause(),
    bySignature(),
    FAILURES.left_out > 0 &&
      el("p", {
        class: "about",
        text: `${plural(FAILURES.left_out, "older failure")} left out of this report.`,
      }),
  ];
}

function byDay() {
  const days = new Map(RUNS.started.map((second) => [day(second), {}]));
  for (let at = 0; at < FAILURE_COUNT; at++) {
    const parts = days.get(day(RUNS.started[F.run[at]]));
    parts[labelOf(at)] = (parts[labelOf(at)] || 0) + 1;
  }
  const kinds = KINDS.filter((kind) => [...days.values()].some((parts) => parts[kind]));
  const names = [...days.keys()].sort();
  const all = everyDay(names);
  const stacks = all.map((name) => days.get(name) || {});
  const rows = names.map((name) => [
    name,
    ...kinds.map((kind) => number(days.get(name)[kind] || 0)),
  ]);
  if (!kinds.length)
    return el(
      "section",
      { class: "figure" },
      el("h2", { text: "Failures by day" }),
      el("p", { class: "about", text: "Nothing failed in these runs." }),
    );
  return figure(
    "Failures by day",
    legend(kinds),
    stackChart(
      "Failures by day and verdict",
      all.map((name) => Date.parse(name) / 1000),
      stacks,
    ),
    ["Day", ...kinds.map((kind) => KIND_WORDS[kind])],
    rows,
  );
}

// Days without a run stand empty, unless there are very many.
function everyDay(names) {
  if (names.length < 2) return names;
  const [first, last] = [Date.parse(names[0]), Date.parse(names[names.length - 1])];
  const count = (last - first) / 86_400_000 + 1;
  return count > 400
    ? names
    : Array.from({ length: count }, (_, at) =>
        new Date(first + at * 86_400_000).toISOString().slice(0, 10),
      );
}

function durations() {
  const wall = RUNS.wall.map((value) => (value === null ? null : value / 1000));
  const work = RUNS.work.map((value) => (value ? value / 1000 : null));
  const rows = RUNS.name
    .map((name, at) => [name, moment(RUNS.started[at]), seconds(wall[at]), seconds(work[at])])
    .reverse()
    .slice(0, 200);
  const key = el(
    "p",
    { class: "legend" },
    el("span", { class: "key accent" }, "from start to end"),
    el("span", { class: "key second" }, "in tests, all workers together"),
  );
  return figure(
    "How long runs take",
    key,
    lineChart("Duration of runs over time", RUNS.started, [
      { kind: "second", values: work },
      { kind: "accent", values: wall },
    ]),
    ["Run", "Started", "Start to end", "In tests"],
    rows,
  );
}

function byCause() {
  const causes = new Map();
  for (let at = 0; at < FAILURE_COUNT; at++) {
    const key = `${labelOf(at)}\n${FAILURES.causes[F.cause[at]]}`;
    if (!causes.has(key))
      causes.set(key, {
        kind: labelOf(at),
        cause: FAILURES.causes[F.cause[at]],
        failures: 0,
        tests: new Set(),
      });
    const one = causes.get(key);
    one.failures += 1;
    one.tests.add(F.test[at]);
  }
  const rows = [...causes.values()].sort((a, b) => b.failures - a.failures);
  if (!rows.length) return null;
  const columns = [
    { key: "cause", title: "Cause", main: true, cell: (one) => one.cause },
    { key: "kind", title: "Verdict", cell: (one) => verdict(one.kind) },
    {
      key: "failures",
      title: "Failures",
      number: true,
      cell: (one) => [number(one.failures), share(one.failures, rows[0].failures, one.kind)],
    },
    { key: "tests", title: "Tests", number: true, cell: (one) => number(one.tests.size) },
  ];
  return el(
    "section",
    { class: "figure" },
    el("h2", { text: "Failures by cause" }),
    sortable({ caption: "Failures by cause", columns, rows, state: {}, page: 30 }),
  );
}

function bySignature() {
  const rows = FAILURES.signatures.map((one) => ({
    ...one,
    failures: 0,
    tests: new Set(),
    last: -1,
    test: 0,
  }));
  for (let at = FAILURE_COUNT - 1; at >= 0; at--) {
    const one = rows[F.signature[at]];
    one.failures += 1;
    one.tests.add(F.test[at]);
    [one.last, one.test] = [F.run[at], F.test[at]];
  }
  if (!rows.length) return null;
  const columns = [
    {
      key: "says",
      title: "Says",
      main: true,
      sort: (one) => one.says.toLowerCase(),
      cell: (one) => [
        el("span", { class: "mono clip", text: one.says || one.exception || "nothing" }),
        one.id && el("span", { class: "sub", text: `signature ${one.id}` }),
      ],
    },
    {
      key: "failures",
      title: "Failures",
      number: true,
      sort: (one) => one.failures,
      cell: (one) => number(one.failures),
    },
    {
      key: "tests",
      title: "Tests",
      number: true,
      sort: (one) => one.tests.size,
      cell: (one) => number(one.tests.size),
    },
    {
      key: "last",
      title: "Last seen",
      number: true,
      sort: (one) => one.last,
      cell: (one) =>
        el("a", {
          href: testLink(one.test),
          text: shortDay(RUNS.started[one.last]),
          "aria-label": `last seen ${shortDay(RUNS.started[one.last])}, open the test`,
        }),
    },
  ];
  return el(
    "section",
    { class: "figure" },
    el("h2", { text: "Failures by signature" }),
    el("p", {
      class: "about",
      text: "Failures that say the same once addresses, times and the like are taken out.",
    }),
    sortable({
      caption: "Failures by signature",
      columns,
      rows,
      state: signatureState,
      words: (one) => `${one.says} ${one.exception} ${one.id}`.toLowerCase(),
      page: 20,
    }),
  );
}
