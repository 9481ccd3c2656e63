// The second question: which tests cost us most?

const testsState = { sort: "time", down: true, filter: "cost", search: "" };
const RECENT = 50;

const cost = (test) => TESTS.cost[test];
const rateOf = (test) => TESTS.rate[test];

function testsView() {
  const tests = allTests();
  const costly = tests.filter((test) => cost(test)[0]);
  const chance = tests.filter((test) => TESTS.flaky[test]);
  const failing = tests.filter((test) => TESTS.failed[test]);
  const filters = [
    { key: "cost", title: "Cost something", keeps: (test) => cost(test)[0], count: costly.length },
    { key: "failed", title: "Failed", keeps: (test) => TESTS.failed[test], count: failing.length },
    {
      key: "quarantine",
      title: "In quarantine",
      keeps: (test) => inQuarantine().has(test),
      count: inQuarantine().size,
    },
    { key: "all", title: "All", count: TEST_COUNT },
  ];
  if (!filters[0].count && testsState.filter === "cost") testsState.filter = "all";
  return [
    el("h1", { tabindex: "-1", text: "Which tests cost us most" }),
    el("p", {
      class: "lead",
      text: `${plural(TEST_COUNT, "test")} in ${plural(RUN_COUNT, "run")}${D.look.chosen}`,
    }),
    testsSum(costly, chance),
    sortable({
      caption: "Tests by what they cost",
      rows: tests,
      state: testsState,
      filters,
      words: lowered,
      columns: testColumns(),
      empty: "No test fits.",
    }),
    el("p", {
      class: "about notes",
      text: "Chance is how likely an execution fails without the code being at fault, with the interval that holds it with 90 %. Builds are those that a test made red without a genuine failure, and in how many it was the only one. Time is its part of those runs: each is shared by the tests that failed in it.",
    }),
  ];
}

function testsSum(costly, chance) {
  const spent = costly.reduce((sum, test) => sum + cost(test)[2], 0);
  const sums = [
    [number(chance.length), chance.length === 1 ? "test was flaky" : "tests were flaky"],
    [
      number(costly.reduce((sum, test) => sum + cost(test)[1], 0)),
      "builds red for one such test alone",
    ],
    [seconds(spent) || "0 s", "of runs lost to them"],
  ];
  return el(
    "ul",
    { class: "sums" },
    sums.map(([value, what]) =>
      el("li", {}, el("strong", { text: value }), " ", el("span", { text: what })),
    ),
  );
}

function testColumns() {
  const from = Math.max(0, RUN_COUNT - RECENT);
  return [
    {
      key: "name",
      title: "Test",
      main: true,
      sort: lowered,
      cell: (test) =>
        el(
          "a",
          { href: testLink(test), class: "test" },
          nodeid(TESTS.name[test]),
          inQuarantine().has(test) && el("span", { class: "tag", text: "quarantine" }),
        ),
    },
    {
      key: "rate",
      title: "Chance",
      number: true,
      kind: "rate",
      sort: (test) => (rateOf(test) ? rateOf(test)[1] : null),
      help: "How likely it fails by chance; sorted by the lower end",
      cell: chanceCell,
    },
    {
      key: "builds",
      title: "Builds",
      number: true,
      sort: (test) => cost(test)[0],
      help: "Builds that it made red",
      cell: (test) => [
        cost(test)[0] ? el("span", { text: number(cost(test)[0]) }) : dash(),
        cost(test)[1] > 0 && el("span", { class: "sub", text: `${number(cost(test)[1])} alone` }),
      ],
    },
    {
      key: "time",
      title: "Time",
      number: true,
      sort: (test) => cost(test)[2],
      help: "Its part of the runs that it made red",
      cell: (test) => (cost(test)[0] ? seconds(cost(test)[2]) : dash()),
    },
    {
      key: "failed",
      title: "Failed",
      number: true,
      sort: (test) => TESTS.failed[test],
      help: "Runs in which it failed",
      cell: (test) => [
        el("span", { text: number(TESTS.failed[test]) }),
        el("span", { class: "sub", text: `of ${number(TESTS.runs[test])}` }),
      ],
    },
    {
      key: "flips",
      title: "Flips",
      number: true,
      wide: true,
      sort: (test) => TESTS.flips[test],
      help: "How often it went from passing to failing, or back",
      cell: (test) => number(TESTS.flips[test]),
    },
    {
      key: "own",
      title: "Takes",
      number: true,
      wide: true,
      sort: (test) => mean(test),
      help: "How long it takes on average",
      cell: (test) => seconds(mean(test)),
    },
    {
      key: "recent",
      title: "Recently",
      kind: "recent",
      cell: (test) => strip(cellsOf(test), { from, width: 3, height: 16 }),
    },
  ];
}

const dash = () => el("span", { class: "faint", text: "–" });

const mean = (test) => (TESTS.runs[test] ? TESTS.own[test] / 1000 / TESTS.runs[test] : null);

function chanceCell(test) {
  const found = rateOf(test);
  if (!found) return dash();
  return [
    el("span", { text: percent(found[0]) }),
    el("span", { class: "sub", text: `${percent(found[1])}–${percent(found[2])}` }),
    interval(found),
  ];
}
