"""From evidence to verdict: one file per strategy, and the rule that joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flakefighters.model import Flakefighter

__all__ = ["builtin", "classes"]


def builtin() -> tuple[Flakefighter, ...]:
    """All flakefighters that come with the package, with their default settings."""
    return tuple(make() for make in classes())


def classes() -> tuple[type[Any], ...]:
    """Their classes, in order of proof (docs/verdicts.md)."""
    # Only where something failed.
    from flakefighters.fighters.changed_imports import ChangedImports
    from flakefighters.fighters.coverage_independence import CoverageIndependence
    from flakefighters.fighters.flip_rate import FlipRate
    from flakefighters.fighters.marked import Marked
    from flakefighters.fighters.persistent import Broken, Persistent
    from flakefighters.fighters.same_state import Rerun, SameState
    from flakefighters.fighters.similarity import Similarity
    from flakefighters.fighters.systemic import Systemic
    from flakefighters.fighters.touched_change import TouchedChange
    from flakefighters.fighters.traceback_match import TracebackMatch

    return (
        Rerun,
        Systemic,
        Broken,
        SameState,
        Persistent,
        TouchedChange,
        ChangedImports,
        Marked,
        TracebackMatch,
        Similarity,
        FlipRate,
        CoverageIndependence,
    )
