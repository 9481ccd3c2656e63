// What the report knows; see flakefighters/reports/html/data.py for the form.

const D = JSON.parse(byId("data").textContent);
const RUNS = D.look.runs;
const TESTS = D.look.tests;
const FAILURES = D.look.failures;
const RUN_COUNT = RUNS.id.length;
const TEST_COUNT = TESTS.name.length;
const F = FAILURES.columns;
const FAILURE_COUNT = F.run ? F.run.length : 0;

const KINDS = ["genuine", "undecided", "flaky", "unjudged"];
const KIND_WORDS = {
  genuine: "genuine",
  undecided: "undecided",
  flaky: "flaky",
  unjudged: "failed, no verdict",
  pass: "passed",
  skip: "skipped",
  none: "not run",
};
const KIND_MEANS = {
  genuine: "A change broke it, or may well have.",
  undecided: "What is known proves neither.",
  flaky: "It fails without a change being at fault.",
  unjudged: "Nothing was said of it.",
};
const PLAIN = { ".": "pass", X: "pass", s: "skip", x: "skip", "-": "none" };

const kindOf = (letter) => PLAIN[letter] || D.look.letters[letter]?.[1] || "unjudged";

function lazily(make) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key);
  };
}

// A letter for each run, the oldest first.
const cellsOf = lazily((test) =>
  TESTS.cells[test].replace(/(\d+)(\D)/g, (_, n, letter) => letter.repeat(n)),
);

const lowered = lazily((test) => TESTS.name[test].toLowerCase());

const once = (make) => {
  let made;
  return () => (made ??= make());
};

const numberOf = once(() => new Map(TESTS.name.map((name, at) => [name, at])));

// The failures of each test, the newest first.
const failuresByTest = once(() => {
  const found = new Map();
  for (let at = 0; at < FAILURE_COUNT; at++) {
    const mine = found.get(F.test[at]);
    if (mine) mine.push(at);
    else found.set(F.test[at], [at]);
  }
  return found;
});
const failuresOf = (test) => failuresByTest().get(test) || [];

const labelOf = (at) => FAILURES.labels[F.label[at]] || "unjudged";

// Mean seconds of a test in each group of runs, null where it did not run.
function timesOf(test) {
  const { scale, step, group } = D.look.times;
  const cells = cellsOf(test);
  return [...(D.look.times.tests[test] || "")].map((mark, at) => {
    const ran = [...cells.slice(at * group, (at + 1) * group)].filter(
      (one) => !"-s".includes(one),
    ).length;
    const level = scale.indexOf(mark);
    return level && ran ? step ** (level - 1) / 10_000 / ran : null;
  });
}

const allTests = once(() => Array.from({ length: TEST_COUNT }, (_, at) => at));
const decisionsOf = (test) =>
  D.look.decisions.filter(
    (one) =>
      one.test === test || (one.test === null && TESTS.name[test].split("[")[0] === one.target),
  );
const inQuarantine = once(
  () =>
    new Set(
      allTests().filter(
        (test) =>
          D.look.decisions.length &&
          decisionsOf(test).some((one) => one.quarantine && one.state === "on" && !one.expired),
      ),
    ),
);

// The verdicts that occur at all.
const usedKinds = once(() =>
  KINDS.filter((kind) => kind !== "unjudged" || TESTS.cells.some((cells) => /[FE?R]/.test(cells))),
);

const testLink = (test) => `#test/${encodeURIComponent(TESTS.name[test])}`;
