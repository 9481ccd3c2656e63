"""Tells flaky test failures from genuine ones inside pytest, and remembers every run.

The names here are for flakefighters of other packages; see docs/flakefighters.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flakefighters.model import (
        Case,
        Confidence,
        Coverage,
        Experience,
        Label,
        Lesson,
        Need,
        Outcome,
        Past,
        Verdict,
    )

__all__ = [
    "Case",
    "Confidence",
    "Coverage",
    "Experience",
    "Label",
    "Lesson",
    "Need",
    "Outcome",
    "Past",
    "Verdict",
    "__version__",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from flakefighters import model  # most who import this package need none of them

    return getattr(model, name)
