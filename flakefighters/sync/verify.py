"""Check the runs in a staged file: each must be what its content hash says.

The hash is computed from the rows, with the parts that runs share encoded once: building every
run first, as :func:`flakefighters.history.content.content_hash` wants it, takes ten times as long.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

from flakefighters.history import content, pack
from flakefighters.history.database import Database
from flakefighters.history.pack import SuiteLink
from flakefighters.ids import encode, unstorable
from flakefighters.model import Completeness, Confidence, Label, Outcome, Phase
from flakefighters.sync.links import live_order, order_from, walk
from flakefighters.sync.verify_shared import Shared, canonical_json, holds, text_field

__all__ = ["verify"]

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_LABELS: Final = frozenset(str(label) for label in Label)
_CONFIDENCES: Final = frozenset(str(confidence) for confidence in Confidence)
_LETTERS: Final = frozenset(str(outcome) for outcome in Outcome)
_LEADING_ZERO: Final = re.compile(",0[0-9]")

_TIMES: Final = re.compile(r"\[(?:null|0|-?[1-9]\d*)(?:,(?:null|0|-?[1-9]\d*)){2}\]", re.ASCII)

_RUN: Final = """
SELECT r.id, r.version, r.content_hash, r.project, r.started, r.ended, r.clock_offset, r.build,
  r.job, r.shard, r.attempt, r.commit_id, r.tree, r.branch, r.base_branch, r.pr, r.dirty,
  r.completeness, r.selection, r.origin, r.context, r.extra, r.seen, s.id, s.tree, s.digest,
  r.state, r.listing, e.id, e.key, e.settings, e.distributions, r.environment,
  q.id, q.body, r.sequence, r.outcomes, r.durations
FROM run r LEFT JOIN state s ON s.id = r.state LEFT JOIN environment e ON e.id = r.environment
LEFT JOIN sequence q ON q.id = r.sequence WHERE r.id = ?
"""
_EXECUTIONS: Final = """
SELECT test, attempt, outcome, durations, reason, worker, output FROM execution WHERE run = ?
"""
_FAILURES: Final = """
SELECT f.test, f.attempt, f.phase, f.subtest, f.facts, c.id, c.signature, c.signature_version,
  c.exception, c.text
FROM failure f LEFT JOIN failure_text c ON c.id = f.failure_text WHERE f.run = ?
ORDER BY f.test, f.attempt, f.n
"""
_VERDICTS: Final = """
SELECT run, id, test, attempt, n, fighter, version, label, confidence, introduced, reason,
  evidence, at FROM verdict
