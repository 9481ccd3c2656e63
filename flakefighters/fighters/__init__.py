"""From evidence to verdict: one file per strategy, and the rule that joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flakefighters.model import Flakefighter

__all__ = ["builtin"]


def builtin() -> tuple[Flakefighter, ...]:
    """All flakefighters that come with the package, in order of proof (docs/verdicts.md)."""
    # Only where something failed.
    from flakefighters.fighters.changed_imports import ChangedImports
    from flakefighters.fighters.persistent import Broken, Persistent
    from flakefighters.fighters.same_state import Rerun, SameState
    from flakefighters.fighters.similarity import Similarity
    from flakefighters.fighters.systemic import Systemic
    from flakefighters.fighters.touched_change import TouchedChange
    from flakefighters.fighters.traceback_match import TracebackMatch

    return (
        Rerun(),
        Systemic(),
        Broken(),
        SameState(),
        Persistent(),
        TouchedChange(),
        ChangedImports(),
        TracebackMatch(),
        Similarity(),
    )
