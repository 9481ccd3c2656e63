"""One history: what can be written to it and asked of it, whatever database it lives in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from flakefighters.history.rows import ExecutionRow, RunRow, TestRow
from flakefighters.model import Environment, Past, Run, RunHead, Target, Trust, Verdict

__all__ = ["History", "open_history"]


def open_history(target: Target, *, create: bool = True, deadline: float | None = None) -> History:
    """Open the history at ``target``; an absent one is created if ``create`` allows it.

    ``deadline`` is in seconds from now, for the opening and all that follows; None leaves only
    the limits that keep a silent server from blocking us.  Raises a
    :class:`~flakefighters.errors.DatabaseError` that says what to do.
    """
    raise NotImplementedError


class History:
    """An open history.  Use it as a context manager, from one thread."""

    target: Target
    database_id: str
    schema_version: int

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; further calls are errors.  Can be called twice."""
        raise NotImplementedError

    def save(
        self,
        run: Run,
        verdicts: Sequence[Verdict] = (),
        *,
        via: str = "session",
        trust: Trust = Trust.LOCAL,
    ) -> bool:
        """Store a run and its verdicts in one transaction.

        False if the run is there already with equal content, ConflictError if with other content.
        Each verdict names its failure (``run``, ``nodeid``, ``attempt``, ``index``, ``at``).
        """
        raise NotImplementedError

    def add_verdicts(self, verdicts: Sequence[Verdict]) -> int:
        """Store verdicts on runs that are there; returns how many were new."""
        raise NotImplementedError

    def has_state_files(self, state_id: str) -> bool:
        """True if the files of this state are known here (no need to describe them again)."""
        raise NotImplementedError

    def recent(
        self, project: str, *, limit: int = 50, before: str | None = None
    ) -> tuple[RunHead, ...]:
        """The newest runs of a project by start, newest first; ``before`` is a run's id.

        Runs that claim to have started more than five minutes from now are left out.
        """
        raise NotImplementedError

    def runs_of_state(self, project: str, state: str, *, limit: int = 50) -> tuple[RunHead, ...]:
        """The newest runs on one state, newest first."""
        raise NotImplementedError

    def past(self, nodeids: Sequence[str], runs: Sequence[RunHead]) -> dict[str, tuple[Past, ...]]:
        """Results of these tests in these runs, in the order of ``runs``.

        Every node id is a key; runs without the test are left out of its tuple.
        """
        raise NotImplementedError

    def state_files(self, ids: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """Path to blob id for each of these states whose files are known."""
        raise NotImplementedError

    def environments(self, ids: Iterable[str]) -> dict[str, Environment]:
        """The environments of these ids; unknown ones are left out."""
        raise NotImplementedError

    def load(self, run_id: str) -> Run:
        """One run, whole: the inverse of :meth:`save`.  NotFoundError if it is not there."""
        raise NotImplementedError

    def verdicts(self, run_ids: Iterable[str]) -> tuple[Verdict, ...]:
        """All verdicts on these runs, every flakefighter's and the joined ones."""
        raise NotImplementedError

    def find(self, tail: str, project: str | None = None) -> RunHead:
        """The run with this id or whose id ends so.

        NotFoundError if there is none, or several (the message lists them).
        """
        raise NotImplementedError

    def run_rows(self, project: str | None = None, limit: int = 50) -> tuple[RunRow, ...]:
        """The newest runs with counts, newest first."""
        raise NotImplementedError

    def test_rows(self, project: str, runs: int = 500) -> tuple[TestRow, ...]:
        """Every test of a project over its newest runs, in order of node id."""
        raise NotImplementedError

    def executions_of(self, nodeid: str, project: str, limit: int = 50) -> tuple[ExecutionRow, ...]:
        """One test through the newest runs that contain it, newest first."""
        raise NotImplementedError

    def run_ids(self, project: str | None = None) -> set[str]:
        """Ids of all runs."""
        raise NotImplementedError

    def projects(self) -> tuple[tuple[str, str], ...]:
        """Identity and label of every project, in order of identity."""
        raise NotImplementedError