"""
_EVENTS: Final = """
SELECT id, project, kind, target, value, supersedes, "by", at, content_hash FROM event
"""


class _WrongError(Exception):
    """Something is not as we write it; says what."""


def verify(
    connection: sqlite3.Connection,
    live: Database | None = None,
    report: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """Check all that was staged and remove what fails.

    ``live`` is the history that it is meant for.  Returns the ids of runs that were removed, or
    other keys as "table key", each with the reason.
    """
    shared = Shared(connection, live)
    shared.check()
    runs = _Runs(shared, report)
    runs.check()
    verdicts = [row[:2] for row in shared.rows(_VERDICTS) if not holds(runs.good_verdict, *row)]
    events = [row[0] for row in shared.rows(_EVENTS) if not holds(_good_event, shared, *row)]
    refused = dict(runs.refused)
    refused |= {f"verdict {name} on run {run}": "is not what its id says" for run, name in verdicts}
    refused |= {f"event {name}": "is not what its hash says" for name in events}
    _remove(connection, shared.bad, runs.refused, verdicts, events)
    return refused


def _remove(
    connection: sqlite3.Connection,
    bad: set[tuple[str, Any]],
    refused: Iterable[str],
    verdicts: Sequence[tuple[Any, ...]],
    events: Sequence[str],
) -> None:
    connection.executemany("DELETE FROM verdict WHERE run = ? AND id = ?", verdicts)
    connection.executemany("DELETE FROM event WHERE id = ?", [(name,) for name in events])
    gone = [(run,) for run in refused]
    for table in ("verdict", "failure", "execution", "arrival"):
        connection.executemany(f"DELETE FROM {table} WHERE run = ?", gone)  # noqa: S608
    connection.executemany("DELETE FROM run WHERE id = ?", gone)
    for table, name in bad:
        connection.execute(f"DELETE FROM {table} WHERE id = ?", (name,))  # noqa: S608


class _Runs:
    """The runs, walked suite by suite."""

    def __init__(self, shared: Shared, report: Callable[[int], None] | None):
        self.refused: dict[str, str] = {}
        self._shared = shared
        self._report = report
        self._checked = 0

    def check(self) -> None:
        """Fill ``refused``."""
        shared = self._shared
        by_suite: dict[str, list[str]] = defaultdict(list)
        for run, suite in shared.rows("SELECT id, suite FROM run"):
            by_suite[suite].append(run)
        links: dict[str, SuiteLink] = {}
        for row in shared.rows("SELECT id, n, base, added, removed, places FROM suite"):
            if not holds(lambda row: links.update({row[0]: SuiteLink.read(row)}) is None, row):
                shared.bad.add(("suite", row[0]))

        def good(link: SuiteLink, order: list[int]) -> bool:
            shared.need_tests(order)
            known = all(test in shared.tests for test in order)
            return known and link.n == len(order) and content.suite_id(order) == link.id

        def rebase(link: SuiteLink, order: list[int]) -> None:
            _, *columns = pack.link_suite(link.id, order, ()).row()
            shared.connection.execute(
                "UPDATE suite SET n = ?, base = ?, added = ?, removed = ?, places = ? WHERE id = ?",
                (*columns, link.id),
            )

        def live(name: str) -> tuple[list[int], int] | None:
            return live_order(shared.live, name)

        for name, order in walk(links, live, order_from, good, rebase):
            if order is None:
                shared.bad.add(("suite", name))
            self._check_runs(by_suite.pop(name, ()), order)
        for name, runs in by_suite.items():  # their suites are known already, or nowhere
            found = None if name in links else live(name)
            self._check_runs(runs, None if found is None else found[0])

    def _check_runs(self, runs: Sequence[str], order: list[int] | None) -> None:
        if order is None:
            self.refused.update(dict.fromkeys(runs, "its suite is not what its id says"))
        elif runs:
            self._shared.need_tests(order)
            suite = _Suite(order, self._shared)
            for run in runs:
                self._check_run(run, suite)
                self._checked += 1
                if self._report is not None:
                    self._report(self._checked)

    def _check_run(self, run: str, suite: _Suite) -> None:
        try:
            (row,) = self._shared.rows(_RUN, run)
            if _hash(row, suite, self._shared) != row[2]:
                raise _WrongError("its content is not what its hash says")
        except _WrongError as error:
            self.refused[run] = str(error)
        except Exception as error:  # whatever malformed data provoke in our own code
            self.refused[run] = f"malformed ({type(error).__name__})"

    def good_verdict(self, *row: Any) -> bool:
        """Whether a row of ``verdict`` is what its id says, on a test that is known."""
        name, test, label, confidence, introduced, evidence = itemgetter(1, 2, 7, 8, 9, 11)(row)
        if label not in _LABELS or confidence not in _CONFIDENCES or introduced not in (0, 1):
            return False
        if test not in self._shared.tests:
            self._shared.need_tests([test])
        return (
            test in self._shared.tests
            and ("evidence", evidence) not in self._shared.bad
            and hashlib.sha256(_verdict_fields(row)).digest()[:16].hex() == name
        )


def _verdict_fields(row: Sequence[Any]) -> bytes:
    """What a row of ``verdict`` is hashed from, see ``content.verdict_id``."""
    run, _, test, attempt, n, fighter, version, label, confidence, introduced = row[:10]
    reason, evidence, at = row[10:]
    texts = (run, fighter, label, confidence, reason, evidence)
    plain = "".join(text for text in texts if text is not None)
    if not plain.isascii() or "\x11" in plain or evidence is None:
        return b"".join(
            [
                *(b"s7:verdict", text_field(run), encode(test), encode(attempt), encode(n)),
                *(text_field(fighter), encode(version), text_field(label)),
                *(text_field(confidence), encode(bool(introduced)), text_field(reason)),
                *(text_field(evidence), encode(at)),
            ]
        )
    # The same at once: there are many of them, nearly all like this.
    return (
        f"s7:verdicts{len(run)}:{run}i{len(str(test))}:{test}i{len(str(attempt))}:{attempt}"
        f"i{len(str(n))}:{n}s{len(fighter)}:{fighter}i{len(str(version))}:{version}"
        f"s{len(label)}:{label}s{len(confidence)}:{confidence}b1:{introduced}"
        f"s{len(reason)}:{reason}s{len(evidence)}:{evidence}i{len(str(at))}:{at}"
    ).encode("ascii")


class _Suite:
    """What the runs of one suite share."""

    def __init__(self, order: list[int], shared: Shared):
        self.tests = order
        self.projects = {shared.tests[test][0] for test in order}
        self.place = {test: place for place, test in enumerate(order)}
        rank = {test: rank for rank, test in enumerate(sorted(order))}
        ranks = [rank[test] for test in order]
        self._outcomes = _picker(ranks)
        self._durations = _picker([3 * rank + phase for rank in ranks for phase in range(3)])
        names = b"".join([shared.tests[test][2] for test in order])
        self.field = b"l%d:%b" % (len(names), names)

    def outcomes(self, packed: str) -> str:
        """In order of collection."""
        if not set(packed) <= _LETTERS:
            raise _WrongError("an outcome is unknown")
        if len(packed) == 1:
            return packed * len(self.tests)
        if len(packed) != len(self.tests):
            raise _WrongError("it has too many or too few outcomes")
        return "".join(self._outcomes(packed))

    def durations(self, packed: str) -> str:
        """In order of collection, joined by commas."""
        body = packed[1:-1]
        if packed != f"[{body}]":
            raise _WrongError("its durations are malformed")
        if not self.tests and not body:
            return ""
        if not _numbers(body):
            raise _WrongError("its durations are malformed")
        numbers = body.split(",")
        if len(numbers) != 3 * len(self.tests):
            raise _WrongError("it has too many or too few durations")
        return ",".join(self._durations(numbers))


def _numbers(text: str) -> bool:
    """Whether a text is decimal numbers without leading zeros, joined by commas."""
    rest = text.encode("ascii", "replace").translate(None, b"0123456789,")
    bounded = f",{text},"
    return not rest and ",," not in bounded and not _LEADING_ZERO.search(bounded)


def _picker(places: list[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Picks the members at these places, quickly."""
    if len(places) < 2:
        return lambda members: [members[place] for place in places]
    return itemgetter(*places)


