// What people decided: quarantine with its dates, and marks.

function decisionsView() {
  const quarantined = D.look.decisions.filter((one) => one.quarantine && one.state === "on");
  const marks = D.look.decisions.filter((one) => !one.quarantine && one.state !== "none");
  const name = {
    key: "target",
    title: "Test",
    main: true,
    sort: (one) => one.target.toLowerCase(),
    cell: (one) =>
      one.test === null || one.test === undefined
        ? nodeid(one.target)
        : el("a", { href: testLink(one.test), class: "test" }, nodeid(one.target)),
  };
  const who = [
    { key: "by", title: "By", sort: (one) => one.by, cell: (one) => one.by },
    {
      key: "at",
      title: "Since",
      kind: "date",
      sort: (one) => one.at_us,
      cell: (one) => day(one.at_us / 1e6),
    },
  ];
  const why = {
    key: "reason",
    title: "Reason",
    cell: (one) => [one.reason, one.issue && el("span", { class: "sub", text: one.issue })],
  };
  return [
    el("h1", { tabindex: "-1", text: "Quarantine and marks" }),
    el("p", {
      class: "lead",
      text: "Flaky failures of a test in quarantine need not fail a run. A mark says what somebody knows of a test.",
    }),
    el("h2", {}, "Quarantine", el("span", { class: "count", text: number(quarantined.length) })),
    quarantined.length
      ? sortable({
          caption: "Tests in quarantine",
          rows: quarantined,
          state: { sort: "until" },
          columns: [
            name,
            {
              key: "until",
              title: "Until",
              kind: "date",
              sort: (one) => one.until || "9999",
              cell: (one) =>
                one.expired
                  ? el("span", { class: "late", text: `expired ${one.until}` })
                  : one.until || "no end",
            },
            {
              key: "owner",
              title: "Owner",
              sort: (one) => one.owner || "",
              cell: (one) => one.owner || "",
            },
            ...who,
            why,
            {
              key: "recent",
              title: "Recently",
              kind: "recent",
              cell: (one) =>
                one.test === null || one.test === undefined
                  ? ""
                  : strip(cellsOf(one.test), {
                      from: Math.max(0, RUN_COUNT - RECENT),
                      width: 3,
                      height: 16,
                    }),
            },
          ],
        })
      : el("p", { class: "about", text: "No test is in quarantine." }),
    el("h2", {}, "Marks", el("span", { class: "count", text: number(marks.length) })),
    marks.length
      ? sortable({
          caption: "Marks",
          rows: marks,
          state: { sort: "at", down: true },
          columns: [
            name,
            { key: "state", title: "Mark", sort: (one) => one.state, cell: (one) => one.state },
            ...who,
            why,
          ],
        })
      : el("p", { class: "about", text: "Nothing is marked." }),
  ];
}
