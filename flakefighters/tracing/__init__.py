"""What each execution touched of what changed.

The caller describes the changes as a :class:`Watch`, starts a :class:`TraceSession` before
conftest and test modules are imported, and asks it after each failing phase for a
:class:`Touched`.  Nothing here knows where the changes come from or what they mean.
"""

from __future__ import annotations

from flakefighters.tracing.session import TraceSession
from flakefighters.tracing.watch import FileWatch, Touched, UnitSpan, Watch

__all__ = ["FileWatch", "Touched", "TraceSession", "UnitSpan", "Watch"]