def _hash(row: Sequence[Any], suite: _Suite, shared: Shared) -> str:
    """The content hash of a row of ``_RUN``, by the recipe in ``history/content.py``."""
    run, version, _, project, started = row[:5]
    commit, tree = row[11], row[12]
    completeness, mappings = row[17], row[18:23]
    state, state_tree, digest, said_state, listing = row[23:28]
    environment, key, settings, distributions, said_environment = row[28:33]
    sequence, order, said_sequence, outcomes, durations = row[33:]
    if version != content.RECORD_VERSION:
        raise _WrongError("it was recorded by another version")
    if not _RUN_ID.fullmatch(run) or type(started) is not int:
        raise _WrongError("its id or start is malformed")
    if any(commit and not _COMMIT.fullmatch(commit) for commit in (commit, tree)):
        raise _WrongError("its commit or tree is malformed")
    parts = (state, environment, sequence)
    if parts != (said_state, said_environment, said_sequence):
        raise _WrongError("a part of it is missing")
    for table, name in zip(("state", "environment", "sequence"), parts, strict=True):
        if (table, name) in shared.bad:
            raise _WrongError(f"its {table} is not what its id says")
    if ("listing", listing) in shared.bad:
        raise _WrongError("its files are not what their id says")
    if suite.projects - {project}:
        raise _WrongError("its tests belong to another project")
    Completeness(completeness)
    size = len(suite.tests)
    if order is not None and any(place >= size for one in canonical_json(order) for place in one):
        raise _WrongError("its order names tests that are not there")
    whole = hashlib.sha256(
        b"".join(
            [
                *(b"s3:run", encode(version), text_field(run), encode(shared.identities[project])),
                *map(encode, row[4:7]),
                *map(text_field, row[7:10]),
                encode(row[10]),
                *map(text_field, row[11:16]),
                encode(None if row[16] is None else bool(row[16])),
                text_field(completeness),
                *map(_mapping, mappings),
                *map(text_field, (state, state_tree, digest, listing)),
                *map(text_field, (environment, key, settings, distributions)),
            ]
        )
    )
    whole.update(suite.field)
    for part in (suite.outcomes(outcomes), suite.durations(durations), order):
        whole.update(text_field(part))
    executions = b"".join(_executions(run, suite, shared))
    whole.update(b"l%d:%b" % (len(executions), executions))
    return whole.hexdigest()


