"""Rows made ready to run, and run: every tool in turn, in the same state."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.overhead.branches import remove, show
from tests.benchmarks.overhead.environments import Place
from tests.benchmarks.overhead.generated import make
from tests.benchmarks.overhead.measuring import Sample, clean_environment, measure
from tests.benchmarks.overhead.projects import Project
from tests.benchmarks.overhead.rows import SMALL, WHOLE, Row
from tests.benchmarks.overhead.tools import OURS

__all__ = ["Case", "Result", "generated_case", "project_case", "run_case", "stored_bytes"]


@dataclass(frozen=True, slots=True)
class Case:
    """A row in a folder where pytest is started."""

    row: Row
    name: str
    folder: Path
    python_path: str = ""
    #: The tests of the row's small file.
    small: str = ""

    @property
    def home(self) -> Path:
        """The home folder of its runs."""
        return self.folder.parent / "home"

    @property
    def kept(self) -> Path:
        """Where ours keeps what it had recorded before each run."""
        return self.folder.parent / f"{self.folder.name}.recorded"


@dataclass(slots=True)
class Result:
    """The samples of one case, by tool."""

    case: str
    row: Row
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    #: Why a tool has no (fair) figure.
    troubles: dict[str, str] = field(default_factory=dict)


def project_case(row: Row, project: Project) -> Case:
    """A row for a project that was named."""
    files = project.changed.get(row.state, 0)
    told = f", {files} files" if row.state in ("last", "fifty") else ""
    name = f"{project.name}: {row.title}{told}"
    return Case(row, name, project.folder, project.python_path, project.small)


def generated_case(row: Row, folder: Path) -> Case:
    """A row whose project is made here."""
    place = folder / row.slug
    make(row.slug, place)
    return Case(row, row.title, place)


def run_case(case: Case, places: Sequence[Place], rounds: int) -> Result:
    """Run every tool ``rounds`` times, interleaved, after one run each that is not counted."""
    result = Result(case.name, case.row)
    for place in places:
        if place.tool.name == OURS.name and not _record(place, case):
            result.troubles[place.tool.name] = "no history could be recorded"
    show(case.folder, case.row.state)
    alive = []
    for place in places:
        sample = _once(place, case)  # compiles what has to be compiled
        if _worked(sample, case):
            alive.append(place)
        else:
            result.troubles[place.tool.name] = f"exit code {sample.code}"
            print(f"    {place.tool.name}: exit {sample.code}\n{sample.tail}", file=sys.stderr)
    for number in range(rounds * case.row.repeat):
        # Turn the order round each time, so that nobody always runs after the same neighbour.
        for place in alive if number % 2 == 0 else reversed(alive):
            result.samples.setdefault(place.tool.name, []).append(_once(place, case))
    show(case.folder, "base")
    _compare(result)
    return result


def _start(place: Place, case: Case, tests: str) -> Sample:
    path = {"PYTHONPATH": case.python_path} if case.python_path else {}
    chosen = [case.small] if tests == SMALL else []
    arguments = [*case.row.arguments, *place.tool.arguments, *chosen]
    return measure(
        [str(place.python), "-m", "pytest", *arguments],
        case.folder,
        clean_environment(case.home, **path),
    )


def _record(place: Place, case: Case) -> bool:
    """Let ours run in the states of the row's history, and keep what it leaves."""
    remove(case.folder, OURS.leaves)
    shutil.rmtree(case.kept, ignore_errors=True)
    case.kept.mkdir(parents=True)
    sample = None
    for branch, tests in case.row.recorded:
        show(case.folder, branch)
        sample = _start(place, case, tests)
    for pattern in OURS.leaves:
        for path in case.folder.glob(pattern):
            path.rename(case.kept / path.name)
    if case.row.recorded and not (case.kept / str(OURS.database)).exists():
        print(f"    nothing was recorded:\n{sample.tail if sample else ''}", file=sys.stderr)
        return False
    return True


def _once(place: Place, case: Case) -> Sample:
    """One run, with what the tool had before it, and nothing that it left."""
    remove(case.folder, (*place.tool.leaves, ".hypothesis"))
    if place.tool.name == OURS.name:
        shutil.copytree(case.kept, case.folder, dirs_exist_ok=True)
    sample = _start(place, case, case.row.tests)
    remove(case.folder, place.tool.leaves)
    return sample


def _worked(sample: Sample, case: Case) -> bool:
    # A suite with failing tests is still a suite; pytest's own trouble is not.
    return sample.code in case.row.codes or (
        sample.code == 1 and bool(sample.counts.get("passed")) and case.row.per_project
    )


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


def stored_bytes(place: Place, case: Case, runs: int) -> float | None:
    """Bytes per passing test and run that a history grows by, None if it stores nothing."""
    if place.tool.database is None:
        return None
    remove(case.folder, place.tool.leaves)
    sizes, tests = [], 0
    for _ in range(runs + 1):
        tests = _start(place, case, WHOLE).counts.get("passed", 0)
        sizes.append(
            sum(path.stat().st_size for path in case.folder.glob(place.tool.database + "*"))
        )
    remove(case.folder, place.tool.leaves)
    # The first run also stores what is said once: names, the schema.
    return (sizes[-1] - sizes[0]) / (runs * tests) if sizes[0] and tests else None
