"""The genuine half: bugs are committed, and every failure that they bring is genuine."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.verdicts.histories import Past, World, kinds_for, ways, ways_of
from tests.benchmarks.verdicts.mutants import (
    Mutant,
    choose,
    compiles,
    mutants_of,
    unrelated_edit,
)
from tests.benchmarks.verdicts.suite import Outcome, Suite, git, trials_of

__all__ = ["failures", "genuine_half", "is_test"]

#: Of ten mutants, how many lie in tests and conftest files.
_TESTS_SHARE = 0.15
#: Each of many failures is judged, which takes longer than to pass.
_LEAST_SECONDS = 150
#: So many tests of a project are flaky in a history.
_SHAKY = 24
#: How often other commits stand on top of the bug.
_BURIED_SHARE = 0.4
_TESTS = ("test", "conftest")


def genuine_half(
    suite: Suite,
    commit: str,
    mutants: int,
    seed: int,
    done: Callable[[str], bool],
    *,
    past: Past | None = None,
    confirm: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield a record for each mutant that is not yet ``done`` (asked by its key).

    With a ``past`` tests have failed by chance before, some as they do because of the mutant.
    """
    base = suite.resolve(commit)
    more = "" if past is None else f" {past.runs} {past.place}"
    keys = [f"genuine {base[:10]} {seed}.{number}{more}" for number in range(mutants)]
    if all(map(done, keys)):
        return
    suite.check_out(base)
    measured = suite.contexts()
    suite.check_out(base)
    recorded, again, kept = suite.run(ours=True), None, None
    if recorded is not None:
        kept = suite.keep_history()
        suite.limit = max(_LEAST_SECONDS, 6 * recorded.seconds)
        again = suite.run(ours=True)
    if measured is None or recorded is None or again is None or kept is None:
        raise SystemExit(f"{suite.name}: the suite does not come to an end at {commit}")
    stable = recorded.passed() & again.passed()
    known = recorded.failed() | again.failed()
    print(
        f"{suite.name} {base[:7]}: {len(stable)} tests pass, {len(known)} do not,"
        f" {recorded.seconds:.0f} s",
        file=sys.stderr,
    )
    covered = {path: set(lines) for path, lines in measured[1].items()}
    found = _all_mutants(suite.place, covered)
    chance = random.Random(seed)

    def fits(mutant: Mutant) -> bool:
        return compiles(mutant.path, mutant.apply(suite.source_of(base, mutant.path) or ""))

    planned = []
    for key, mutant in zip(keys, choose(found, chance, _TESTS_SHARE, fits), strict=False):
        top = chance.randint(1, 5) if chance.random() < _BURIED_SHARE else 0
        if not done(key):
            planned.append((key, mutant, top))
    size = past.worlds if past is not None else len(planned) or 1
    start = base, kept
    for at in range(0, len(planned), size):
        some = planned[at : at + size]
        if past is not None:
            start = _before(suite, base, past, some, stable)
        for key, mutant, top in some:
            others = [path for path in covered if path != mutant.path]
            outcomes: dict[str, Outcome | None] = {}
            for way, arguments in ways(past, confirm=confirm).items():
                suite.check_out(start[0])
                suite.put_history(start[1])
                diff = _plant(suite, mutant, top, others, random.Random(key))
                outcomes[way] = suite.run(ours=True, more=arguments)
            ended = {way: one for way, one in outcomes.items() if one is not None}
            yield {
                "key": key,
                "half": "genuine",
                "commit": base,
                "tests": len(stable),
                "operator": mutant.operator,
                "path": mutant.path,
                "line": mutant.start[0],
                "diff": diff,
                "on_top": top,
                "failures": failures(ended, stable, known) if len(ended) == len(outcomes) else None,
            }
    suite.check_out(base)


