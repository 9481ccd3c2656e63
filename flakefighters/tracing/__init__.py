"""What each execution ran, opened and started, whatever changed.

The caller starts a ``session.TraceSession`` before conftest and test modules are imported, and
asks it for plain data at each failing phase; a :class:`Reader` on the controller makes a
:class:`~flakefighters.model.trace.Trace` of it.  Nothing here knows what changed in which file.
"""

from __future__ import annotations

from flakefighters.model.trace import Code, Process, Trace, Watch
from flakefighters.tracing.wire import Reader, read_all

__all__ = [
    "Code",
    "Process",
    "Reader",
    "Trace",
    "Watch",
    "read_all",
]
