"""Runs to save: plain ones by hand, and any that hypothesis can think of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flakefighters.ids import h128, uuid7
from flakefighters.model import (
    JOINT,
    Completeness,
    Confidence,
    Environment,
    Execution,
    Failure,
    Label,
    Outcome,
    Phase,
    Project,
    Run,
    RunHead,
    State,
    Verdict,
)

PROJECT = Project(identity="github.com/acme/shop", label="acme/shop")
#: 2026-01-01T00:00:00Z in µs.
START = 1_767_225_600_000_000
MINUTE = 60_000_000


def make_environment(python: str = "3.13", **distributions: str) -> Environment:
    settings = {"python": python, "os": "linux"}
    name, key = h128("environment", settings, distributions), h128("environment key", settings)
    return Environment(id=name, key=key, settings=settings, distributions=distributions)


def make_state(tree: str, files: Mapping[str, str] | None = None) -> State:
    tree = h128("tree", tree) + "0" * 8
    return State(id=h128("state", tree, None), tree=tree, digest=None, files=files)


def make_failure(text: str = "E assert 1 == 2", **more: Any) -> Failure:
    more.setdefault("signature", h128("signature", text))
    more.setdefault("exception", "AssertionError")
    return Failure(phase=more.pop("phase", Phase.CALL), text=text, **more)


def make_run(
    results: Mapping[str, str] | Sequence[str] = ("t.py::a", "t.py::b"),
    *,
    at: int = 0,
    state: State | None = None,
    project: Project = PROJECT,
    environment: Environment | None = None,
    order: Sequence[Sequence[int]] | None = None,
    **head: Any,
) -> Run:
    """A run ``at`` minutes after START; ``results`` is outcomes by node id, or passing tests."""
    if not isinstance(results, Mapping):
        results = dict.fromkeys(results, ".")
    state = state or make_state("one")
    environment = environment or make_environment(pytest="9.2")
    started = START + at * MINUTE
    executions = [
        Execution(
            nodeid=nodeid,
            attempt=1,
            outcome=Outcome(letter),
            durations=(100, 2000, 100),
            failures=(make_failure(),) if letter in "FE" else (),
            reason="not today" if letter == "s" else None,
        )
        for nodeid, letter in results.items()
        if letter not in ".-"
    ]
    return Run(
        head=RunHead(
            id=head.pop("id", None) or uuid7(started),
            project=project.identity,
            started=started,
            ended=started + 1_000_000,
            state=state.id,
            environment=environment.id,
            environment_key=environment.key,
            tree=state.tree,
            completeness=head.pop("completeness", Completeness.COMPLETE),
            **head,
        ),
        project=project,
        state=state,
        environment=environment,
        suite=tuple(results),
        outcomes="".join(results.values()),
        durations=tuple(n for i in range(len(results)) for n in (1, 20 + i, 1)),
        order=order,
        executions=tuple(executions),
    )


def make_verdict(run: Run, nodeid: str, label: Label = Label.FLAKY, **more: Any) -> Verdict:
    more.setdefault("fighter", JOINT)
    more.setdefault("at", run.head.started + MINUTE)
    more.setdefault("evidence", {"baseline": None, "seen": [1, 2]})
    return Verdict(
        label=label,
        version=1,
        confidence=Confidence.PROVED,
        reason="passed on the same state",
        run=run.head.id,
        nodeid=nodeid,
        **more,
    )
