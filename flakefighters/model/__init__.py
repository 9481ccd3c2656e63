"""The nouns of flakefighters, as frozen data.

This package imports nothing of ours beyond itself.  Everything here is plain data: it can be built
in a test, sent between rooms, and written to a journal.  Times are microseconds since the epoch in
UTC, durations microseconds, paths POSIX and relative to the *base* (git's top level, else the
anchor), ids as :mod:`flakefighters.ids` makes them.
"""

from __future__ import annotations

from flakefighters.model.changes import (
    Change,
    ChangeKind,
    Changes,
    Effect,
    Imported,
    Kept,
    Reach,
    Touch,
    Unit,
)
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
from flakefighters.model.targets import Secret, Target
from flakefighters.model.trust import Came, Use, as_read, believed, doubt
from flakefighters.model.verdicts import (
    JOINT,
    Baseline,
    Case,
    Confidence,
    Flakefighter,
    Label,
    Need,
    Past,
    Recheck,
    Revision,
    Verdict,
)

__all__ = [
    "JOINT",
    "Baseline",
    "Came",
    "Case",
    "Change",
    "ChangeKind",
    "Changes",
    "Completeness",
    "Confidence",
    "Effect",
    "Environment",
    "Execution",
    "Failure",
    "Flakefighter",
    "Imported",
    "Kept",
    "Label",
    "Need",
    "Outcome",
    "Past",
    "Phase",
    "Project",
    "Reach",
    "Recheck",
    "Revision",
    "Run",
    "RunHead",
    "Secret",
    "State",
    "Target",
    "Touch",
    "Trust",
    "Unit",
    "Use",
    "Verdict",
    "as_read",
    "believed",
    "doubt",
]
