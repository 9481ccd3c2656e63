// The grid for those who cannot see it: the newest runs of some tests, in words.

const TABLE_RUNS = 20;

function gridTable(rows) {
  const from = Math.max(0, RUN_COUNT - TABLE_RUNS);
  const runs = Array.from({ length: RUN_COUNT - from }, (_, at) => RUN_COUNT - 1 - at);
  const columns = [
    {
      key: "name",
      title: "Test",
      main: true,
      cell: (test) => el("a", { href: testLink(test), class: "test" }, nodeid(TESTS.name[test])),
    },
    ...runs.map((run) => ({
      key: run,
      title: el("abbr", { title: runTitle(run), text: runName(run) }),
      kind: "gridcell",
      cell: (test) => gridCell(cellsOf(test)[run]),
    })),
  ];
  return el(
    "div",
    { class: "gridtable" },
    el("p", {
      class: "about",
      text: `The newest ${plural(runs.length, "run")}, the newest first.`,
    }),
    sortable({ caption: "Outcomes of tests by run", rows, columns, state: {}, page: 25 }),
  );
}

function gridCell(letter) {
  const kind = kindOf(letter);
  if (kind === "none") return unseen("not run");
  const sign = SIGNS[kind] || (kind === "pass" ? "·" : "–");
  return el(
    "span",
    { class: `sign ${kind}`, title: cellWords(letter) },
    el("span", { "aria-hidden": "true", text: sign }),
    unseen(cellWords(letter)),
  );
}