def _mapping(text: str | None) -> bytes:
    if text is None:
        return b"s2:{}"
    if not isinstance(canonical_json(text), dict):
        raise _WrongError("a part of it is no mapping")
    return text_field(text)


def _list(*members: bytes) -> bytes:
    body = b"".join(members)
    return b"l%d:%b" % (len(body), body)


def _executions(run: str, suite: _Suite, shared: Shared) -> list[bytes]:
    rows = shared.rows(_EXECUTIONS, run)
    if not rows:
        return []
    failures: dict[tuple[int, int], list[bytes]] = defaultdict(list)
    for test, attempt, phase, subtest, facts, name, *said in shared.rows(_FAILURES, run):
        if name is None or ("failure_text", name) in shared.bad:
            raise _WrongError("a failure is not what its id says")
        Phase(phase)
        signature, version, exception, text = said
        failures[test, attempt].append(
            _list(
                text_field(phase),
                text_field(subtest),
                _mapping(facts),
                text_field(signature),
                encode(version),
                text_field(exception),
                text_field(text),
            )
        )
    shared.need_tests(row[0] for row in rows)
    beyond = len(suite.tests)

    def place(row: tuple[Any, ...]) -> tuple[int, str, int]:
        return suite.place.get(row[0], beyond), unstorable(shared.tests[row[0]][1]), row[1]

    rows.sort(key=place)
    made = []
    for test, attempt, outcome, durations, reason, worker, output in rows:
        Outcome(outcome)
        if durations is not None and not _TIMES.fullmatch(durations):
            raise _WrongError("an execution's durations are malformed")
        times = ["null"] * 3 if durations is None else durations[1:-1].split(",")
        made.append(
            _list(
                shared.tests[test][2],
                encode(attempt),
                text_field(outcome),
                _list(
                    *(b"n0:" if t == "null" else b"i%d:%b" % (len(t), t.encode()) for t in times)
                ),
                *map(text_field, (reason, worker, output)),
                _list(*failures.pop((test, attempt), ())),
            )
        )
    if failures:
        raise _WrongError("a failure belongs to no execution")
    return made


def _good_event(shared: Shared, *row: Any) -> bool:
    """Events have no recipe for their hash yet: only their form is checked."""
    name, project, _, _, value, supersedes, _, at, _ = row
    canonical_json(value)
    if supersedes is not None:
        canonical_json(supersedes)
    return bool(_RUN_ID.fullmatch(name)) and project in shared.identities and type(at) is int
