"""Runs whose failures say a secret, wherever a failure can say it."""

from __future__ import annotations

from typing import Any

from flakefighters.model import Execution, Run, Verdict
from tests.history.made_runs import make_failure, make_run, make_verdict

__all__ = ["SECRET", "SIGNATURE", "leaking_run", "leaking_verdict"]

SECRET = "hunter2-correct-horse"
#: Signatures are texts, and may hold the secret.
SIGNATURE = f"ValueError\nbad token {SECRET!r}"


def leaking_run(nodeid: str = "t.py::leak", **more: Any) -> Run:
    """A run with one failure that says the secret, one that does not, and a passing test."""
    run = make_run({nodeid: "F", "t.py::b": "F", "t.py::c": "."}, **more)
    leak = make_failure(
        f"E ValueError: {SECRET}",
        signature=SIGNATURE,
        exception="ValueError",
        subtest=f"[{SECRET}]",
        facts={"example": SECRET},
    )
    first = run.executions[0]._replace(
        failures=(leak, make_failure("E another")),
        reason=f"because of {SECRET}",
        output=f"token={SECRET}",
    )
    again = Execution(
        nodeid=nodeid, attempt=2, outcome=first.outcome, output=SECRET, failures=(leak,)
    )
    return run._replace(executions=(first, again, *run.executions[1:]))


def leaking_verdict(run: Run, nodeid: str = "t.py::leak", **more: Any) -> Verdict:
    """A verdict that quotes the signature, and says the secret."""
    more.setdefault("evidence", {"runs": [run.head.id], "signature": SIGNATURE})
    return make_verdict(run, nodeid, **more)._replace(reason=f"said {SECRET} before")
