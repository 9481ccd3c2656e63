"""Check the runs in a staged file: each must be what its content hash says.

Suites are walked from those that stand alone to those that are told relative to them, and the runs
of each are checked on the way; what shared facts say is checked before.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from flakefighters.history import content
from flakefighters.history.database import Database
from flakefighters.history.events import content_hash
from flakefighters.history.layout import PARTS
from flakefighters.history.pack import SuiteLink
from flakefighters.ids import encode, unstorable
from flakefighters.model import Confidence, Label
from flakefighters.model.decisions import Event
from flakefighters.sync.links import live_content, walk
from flakefighters.sync.run_hash import RUN_ID, Suite, WrongError, run_hash
from flakefighters.sync.verify_shared import Shared, canonical_json, holds, text_field

__all__ = ["verify"]

_LABELS: Final = frozenset(str(label) for label in Label)
_CONFIDENCES: Final = frozenset(str(confidence) for confidence in Confidence)

_VERDICTS: Final = """
SELECT run, id, test, attempt, n, fighter, version, label, confidence, introduced, reason,
  evidence, at FROM verdict
"""
_EVENTS: Final = """
SELECT id, project, kind, target, value, supersedes, "by", at, content_hash FROM event
"""


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
    every = connection.execute(_VERDICTS)
    verdicts = [row[:2] for row in every if not holds(runs.good_verdict, *row)]
    every = connection.execute(_EVENTS)
    events = [row[0] for row in every if not holds(_good_event, shared, *row)]
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
    for table in PARTS:
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

        def good(link: SuiteLink, order: list[int]) -> bool:
            shared.need_tests(order)
            known = all(test in shared.tests for test in order)
            return known and link.n == len(order) and content.suite_id(order) == link.id

        for name, order in walk(shared.connection, shared.live, SuiteLink, good, shared.bad):
            self._check_runs(by_suite.pop(name, ()), order)
        for name, runs in by_suite.items():  # their suites are known already, or nowhere
            found = live_content(shared.live, SuiteLink, name)
            self._check_runs(runs, None if found is None else found[0])

    def _check_runs(self, runs: Sequence[str], order: list[int] | None) -> None:
        if order is None:
            self.refused.update(dict.fromkeys(runs, "its suite is not what its id says"))
        elif runs:
            self._shared.need_tests(order)
            suite = Suite(order, self._shared)
            for run in runs:
                self._check_run(run, suite)
                self._checked += 1
                if self._report is not None:
                    self._report(self._checked)

    def _check_run(self, run: str, suite: Suite) -> None:
        try:
            made, said = run_hash(run, suite, self._shared)
            if made != said:
                raise WrongError("its content is not what its hash says")
        except WrongError as error:
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
    plain = fighter + reason
    if not plain.isascii() or "\x11" in plain or evidence is None or not run.isascii():
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
        f"s7:verdicts{len(run)}:{run}{_int(test)}{_int(attempt)}{_int(n)}"
        f"s{len(fighter)}:{fighter}{_int(version)}"
        f"s{len(label)}:{label}s{len(confidence)}:{confidence}b1:{introduced}"
        f"s{len(reason)}:{reason}s{len(evidence)}:{evidence}{_int(at)}"
    ).encode("ascii")


@lru_cache(maxsize=4096)
def _int(number: int) -> str:
    return encode(number).decode("ascii")


def _good_event(shared: Shared, *row: Any) -> bool:
    """Whether a row of ``event`` is what its hash says, on a project that is known."""
    name, project, kind, target, value, supersedes, by, at, said = row
    replaced = () if supersedes is None else tuple(canonical_json(supersedes))
    kind, target, by = map(unstorable, (kind, target, by))
    identity = shared.identities[project]
    event = Event(name, identity, kind, target, canonical_json(value), by, at, replaced)
    return bool(RUN_ID.fullmatch(name)) and type(at) is int and content_hash(event) == said
