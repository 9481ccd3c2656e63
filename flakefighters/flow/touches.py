"""What the tracers saw, between the report it came with and the case it is judged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flakefighters.capture.tracing import Touched
from flakefighters.flow.lookback import Lookback
from flakefighters.model import Execution, Failure, Run, Touch

__all__ = ["stripped", "touch_of"]

#: Facts that are spent when the verdict is made: its evidence has what it rests on.
_SPENT: Final = ("touched", "ambient")


def touch_of(failure: Failure, lookback: Lookback | None) -> Touch | None:
    """What the execution of a failure touched; None if it was not watched."""
    touched = failure.facts.get("touched")
    if touched is None:
        return Touch() if lookback is not None and lookback.watch.empty else None
    mine = Touched.from_json(touched)
    if mine.unknown is not None and mine.unknown.startswith("execution was not watched"):
        return None
    before = Touched.from_json(failure.facts.get("ambient", {}))
    return Touch(
        ran=_units(mine),
        ran_before=_units(before),
        imported=mine.imported,
        imported_before=before.imported,
        opened=mine.opened,
        opened_before=before.opened,
        children=mine.children,
        children_before=before.children,
        blind=mine.blind,
        unknown=mine.unknown,
    )


def _units(touched: Touched) -> frozenset[tuple[str, str]]:
    return frozenset((path, unit) for path, unit in touched.units if isinstance(unit, str))


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
