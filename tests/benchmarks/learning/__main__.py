"""What it costs to compare a failure with earlier ones whose label is known.

    python -m tests.benchmarks.learning [--signatures N]

A SQLite file is filled with failures of different signatures, each proved flaky or genuine, and
read anew for each of some failures, as a session does in which one test fails.  *A few* is a
failure that shares a line with some of the earlier ones, *all* one that shares a line with each.
Milliseconds of CPU in one process, the first round of each left out: medians, and the worst.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from flakefighters.fighters.similarity import Similarity
from flakefighters.fighters.traceback_match import TracebackMatch
from flakefighters.history import Evidence, open_history
from flakefighters.judging.experience import gather
from flakefighters.model import (
    Came,
    Confidence,
    Execution,
    Failure,
    Label,
    Outcome,
    Phase,
    Run,
    RunHead,
    Target,
    Verdict,
)
from tests.fighters.cases import case
from tests.history.made_runs import PROJECT, START, make_run, make_state, make_verdict

__all__ = ["main"]

PER_RUN = 50
_VERBS = ["load", "save", "check", "find", "make", "parse", "read", "write", "send", "pay"]
_NOUNS = ["tax", "cart", "user", "order", "item", "price", "rate", "total", "page", "view", "form"]
_NAMES = [f"{verb}_{noun}{end}" for verb in _VERBS for noun in _NOUNS for end in ("", "_all", "s")]
_KINDS = ["AssertionError", "ValueError", "KeyError", "TimeoutError", "ConnectionError"]


def signatures(number: int, chance: random.Random) -> Iterator[str]:
    """Different ones, of two to six lines."""
    for count in range(number):
        kind, name = chance.choice(_KINDS), chance.choice(_NAMES)
        lines = [kind, f"{name} {chance.choice(_NOUNS)} # for '{chance.choice(_NAMES)}_{count:x}'"]
        if kind == "AssertionError":
            lines.append(f"at assert {name}({chance.choice(_NOUNS)}) == {chance.randrange(100)}")
        for _ in range(chance.randrange(1, 4)):
            place = f"{chance.choice(_NOUNS)}/{chance.choice(_NAMES)}.py:{chance.choice(_NAMES)}"
            lines.append(f"in shop/{place}")
        yield "\n".join(lines)


def fill(target: Target, known: list[str], suffix: str) -> None:
    """Runs of 2,000 tests, in each of which ``PER_RUN`` fail."""
    tests = [f"tests/test_{n // 50}.py::test_{n}" for n in range(2000)]
    chance = random.Random(2)
    with open_history(target) as history:
        for at in range(0, len(known), PER_RUN):
            some = known[at : at + PER_RUN]
            broken = dict(zip(sorted(chance.sample(tests, len(some))), some, strict=True))
            results = {one: "F" if one in broken else "." for one in tests}
            run = make_run(results, at=at, state=make_state(str(at)))
            failed = tuple(_failed(one, text + suffix) for one, text in broken.items())
            verdicts = [verdict for one in broken for verdict in _verdicts(run, one, chance)]
            history.save(run._replace(executions=failed), verdicts)


def _failed(nodeid: str, signature: str) -> Execution:
    kind, _, message = signature.partition("\n")
    failure = Failure(
        phase=Phase.CALL,
        exception=kind,
        text="    code of a function\n" * 100 + f"E   {kind}: {message}",
        signature=signature,
    )
    return Execution(nodeid=nodeid, attempt=1, outcome=Outcome.FAILED, failures=(failure,))


def _verdicts(run: Run, nodeid: str, chance: random.Random) -> Iterator[Verdict]:
    label = chance.choice([Label.FLAKY, Label.GENUINE])
    yield make_verdict(run, nodeid, label, evidence={"by": "trial"})
    for name in ("touched_change", "changed_imports"):
        made = make_verdict(run, nodeid, Label.UNDECIDED, fighter=name)
        yield made._replace(confidence=Confidence.WEAK)


def measure(target: Target, asked: list[str]) -> Iterator[tuple[float, float, float, int]]:
    """Seconds of reading, of ``similarity`` and of ``traceback``, and the number of lessons."""
    head = RunHead(id="f" * 32, project=PROJECT.identity, started=START + 10**13)
    for signature in asked:
        with open_history(target._replace(read_only=True)) as history:
            evidence = Evidence(judged=head, sources=[(history, Came.HERE)])
            began = time.process_time()
            experience = gather(evidence, {"tests/test_1.py::test_1": [signature]})
            read = time.process_time()
            failed = _failed("tests/test_1.py::test_1", signature).failures[0]
            made = case(failure=failed, experience=experience)
            Similarity().judge(made)
            similar = time.process_time()
            TracebackMatch().judge(made)
            ended = time.process_time()
            yield read - began, similar - read, ended - similar, len(experience.lessons)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--signatures", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    print("| shares a line with | lessons | read | similarity | traceback | all, median | worst |")
    print("|---|---|---|---|---|---|---|")
    chance = random.Random(1)
    known = list(signatures(options.signatures, chance))
    asked = chance.sample(known, options.rounds + 1)
    with tempfile.TemporaryDirectory() as folder:
        for name, suffix in (("a few", ""), ("all", "\nin tests/conftest.py:client")):
            path = Path(folder) / f"{len(suffix)}.db"
            target = Target(backend="sqlite", path=path, display=path.name)
            fill(target, known, suffix)
            rounds = list(measure(target, [one + suffix for one in asked]))[1:]
            parts = [f"{1000 * statistics.median(one[n] for one in rounds):.1f}" for n in range(3)]
            whole = [1000 * sum(one[:3]) for one in rounds]
            lessons = round(statistics.median(one[3] for one in rounds))
            both = f"{statistics.median(whole):.0f} ms | {max(whole):.0f} ms"
            print(f"| {name} | {lessons} | {' | '.join(parts)} | {both} |", flush=True)


if __name__ == "__main__":
    main()
