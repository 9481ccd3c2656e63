"""What a run itself tells of its failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flakefighters.judging.results import failing
from flakefighters.model import Case, Environment, Execution, Outcome, Run

__all__ = ["Cases"]


class Cases:
    """Begins the case of each failure; whether failures come together is counted once."""

    def __init__(self, run: Run, environments: Iterable[Environment], merged: frozenset[str]):
        """``environments`` are those of earlier runs, ``merged`` as a case has it."""
        self._run, self._merged = run, merged
        self._attempts = run.by_test
        #: Ids of our environment, and of those with the same key and the same distributions.
        self.comparable = frozenset[str]()
        mine = run.environment
        if mine is not None:
            facts = (mine.key, mine.distributions)
            same = (one.id for one in environments if (one.key, one.distributions) == facts)
            self.comparable = frozenset([mine.id, *same])
        # Of each test only the last attempt that failed.
        failed = {execution.nodeid: execution for execution in failing(run)}
        final = dict(zip(run.suite, run.outcomes, strict=True))
        self._failing = sum(final.get(nodeid) in ("F", "E") for nodeid in failed)
        self._executed = sum(outcome != Outcome.NOT_RUN.value for outcome in run.outcomes)
        self._signatures = Counter(
            signature
            for execution in failed.values()
            for signature in {failure.signature for failure in execution.failures}
        )

    def of(self, execution: Execution, index: int) -> Case:
        """The case of one failure, without anything that other runs tell."""
        failure = execution.failures[index]
        return Case(
            head=self._run.head,
            nodeid=execution.nodeid,
            execution=execution,
            failure=failure,
            index=index,
            environment=self._run.environment,
            attempts=tuple(self._attempts[execution.nodeid]),
            comparable=self.comparable,
            merged=self._merged,
            failing=self._failing,
            executed=self._executed,
            signature=failure.signature,
            same_signature=self._signatures[failure.signature],
        )
