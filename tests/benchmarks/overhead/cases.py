"""What is run and measured: suites, and the small cases that show single costs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.overhead.environments import Place
from tests.benchmarks.overhead.measuring import Sample, clean_environment, measure
from tests.benchmarks.overhead.suites import Checkout, commit_all, remove
from tests.benchmarks.overhead.tools import OURS

__all__ = ["Case", "Result", "micro_cases", "run_case", "stored_bytes", "suite_case"]

TESTS_PER_FILE = 100
FILES = 20


@dataclass(slots=True)
class Case:
    """A folder in which pytest is started."""

    name: str
    folder: Path
    arguments: tuple[str, ...] = ()
    python_path: str = ""
    #: Exit codes with which the case has worked.
    codes: tuple[int, ...] = (0,)
    #: Called once for each tool; leaves the folder as it shall be measured.
    begin: Callable[[Place, Case], None] | None = None
    #: Put back before each run of ours: what the history holds when the run starts.
    baseline: Path | None = None


@dataclass(slots=True)
class Result:
    """The samples of one case, by tool."""

    case: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    #: Why a tool has no (fair) figure.
    troubles: dict[str, str] = field(default_factory=dict)


def _start(place: Place, case: Case, *, further: Sequence[str] = ()) -> Sample:
    path = {"PYTHONPATH": case.python_path} if case.python_path else {}
    return measure(
        [str(place.python), "-m", "pytest", *case.arguments, *place.tool.arguments, *further],
        case.folder,
        clean_environment(case.folder.parent / "home", **path),
    )


def _restore(place: Place, case: Case) -> None:
    remove(case.folder, (*place.tool.leaves, ".hypothesis"))
    if place.tool.name == OURS.name and case.baseline is not None:
        shutil.copy2(case.baseline, case.folder / str(OURS.database))


def run_case(case: Case, places: Sequence[Place], rounds: int) -> Result:
    """Run every tool ``rounds`` times, interleaved, after one run each that is not counted."""
    result = Result(case.name)
    alive = []
    if case.begin is not None:
        for place in places:
            case.begin(place, case)
    for place in places:
        _restore(place, case)
        sample = _start(place, case)  # compiles what has to be compiled
        unrecorded = (
            place.tool.name == OURS.name and case.begin is not None and case.baseline is None
        )
        if _worked(sample, case):
            alive.append(place)
        if unrecorded:
            result.troubles["ours"] = "no history could be recorded"
        elif not _worked(sample, case):
            result.troubles[place.tool.name] = f"exit code {sample.code}"
            print(f"    {place.tool.name}: exit {sample.code}\n{sample.tail}", file=sys.stderr)
        remove(case.folder, place.tool.leaves)
    for number in range(rounds):
        # Turn the order round each time, so that nobody always runs after the same neighbour.
        for place in alive if number % 2 == 0 else reversed(alive):
            _restore(place, case)
            result.samples.setdefault(place.tool.name, []).append(_start(place, case))
            remove(case.folder, place.tool.leaves)
    _compare(result)
    return result


def _worked(sample: Sample, case: Case) -> bool:
    # A suite with failing tests is still a suite; pytest's own trouble is not.
    return sample.code in case.codes or (sample.code == 1 and bool(sample.counts.get("passed")))


def _compare(result: Result) -> None:
    bare = result.samples.get("bare")
    if not bare:
        return
    for name, samples in result.samples.items():
        if samples[-1].counts != bare[-1].counts or samples[-1].code != bare[-1].code:
            result.troubles.setdefault(
                name,
                f"other outcomes than bare: {_told(samples[-1])} instead of {_told(bare[-1])}",
            )


def _told(sample: Sample) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in sample.counts.items())
    return f"{counts or 'nothing'} (exit {sample.code})"


def suite_case(checkout: Checkout, size: str) -> Case:
    """A suite whose state differs by ``size`` from the one in which ours recorded its baseline."""

    def begin(place: Place, case: Case) -> None:
        if place.tool.name == OURS.name:
            checkout.switch("base")
            _record(place, case)
        checkout.switch(size)

    return Case(
        name=f"{checkout.suite.name} ({size})",
        folder=checkout.folder,
        arguments=checkout.suite.arguments,
        python_path=checkout.python_path,
        begin=begin,
    )


def micro_cases(folder: Path) -> dict[str, Case]:
    """An empty project, a project with one test, and one with 2,000."""
    cases = {
        "empty": Case("empty --collect-only", folder / "empty", ("--collect-only",), codes=(5,)),
        "one": Case("one trivial test", folder / "one"),
        "many": Case(f"{FILES * TESTS_PER_FILE:,} trivial tests", folder / "many"),
    }
    for name, (files, tests) in {
        "empty": (0, 0),
        "one": (1, 1),
        "many": (FILES, TESTS_PER_FILE),
    }.items():
        place = folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "pytest.ini").write_text("[pytest]\n")
        for file in range(files):
            code = [f"def test_{test}():\n    assert {test} >= 0\n" for test in range(tests)]
            (place / f"test_{file}.py").write_text("\n\n".join(code))
        commit_all(place, "Tests")
        (place / "README").write_text("The peer compares with the commit before.\n")
        commit_all(place, "A second commit")
        if tests:
            cases[name].begin = _record
    return cases


def _record(place: Place, case: Case) -> None:
    """Ours knows the project from one run before, as it does every day but the first."""
    if place.tool.name == OURS.name:
        remove(case.folder, OURS.leaves)
        sample = _start(place, case)
        made, kept = case.folder / str(OURS.database), case.folder.parent / f"{case.folder.name}.db"
        if made.exists():
            shutil.copy2(made, kept)
            case.baseline = kept
        else:
            print(f"    nothing was recorded:\n{sample.tail}", file=sys.stderr)


def stored_bytes(place: Place, case: Case, runs: int) -> float | None:
    """Bytes per passing test and run that a history grows by, None if it stores nothing."""
    if place.tool.database is None:
        return None
    remove(case.folder, place.tool.leaves)
    sizes = []
    for _ in range(runs + 1):
        _start(place, case)
        sizes.append(
            sum(path.stat().st_size for path in case.folder.glob(place.tool.database + "*"))
        )
    remove(case.folder, place.tool.leaves)
    # The first run also stores what is said once: names, the schema.
    return (sizes[-1] - sizes[0]) / (runs * FILES * TESTS_PER_FILE) if sizes[0] else None
