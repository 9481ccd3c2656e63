"""A history of a busy project, the same at every call: many runs, some tests failing in each."""

from __future__ import annotations

import random
from collections.abc import Iterator

from flakefighters.ids import h128, uuid7
from flakefighters.model import (
    JOINT,
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

__all__ = ["made_runs"]

PROJECT = Project(identity="github.com/acme/shop", label="github.com/acme/shop")
#: 2026-01-01T00:00:00Z in µs, and how far runs are apart.
START, HOUR = 1_767_225_600_000_000, 3_600_000_000


def made_runs(
    runs: int = 200,
    tests: int = 2000,
    *,
    failing: float = 0.01,
    text: int = 3000,
    kinds: int | None = None,
) -> Iterator[tuple[Run, list[Verdict]]]:
    """Runs one commit after the other; ``text`` is the length of a traceback.

    With ``kinds`` there are only so many different failures, else each is one of its own.
    """
    chance = random.Random(17)
    suite = [
        f"tests/test_{n // 40:03}.py::test_behaviour_{n:05}[case-{n % 7}]" for n in range(tests)
    ]
    usual = [chance.expovariate(1 / 40) for _ in suite]
    files = {f"src/shop/module_{n:03}.py": f"{chance.getrandbits(64):016x}" for n in range(300)}
    settings = {"implementation": "CPython", "python": "3.12", "os": "Linux", "arch": "x86_64"}
    installed = {f"distribution-{n}": f"{n}.1.{n % 5}" for n in range(60)}
    environment = Environment(
        id=h128("environment", settings, installed),
        key=h128("environment key", settings),
        settings=settings,
        distributions=installed,
    )
    seen: list[str] = []
    known: dict[int, str] = {}
    for number in range(runs):
        for _ in range(4):
            files[chance.choice(sorted(files))] = f"{chance.getrandbits(64):016x}"
        if number % 10 == 9:
            suite.insert(chance.randrange(len(suite)), f"tests/test_new.py::test_{number}")
            usual.append(20)
        tree = f"{chance.getrandbits(160):040x}"
        state = State(id=h128("state", tree, None), tree=tree, files=dict(files))
        started = START + number * HOUR
        broken = set(chance.sample(range(len(suite)), round(failing * len(suite))))
        head = RunHead(
            id=uuid7(started),
            project=PROJECT.identity,
            started=started,
            ended=started + 90_000_000,
            build=str(1000 + number),
            job="tests",
            commit=f"{chance.getrandbits(160):040x}",
            tree=tree,
            branch="main",
            dirty=False,
            state=state.id,
            environment=environment.id,
            environment_key=environment.key,
            origin={"program": "flakefighters", "ci": "github"},
        )
        executions = []
        verdicts = []
        for place in sorted(broken):
            kind = chance.randrange(300 if kinds is None else kinds)
            filler = known.get(kind)
            if filler is None:
                filler = "".join(chance.choices("abcdefgh ijkl\n", k=max(0, text - 60)))
            if kinds is not None:
                known[kind] = filler
            failure = Failure(
                phase=Phase.CALL,
                exception="AssertionError",
                text=f"{filler}\nE   assert {kind} == {kind + 1}",
                signature=h128("signature", kind),
            )
            executions.append(
                Execution(
                    nodeid=suite[place],
                    attempt=1,
                    outcome=Outcome.FAILED,
                    durations=(120, 1000 * place, 80),
                    failures=(failure,),
                )
            )
            verdicts += [
                Verdict(
                    label=Label.FLAKY,
                    fighter=fighter,
                    version=1,
                    confidence=Confidence.FAIR,
                    reason="touched nothing that changed since it last passed in run 4f3c",
                    evidence={"baseline": seen[0] if seen else None, "changes": [], "n": place},
                    run=head.id,
                    nodeid=suite[place],
                    at=started + 91_000_000,
                )
                for fighter in (JOINT, "same-state")
            ]
        durations = []
        for mean in usual:
            durations += [1, max(1, round(mean * chance.uniform(0.8, 1.3))), 1]
        yield (
            Run(
                head=head,
                project=PROJECT,
                state=state,
                environment=environment,
                suite=tuple(suite),
                outcomes="".join("F" if n in broken else "." for n in range(len(suite))),
                durations=durations,
                executions=executions,
                seen={"runs": seen[:50]},
            ),
            verdicts,
        )
        seen.insert(0, head.id)
