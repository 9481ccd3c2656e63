"""Traces of executions come with their failures, and are used up by the verdicts."""

from __future__ import annotations

from flakefighters.model import Execution, Run

__all__ = ["without_traces"]


def without_traces(run: Run) -> Run:
    """The run as it is stored: the evidence of a verdict has what it rests on."""
    if not any(map(_has_trace, run.executions)):
        return run
    return run._replace(executions=[_without(one) for one in run.executions])


def _has_trace(execution: Execution) -> bool:
    return any("trace" in failure.facts for failure in execution.failures)


def _without(execution: Execution) -> Execution:
    failures = tuple(
        failure._replace(facts={k: value for k, value in failure.facts.items() if k != "trace"})
        for failure in execution.failures
    )
    return execution._replace(failures=failures)