def _before(
    suite: Suite,
    base: str,
    past: Past,
    planned: Sequence[tuple[str, Mutant, int]],
    stable: set[str],
) -> tuple[str, Path]:
    """A commit on top of the base, and a history in which tests failed as by these mutants."""
    commits = [base]
    suite.check_out(base)
    for number in range(1, past.states):
        path = suite.place / "EARLIER.md"
        path.write_text(f"Note {number}.\n", "utf-8")
        git(suite.place, "add", path.name)
        suite.commit(f"Add note {number}")
        commits.append(git(suite.place, "rev-parse", "HEAD").strip())

    def world(mutant: Mutant) -> World:
        def texts() -> dict[str, str]:
            target = suite.place / mutant.path
            return {str(target): mutant.apply(target.read_bytes().decode())}

        return texts

    chance = random.Random(planned[0][0])
    chosen = chance.sample(sorted(stable), min(_SHAKY, len(stable) // 3))
    worlds = [world(mutant) for _, mutant, _ in planned if not is_test(mutant.path)]
    kept = past.play(suite, commits, kinds_for(chosen, chance), chance, worlds)
    if kept is None:
        raise SystemExit(f"{suite.name}: no run of the history came to an end")
    return commits[-1], kept


def is_test(path: str) -> bool:
    """Whether this is a file of the tests."""
    return Path(path).name.startswith(_TESTS) or "tests/" in path


def _all_mutants(folder: Path, covered: dict[str, set[int]]) -> dict[str, list[Mutant]]:
    found: dict[str, list[Mutant]] = {"code": [], "tests": []}
    for path in sorted(covered):
        where = "tests" if is_test(path) else "code"
        source = (folder / path).read_bytes()
        try:
            found[where].extend(mutants_of(path, source.decode(), covered[path]))
        except (SyntaxError, UnicodeDecodeError):
            continue
    return found


def _plant(
    suite: Suite, mutant: Mutant, top: int, others: list[str], chance: random.Random
) -> list[str]:
    """Commit the bug, and others' work on top; the lines of the bug's diff."""
    target = suite.place / mutant.path
    target.write_bytes(mutant.apply(target.read_bytes().decode()).encode())
    diff = git(suite.place, "diff", "-U0", "--no-color").splitlines()
    suite.commit(f"Simplify {Path(mutant.path).stem}")
    for number in range(top):
        kind = chance.choice(["docs", "comment", "function"])
        if kind == "docs" or not others:
            path = suite.place / next(
                (one.name for one in sorted(suite.place.glob("README*"))), "NOTES.md"
            )
            with path.open("a", encoding="utf-8") as file:
                file.write(f"\nNote {number}.\n")
            git(suite.place, "add", path.name)
        else:
            path = suite.place / chance.choice(others)
            text = path.read_bytes().decode()
            path.write_bytes(unrelated_edit(text, number, kind).encode())
        suite.commit(f"Add a {kind}")
    return [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")][:12]


def failures(
    outcomes: Mapping[str, Outcome], stable: set[str], known: set[str]
) -> list[dict[str, Any]]:
    """What failed because of the bug: whatever did not fail before it."""
    result = []
    outcome = outcomes[""]
    others = {way: one for way, one in outcomes.items() if way}
    for nodeid in sorted(outcome.failed() - known):
        if nodeid not in stable and outcome.outcomes[nodeid] != "collection":
            continue  # skipped before
        verdict = outcome.label(nodeid)
        record = {
            "nodeid": nodeid,
            "how": outcome.outcomes[nodeid],
            "label": verdict["label"],
            "confidence": verdict["confidence"],
            "by": verdict["evidence"].get("by"),
            "reason": verdict["reason"],
            **trials_of(verdict),
            "said": outcome.said.get(nodeid, {}),
            **ways_of(others, nodeid),
        }
        if verdict["label"] != "genuine":
            record["error"] = outcome.errors.get(nodeid, "")
            record["evidence"] = verdict["evidence"]
        result.append(record)
    return result
