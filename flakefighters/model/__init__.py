"""The nouns of flakefighters, as frozen data.

This package imports nothing of ours beyond itself.  Everything here is plain data: it can be built
in a test, sent between rooms, and written to a journal.  Times are microseconds since the epoch in
UTC, durations microseconds, paths POSIX and relative to the *base* (git's top level, else the
anchor), ids as :mod:`flakefighters.ids` makes them.

Each file is loaded when a name of it is first asked for: making a dataclass costs half a
millisecond, and a run in which nothing fails needs few of them.
"""

# What type checkers see is what ``_NAMES`` finds.
# mypy: implicit-reexport
# ruff: noqa: F401

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flakefighters.model.cases import (
        Baseline,
        Case,
        Flakefighter,
        Level,
        Need,
        Past,
        Recheck,
        Revision,
    )
    from flakefighters.model.changes import (
        EVERYONE,
        Change,
        ChangeKind,
        Changes,
        Doubt,
        DoubtKind,
        Effect,
        How,
        Link,
        Name,
        Reach,
        Scope,
        Touching,
        Unit,
        Via,
        setting,
    )
    from flakefighters.model.experience import Coverage, Experience, Lesson, Met, Pass
    from flakefighters.model.facts import (
        Completeness,
        Environment,
        Execution,
        Failure,
        Outcome,
        Phase,
        Project,
        Run,
        RunHead,
        State,
        Trust,
    )
    from flakefighters.model.targets import (
        Secret,
        Target,
    )
    from flakefighters.model.trace import (
        Code,
        Process,
        Trace,
        Watch,
    )
    from flakefighters.model.trials import Arm, Bisection, Result, Step, Trial
    from flakefighters.model.trust import Came, Use, as_read, believed, doubt
    from flakefighters.model.verdicts import JOINT, OPEN, Confidence, Label, Verdict, standing

#: File to the names that it has.
_NAMES: Final = {
    "cases": """
        Baseline Case Flakefighter Level Need Past Recheck Revision
    """,
    "changes": """
        EVERYONE Change ChangeKind Changes Doubt DoubtKind Effect How Link Name
        Reach Scope Touching Unit Via setting
    """,
    "experience": """
        Coverage Experience Lesson Met Pass
    """,
    "facts": """
        Completeness Environment Execution Failure Outcome Phase Project Run RunHead
        State Trust
    """,
    "targets": """
        Secret Target
    """,
    "trace": """
        Code Process Trace Watch
    """,
    "trials": """
        Arm Bisection Result Step Trial
    """,
    "trust": """
        Came Use as_read believed doubt
    """,
    "verdicts": """
        JOINT OPEN Confidence Label Verdict standing
    """,
}
_FILES: Final = {name: file for file, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
    globals()[name] = value
    return value
