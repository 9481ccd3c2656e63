"""Which tests the history knows: what strategies of reruns go by, asked before the tests start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flakefighters.model import Use
from flakefighters.model.decisions import function_of

if TYPE_CHECKING:
    from flakefighters.history import Evidence

__all__ = ["names_for"]

#: A history with more tests than these is not asked for all of them.
_MOST: Final = 100_000
_RUNS: Final = 20


def names_for(strategy: str, evidence: Evidence, limit: int) -> frozenset[str] | None:
    """The names of tests that a strategy needs to know; None if no run is known.

    "new": the functions that the project has had, without parameters; "previously-flaky": tests
    whose failures in the last ``limit`` builds were judged flaky; "flaky": these, and all that
    passed on the state that is checked out.
    """
    if strategy == "new":
        known = evidence.all_tests(_MOST)
        return frozenset(map(function_of, known)) if 0 < len(known) < _MOST else None
    names = evidence.flaky_tests(evidence.builds(limit))
    state = evidence.judged.state
    if strategy == "flaky" and state is not None:
        same = evidence.of_state(state, _RUNS)
        names |= evidence.passed_tests([one for one in same if evidence.believes(one, Use.PROOF)])
    return frozenset(names)
