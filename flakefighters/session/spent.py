"""Facts that come with a report and are spent when the verdict is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flakefighters.model import Execution, Failure, Run

__all__ = ["stripped"]

#: Facts that are spent when the verdict is made: its evidence has what it rests on.
_SPENT: Final = ("trace",)


def stripped(run: Run) -> Run:
    """The run without facts that only its verdicts needed."""
    if not any(_has(one.failures) for one in run.executions):
        return run
    return replace(run, executions=[_without(one) for one in run.executions])


def _has(failures: Sequence[Failure]) -> bool:
    return any(name in failure.facts for failure in failures for name in _SPENT)


def _without(execution: Execution) -> Execution:
    if not _has(execution.failures):
        return execution
    failures = tuple(replace(failure, facts=_rest(failure.facts)) for failure in execution.failures)
    return replace(execution, failures=failures)


def _rest(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in _SPENT}
