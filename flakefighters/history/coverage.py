"""Which earlier runs hold the nearest pass of each test: asked once, at the start of a session."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from flakefighters.history.content import to_json
from flakefighters.history.pack import SuiteLink
from flakefighters.history.unreadable import MALFORMED
from flakefighters.model import Completeness, Outcome
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.history.read import Lookup
    from flakefighters.model import RunHead

__all__ = ["Coverage", "baselines"]

# Outcomes and all that their suites are relative to, in one answer.
_QUESTION: Final = """
WITH RECURSIVE picked(id, suite, outcomes) AS (
  SELECT id, suite, outcomes FROM {s}run WHERE id IN {hash:runs}
), chain(id, base) AS (
  SELECT t.id, t.base FROM {s}suite t WHERE t.id IN (SELECT suite FROM picked)
  UNION
  SELECT t.id, t.base FROM {s}suite t JOIN chain c ON t.id = c.base
)
SELECT 1 AS kind, p.id, p.suite, p.outcomes, CAST(NULL AS text) AS removed, 0 AS n FROM picked p
UNION ALL
SELECT 2, t.id, t.base, t.added, t.removed, t.n FROM {s}suite t JOIN chain c ON c.id = t.id
"""


_PASSED: Final = Outcome.PASSED.value
_OTHERS: Final = f"[^{re.escape(_PASSED)}]"


class Tried(NamedTuple):
    """The results of one run."""

    suite: str
    #: Its tests, ascending, and those that did not pass.
    members: Sequence[int]
    others: set[int]


class Coverage:
    """Outcomes of earlier runs; what was fetched is kept, it never changes."""

    def __init__(self, lookup: Lookup):
        self._database, self._suites, self._unreadable = lookup
        self._known: dict[str, tuple[str, str]] = {}

    def fetch(self, runs: Sequence[RunHead]) -> None:
        """Fetch suite and outcomes of those that are not known yet, with one question."""
        missing = sorted({run.id for run in runs} - self._known.keys())
        if not missing:
            return
        links = {}
        for kind, name, other, text, removed, n in self._database.query(
            _QUESTION, runs=to_json(missing)
        ):
            if kind == 1:
                self._known[name] = other, text
            else:
                with suppress(*MALFORMED):  # the chain of what needs it is broken
                    links[name] = SuiteLink.read((name, n, other, text, removed, None))
        self._suites.learn(links, (suite for suite, _ in self._known.values()))

    def tried(self, run: str) -> Tried | None:
        """The results of a run that was fetched; None if unknown.

        A run that cannot be read is noted, and as good as unknown.
        """
        if run not in self._known:
            return None
        suite, outcomes = self._known[run]
        with self._unreadable.tolerated(run, "suite"):
            members = self._suites.members(suite)
            if len(outcomes) == 1:  # one character speaks for all members
                return Tried(suite, members, set(() if outcomes == _PASSED else members))
            if len(outcomes) != len(members):
                raise ValueError("outcomes of other tests")
            # Few of many thousands.
            others = {members[found.start()] for found in re.finditer(_OTHERS, outcomes)}
            return Tried(suite, members, others)
        return None

    def passed(self, run: str) -> tuple[set[int], Sequence[int]] | None:
        """The tests that passed in a run that was fetched, and all its tests; None if unknown."""
        found = self.tried(run)
        return None if found is None else (set(found.members) - found.others, found.members)


def baselines(coverages: Sequence[Coverage], runs: Sequence[RunHead]) -> list[RunHead]:
    """Those of ``runs`` (best evidence first) that hold some test's first pass.

    Stops at the first whole run after which no test is left without one.  Each coverage was told
    to fetch the runs of its history.
    """
    passed: set[int] = set()
    #: The tests without a pass so far, by suite.
    waiting: dict[str, set[int]] = {}
    found: list[RunHead] = []
    for run in runs:
        known = next((one for each in coverages if (one := each.tried(run.id))), None)
        if known is None:
            continue
        if known.suite not in waiting:
            waiting[known.suite] = set(known.members) - passed
        new = waiting[known.suite] - known.others
        if new:
            found.append(run)
            passed |= new
            for tests in waiting.values():
                tests.difference_update(new)
        whole = run.completeness is Completeness.COMPLETE and not run.selection
        if whole and not any(waiting.values()):
            break
    return found
