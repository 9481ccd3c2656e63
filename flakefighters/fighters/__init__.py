"""From evidence to verdict: one file per strategy, and the rule that joins them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flakefighters.model import Flakefighter, Need

__all__ = ["builtin", "chosen", "needed"]


def builtin() -> tuple[Flakefighter, ...]:
    """All flakefighters that come with the package, in order of proof (docs/verdicts.md)."""
    # Only where something failed.
    from flakefighters.fighters.changed_imports import ChangedImports
    from flakefighters.fighters.coverage_independence import CoverageIndependence
    from flakefighters.fighters.persistent import Broken, Persistent
    from flakefighters.fighters.same_state import Rerun, SameState
    from flakefighters.fighters.systemic import Systemic
    from flakefighters.fighters.touched_change import TouchedChange

    return (
        Rerun(),
        Systemic(),
        Broken(),
        SameState(),
        Persistent(),
        TouchedChange(),
        ChangedImports(),
        CoverageIndependence(),
    )


def chosen(names: Sequence[str] | None) -> list[Flakefighter]:
    """The flakefighters with these names; None: those that need not be asked for."""
    if names is None:
        return [one for one in builtin() if getattr(one, "default", True)]
    return [one for one in builtin() if one.name in names]


def needed(need: Need, names: Sequence[str] | None) -> bool:
    """Whether a flakefighter that is to be asked wants this to be collected while tests run.

    None of those that need not be asked for does, and none is loaded to find out.
    """
    return names is not None and any(need in one.needs for one in chosen(names))
