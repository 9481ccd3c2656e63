"""Cases made by hand."""

from __future__ import annotations

from typing import Any

from flakefighters.model import (
    Baseline,
    Case,
    Change,
    ChangeKind,
    Changes,
    Environment,
    Execution,
    Failure,
    Outcome,
    Past,
    Phase,
    Reach,
    RunHead,
)

__all__ = ["ENVIRONMENT", "NODEID", "NOW", "baseline", "case", "change", "past"]

NODEID = "tests/test_a.py::test_a"
NOW = 1_700_000_000_000_000
MINUTE = 60_000_000
ENVIRONMENT = Environment(id="e1", key="k", settings={}, distributions={})


def case(**more: Any) -> Case:
    """A failure in the call of a test that nothing is known of."""
    failure = more.pop("failure", Failure(phase=Phase.CALL, exception="ValueError"))
    execution = Execution(nodeid=NODEID, attempt=1, outcome=Outcome.FAILED, failures=(failure,))
    made: dict[str, Any] = {
        "head": RunHead(id="f" * 32, project="p", started=NOW, state="s1", environment="e1"),
        "nodeid": NODEID,
        "execution": execution,
        "failure": failure,
        "index": 0,
        "environment": ENVIRONMENT,
        "attempts": (execution,),
        "comparable": frozenset({"e1"}),
        "own_file": "tests/test_a.py",
        "signature": "sig",
        "failing": 1,
        "executed": 50,
        "same_signature": 1,
    }
    return Case(**{**made, **more})


def past(
    outcome: Outcome = Outcome.PASSED,
    *,
    minutes: int = 5,
    signatures: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    **head: Any,
) -> Past:
    """A result some minutes before, on the same state unless told otherwise."""
    run = RunHead(
        id=f"{minutes:032x}",
        project="p",
        started=NOW - minutes * MINUTE,
        state="s1",
        environment="e1",
    )
    return Past(run=run._replace(**head), outcome=outcome, signatures=signatures, labels=labels)


def change(path: str, kind: ChangeKind = ChangeKind.FILE) -> Change:
    """A whole file, or what else is told."""
    return Change(kind=kind, path=path)


def baseline(*changes: Change, complete: bool = True, unknown: str | None = None) -> Baseline:
    """A pass on another state, and what changed since."""
    return Baseline(
        past=past(state="s0", commit="a1b2c3d" + "0" * 33),
        changes=Changes(changes=changes, complete=complete, unknown=unknown),
    )


def reach(*paths: str) -> Reach:
    """Files that the test can run."""
    return Reach(files=dict.fromkeys(paths, "imported"))
