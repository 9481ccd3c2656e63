// One test: its timeline, how long it takes, and each of its failures.

function testView(name) {
  const test = numberOf().get(name);
  if (test === undefined)
    return [
      el("h1", { tabindex: "-1", text: "No such test" }),
      el("p", { class: "about" }, nodeid(name)),
    ];
  const cells = cellsOf(test);
  const decided = decisionsOf(test);
  return [
    el("p", { class: "crumb" }, el("a", { href: "#tests", text: "Tests" })),
    el("h1", { tabindex: "-1", class: "long" }, nodeid(name)),
    el("p", { class: "lead", text: stripWords(cells) }),
    testSums(test),
    decided.length > 0 && listed(decided.map((one) => one.says)),
    timeline(test, cells),
    timesFigure(test),
    testFailures(test),
  ];
}

function testSums(test) {
  const rate = rateOf(test);
  const [builds, alone, spent] = cost(test);
  const sums = [
    rate
      ? [percent(rate[0]), `fails by chance (${percent(rate[1])}–${percent(rate[2])})`]
      : ["–", "never failed by chance"],
    [number(builds), `${builds === 1 ? "build" : "builds"} made red, ${number(alone)} alone`],
    [seconds(spent) || "0 s", "of runs lost to it"],
    [seconds(mean(test)) || "–", "on average"],
  ];
  return el(
    "ul",
    { class: "sums" },
    sums.map(([value, what]) =>
      el("li", {}, el("strong", { text: value }), " ", el("span", { text: what })),
    ),
  );
}

function timeline(test, cells) {
  const width = Math.max(2, Math.min(16, Math.floor(roomy() / Math.max(1, RUN_COUNT))));
  const where = el("p", { class: "about readout", text: "Older runs stand to the left." });
  const picture = strip(cells, { width, height: 44, gap: width > 3 ? 1 : 0 });
  picture.addEventListener("pointermove", (event) => {
    const at = Math.floor(
      ((event.clientX - picture.getBoundingClientRect().left) /
        picture.getBoundingClientRect().width) *
        RUN_COUNT,
    );
    if (cells[at]) where.textContent = `${cellWords(cells[at])}: ${runTitle(at)}`;
  });
  const rows = [...cells]
    .map((letter, at) => [at, letter])
    .filter(([, letter]) => letter !== "-")
    .reverse()
    .slice(0, 200)
    .map(([at, letter]) => [
      runName(at),
      moment(RUNS.started[at]),
      cellWords(letter),
      RUNS.commit[at],
      RUNS.branch[at],
    ]);
  return figure(
    "Timeline",
    legend([...usedKinds(), "pass"]),
    [
      el(
        "div",
        { class: "scroll", tabindex: "0", role: "group", "aria-label": "Timeline" },
        picture,
      ),
      where,
    ],
    ["Run", "Started", "Outcome", "Commit", "Branch"],
    rows,
  );
}

function timesFigure(test) {
  const values = timesOf(test);
  const group = D.look.times.group;
  const times = values.map((_, at) => RUNS.started[Math.min(RUN_COUNT - 1, at * group)]);
  if (!values.some((value) => value !== null)) return null;
  const rows = values
    .map((value, at) => [shortDay(times[at]), seconds(value)])
    .filter(([, told]) => told)
    .slice(-100);
  const about = group > 1 ? `The mean of ${number(group)} runs each.` : null;
  return figure(
    "How long it takes",
    about,
    lineChart("Duration of the test over time", times, [{ kind: "accent", values }]),
    ["From", "Duration"],
    rows,
  );
}

function testFailures(test) {
  const mine = failuresOf(test);
  if (!mine.length)
    return el("p", {
      class: "about",
      text: TESTS.failed[test]
        ? "Its failures are not among those that this report lists."
        : "It did not fail in these runs.",
    });
  const list = el("div");
  let shown = 0;
  const more = button("Show more", () => show(), { class: "quiet" });
  function show() {
    list.append(...mine.slice(shown, shown + 20).map(pastFailure));
    shown += 20;
    more.hidden = shown >= mine.length;
  }
  show();
  return el(
    "section",
    {},
    el("h2", {}, "Failures", el("span", { class: "count", text: number(mine.length) })),
    list,
    more,
  );
}

function pastFailure(at) {
  const kind = labelOf(at);
  const run = F.run[at];
  const body = el("div", { class: "inside" });
  const text = FAILURES.texts[F.text[at]];
  const signature = FAILURES.signatures[F.signature[at]];
  const inside = once(() =>
    body.append(
      ...[
        listed(
          [
            runTitle(run),
            FAILURES.causes[F.cause[at]] && `cause: ${FAILURES.causes[F.cause[at]]}`,
            F.attempt[at] > 1 && `attempt ${F.attempt[at]}`,
            signature.id && `signature ${signature.id}`,
          ].filter(Boolean),
        ),
        text
          ? traceback(text)
          : el("p", { class: "about", text: "Its text is not part of this report." }),
      ],
    ),
  );
  const folded = el(
    "details",
    { class: `failure ${kind}`, on: { toggle: () => folded.open && inside() } },
    el(
      "summary",
      {},
      el("span", { class: "shape", "aria-hidden": "true" }),
      el(
        "span",
        { class: "gist" },
        el(
          "span",
          { class: "when" },
          shortDay(RUNS.started[run]),
          " · ",
          el("span", { class: "mono", text: runName(run) }),
          RUNS.branch[run] && ` · ${RUNS.branch[run]}`,
        ),
        el("span", {
          class: "message",
          text: signature.says || FAILURES.exceptions[F.exception[at]] || "",
        }),
        el(
          "span",
          { class: "reason" },
          el("span", { class: `says ${kind}`, text: KIND_WORDS[kind] }),
          " – ",
          FAILURES.reasons[F.reason[at]] || "",
        ),
      ),
    ),
    body,
  );
  return folded;
}
