"""What goes into the judging of a run besides the run itself, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flakefighters.records import NamedTuple, record

if TYPE_CHECKING:
    from flakefighters.judging.baselines import Lookback
    from flakefighters.model import Coverage, Execution, Run, Verdict

__all__ = ["Judged", "Session", "failing", "without_traces"]


@record
class Judged:
    """The verdicts of a run."""

    #: The joined verdict of every failure, in the order of the failures.
    joint: list[Verdict] = field(default_factory=list)
    #: What each flakefighter said.
    said: list[Verdict] = field(default_factory=list)
    #: Runs that were considered, best evidence first.
    seen: list[str] = field(default_factory=list)
    #: Those of them that are of pull requests whose commit is part of what is checked out.
    merged: list[str] = field(default_factory=list)
    #: Variables of the environment that the project asks for.
    asked: list[str] = field(default_factory=list)

    @property
    def basis(self) -> dict[str, list[str]]:
        """What is kept with the run, to judge it again; without what is empty."""
        more = {"merged": self.merged, "asked": self.asked}
        return {"runs": self.seen} | {name: value for name, value in more.items() if value}


class Session(NamedTuple):
    """What is known of the session besides its run."""

    #: Folders of the project on ``sys.path``, relative to the base.
    roots: Sequence[str] = ()
    #: Plugins asked for by name, and files of the project that are plugins.
    plugins: Sequence[str] = ()
    plugin_files: Sequence[str] = ()
    #: What was found when looking back at the start.
    lookback: Lookback | None = None
    #: Top-level modules that the session had imported, and the files of all its modules.
    modules: frozenset[str] | None = None
    loaded: Sequence[str] = ()
    #: Node id to what its marker says.
    ignored: Mapping[str, Any] = MappingProxyType({})
    history_runs: int = 50
    #: What the tests of the run ran, if a flakefighter asked for it.
    coverage: Coverage | None = None


def failing(run: Run) -> list[Execution]:
    """The attempts that have a failure."""
    return [execution for execution in run.executions if execution.failures]


def without_traces(run: Run) -> Run:
    """The run as it is stored: traces are used up by the verdicts, whose evidence has the rest."""
    if not any("trace" in one.facts for execution in run.executions for one in execution.failures):
        return run
    return run._replace(executions=[_without_trace(one) for one in run.executions])


def _without_trace(execution: Execution) -> Execution:
    failures = tuple(
        failure._replace(facts={k: value for k, value in failure.facts.items() if k != "trace"})
        for failure in execution.failures
    )
    return execution._replace(failures=failures)
