"""The connection over which ``check`` asks; needs SQLAlchemy and psycopg2."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flakefighters.checks.results import Budget
from flakefighters.errors import DatabaseError
from flakefighters.history.postgres_login import Line
from flakefighters.model import Target

__all__ = ["ServerLine"]


class ServerLine(Line):
    """An open connection, within what is left of a budget."""

    def __init__(self, target: Target, budget: Budget):
        super().__init__(target)
        self._budget = budget
        self._connect()

    def _seconds_left(self, seconds: float) -> float:
        return self._budget.left(seconds)

    def ask(self, sql: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Rows of the last statement.  DatabaseError in plain words."""
        return self._send(sql, params)

    def process(self, *, transaction: bool = True) -> tuple[int, int]:
        """Of the server process: the id told at login, and that of the one that answers now.

        DatabaseError if there is no answer, or no transaction.
        """
        begin = "BEGIN; " if transaction else ""
        try:
            ((now,),) = self.ask(f"{begin}SELECT pg_backend_pid()")
        finally:
            if transaction:
                with suppress(DatabaseError):  # it is the first error that counts
                    self.ask("ROLLBACK")
        return int(self._live.info.backend_pid), int(now)

    @property
    def version(self) -> int:
        """160004 for 16.4."""
        return int(self._live.info.server_version)

    @property
    def encoding(self) -> str | None:
        """The database's, None if a pooler hides it."""
        found = self._live.info.parameter_status("server_encoding")
        return None if found is None else str(found)
