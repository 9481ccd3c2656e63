"""What ``--json`` prints: plain objects with whole ids, described in docs/reference/json.md.

Keys are added, never renamed or removed.  A time is a pair: ISO 8601 in UTC for people and other
programs, and ``…_us`` with the microseconds themselves.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flakefighters.ids import h128
from flakefighters.model import (
    Environment,
    Execution,
    Failure,
    Outcome,
    Run,
    RunHead,
    Verdict,
    standing,
)
from flakefighters.model.rows import ExecutionRow, Flakiness, RunRow, TestRow
from flakefighters.reports.verdicts import labels
from flakefighters.reports.words import iso

__all__ = ["Record", "by_word", "dumps", "environment_record", "execution_record"]
__all__ += [
    "failure_record",
    "flakiness_record",
    "head_record",
    "result_record",
    "run_record",
    "test_record",
]
__all__ += ["verdict_record", "whole_run_record"]

#: A JSON object.
Record = dict[str, Any]

_PHASES = ("setup", "call", "teardown")


def dumps(value: object) -> str:
    """JSON text for a terminal or a pipe: ASCII only, so nothing in it can steer a terminal."""
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def run_record(row: RunRow) -> Record:
    """One run of a list."""
    return {
        **head_record(row.run),
        "tests": row.tests,
        "outcomes": by_word(row.outcomes),
        "verdicts": {label.value: number for label, number in row.labels.items()},
    }


def whole_run_record(run: Run, verdicts: tuple[Verdict, ...]) -> Record:
    """One run, whole: every attempt that is not "one attempt, passed", with its verdicts."""
    return {
        **head_record(run.head),
        "project_label": run.project.label,
        "tests": len(run.suite),
        "outcomes": run.tally,
        "selection": dict(run.head.selection),
        "origin": dict(run.head.origin),
        "context": dict(run.head.context),
        "environment_details": environment_record(run.environment),
        "seen": dict(run.seen),
        "results": [
            {"nodeid": nodeid, "outcome": Outcome(letter).word}
            for nodeid, letter in zip(run.suite, run.outcomes, strict=True)
        ],
        "executions": [execution_record(execution) for execution in run.executions],
        "verdicts": _verdicts(verdicts),
        "labels": {label.value: number for label, number in labels(verdicts).items()},
    }


def test_record(row: TestRow) -> Record:
    """One test over the runs that were looked at."""
    return {
        "nodeid": row.nodeid,
        "runs": row.runs,
        "passes": row.passes,
        "failures": row.failures,
        "flips": row.flips,
        "mixed": row.mixed,
        "last_outcome": row.last.word,
        "last_run": row.last_run,
        "last_failure": iso(row.last_failure),
        "last_failure_us": row.last_failure,
        "flaky": row.flaky,
        "genuine": row.genuine,
        "undecided": row.undecided,
        "unjudged": row.unjudged,
        "flake_rate": round(row.flaky / row.runs, 4) if row.runs else None,
        **flakiness_record(row.flakiness),
    }


def flakiness_record(found: Flakiness | None) -> Record:
    """How likely the test fails by chance; nulls if that was not asked."""
    if found is None:
        return dict.fromkeys(("rate", "low", "high", "chance_failures", "executions"))
    return {
        "rate": round(found.rate, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "chance_failures": found.failures,
        "executions": found.executions,
    }


def result_record(row: ExecutionRow) -> Record:
    """One test in one run."""
    return {
        "nodeid": row.nodeid,
        "outcome": row.outcome.word,
        "durations_us": dict(zip(_PHASES, row.durations, strict=True)),
        "run": head_record(row.run),
        "executions": [execution_record(execution) for execution in row.executions],
        "verdicts": _verdicts(row.verdicts),
    }


#: Fields of a head that are shown otherwise, or not at all.
_NOT_IN_HEAD: Final = frozenset(
    {"clock_offset", "environment_key", "selection", "origin", "context", "extra"}
)
_TIMES: Final = frozenset({"started", "ended"})


def head_record(head: RunHead) -> Record:
    """Every field that is not left out above, under its own name."""
    record: Record = {}
    for name, value in head._asdict().items():
        if name in _NOT_IN_HEAD:
            continue
        if name in _TIMES:
            record |= {name: iso(value), f"{name}_us": value}
        else:
            record[name] = value.value if isinstance(value, enum.Enum) else value
    return record


def environment_record(environment: Environment | None) -> Record | None:
    if environment is None:
        return None
    return {
        "key": environment.key,
        "settings": dict(environment.settings),
        "distributions": dict(environment.distributions),
    }


def execution_record(execution: Execution) -> Record:
    return {
        "nodeid": execution.nodeid,
        "attempt": execution.attempt,
        "outcome": execution.outcome.word,
        "durations_us": dict(zip(_PHASES, execution.durations, strict=True)),
        "reason": execution.reason,
        "worker": execution.worker,
        "output": execution.output,
        "failures": [failure_record(failure) for failure in execution.failures],
    }


def failure_record(failure: Failure) -> Record:
    return {
        "phase": failure.phase.value,
        "subtest": failure.subtest,
        "exception": failure.exception,
        "signature": failure.signature or None,
        "signature_id": h128("signature", failure.signature) if failure.signature else None,
        "text": failure.text,
        "facts": dict(failure.facts),
    }


def _verdicts(verdicts: Sequence[Verdict]) -> list[Record]:
    stands = {id(one) for one in standing(verdicts).values()}
    return [{**verdict_record(one), "stands": id(one) in stands} for one in verdicts]


def verdict_record(verdict: Verdict) -> Record:
    return {
        "run": verdict.run,
        "nodeid": verdict.nodeid,
        "attempt": verdict.attempt,
        "failure": verdict.index,
        "fighter": verdict.fighter,
        "version": verdict.version,
        "label": verdict.label.value,
        "confidence": verdict.confidence.value,
        "introduced": verdict.introduced,
        "reason": verdict.reason,
        "evidence": dict(verdict.evidence),
        "at": iso(verdict.at),
        "at_us": verdict.at,
    }


def by_word(outcomes: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.word: number for outcome, number in outcomes.items()}
