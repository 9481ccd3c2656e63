"""The rows of the table: what is run in which state, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.overhead.branches import EDIT, STEPS

__all__ = ["ROWS", "Row"]

SMALL, WHOLE = "small", "whole"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured situation."""

    slug: str
    title: str
    #: The branch that is measured.
    state: str = "last"
    #: Where flakefighters recorded runs before: branch, and which tests (SMALL, WHOLE).
    recorded: tuple[tuple[str, str], ...] = (("base", WHOLE),)
    #: Which tests are run: SMALL is one file of a project.
    tests: str = WHOLE
    arguments: tuple[str, ...] = ()
    #: Exit codes with which the row has worked.
    codes: tuple[int, ...] = (0,)
    #: Run for each project that is named; else for a generated one.
    per_project: bool = False
    #: At most so many times bare pytest's CPU, on 3.12 and newer and on 3.11.
    ratio: tuple[float, float] | None = None
    #: At most so many seconds of CPU more.
    seconds: float | None = None
    #: At most so many times bare pytest's peak memory.
    memory: float | None = None
    #: Runs for each round: short ones are cheap, and noisy.
    repeat: int = 1


_EDITED = ((1.25, 1.25), 0.15)
_SUITE = (1.08, 1.15)

ROWS = {
    row.slug: row
    for row in (
        Row(
            "file-edit",
            "one small test file after an edit elsewhere",
            state=EDIT,
            tests=SMALL,
            per_project=True,
            ratio=_EDITED[0],
            seconds=_EDITED[1],
            repeat=2,
        ),
        Row(
            "file-clean",
            "one small test file, clean tree, three commits in the history",
            state=STEPS[-1],
            recorded=((STEPS[0], WHOLE), *((step, SMALL) for step in STEPS[1:])),
            tests=SMALL,
            per_project=True,
            ratio=_EDITED[0],
            seconds=_EDITED[1],
            repeat=2,
        ),
        Row("suite-edit", "whole suite after an edit", state=EDIT, per_project=True, ratio=_SUITE),
        Row("suite-commit", "whole suite after one commit", per_project=True, ratio=_SUITE),
        Row(
            "suite-fifty",
            "whole suite after fifty commits",
            state="fifty",
            per_project=True,
            ratio=_SUITE,
        ),
        Row("one-failing", "one failing test", codes=(1,), seconds=0.5, repeat=3),
        Row("twenty-failing", "twenty failing in 100,000 lines", codes=(1,), seconds=2.0),
        Row("8000-failing", "8,000 failing tests", codes=(1,), ratio=(1.3, 1.3)),
        Row(
            "large-module",
            "a changed module of 20,000 lines, all pass",
            seconds=0.2,
            repeat=2,
        ),
        Row("20000-tests", "20,000 tests that run ten functions each, after a change", memory=1.2),
        Row("2000-tests", "2,000 trivial tests", ratio=(1.3, 1.3)),
        Row(
            "collect-empty",
            "empty --collect-only",
            recorded=(),
            arguments=("--collect-only",),
            codes=(5,),
            ratio=(1.1, 1.1),
            repeat=3,
        ),
        Row("one-test", "one trivial test", seconds=0.15, repeat=3),
    )
}
