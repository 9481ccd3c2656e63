"""History: one database of runs, on SQLite or PostgreSQL.

``open_history`` gives a :class:`History`.  Only what a plain local run needs is imported:
SQLAlchemy and psycopg2 are loaded when a PostgreSQL history is opened.  A file that somebody else
made is read as a ``flakefighters.history.foreign.ForeignHistory``.
"""

from __future__ import annotations

from flakefighters.history.belief import Reader
from flakefighters.history.evidence import Evidence, came
from flakefighters.history.store import History, open_history

__all__ = [
    "Evidence",
    "History",
    "Reader",
    "came",
    "open_history",
]
