"""What the store needs of a database; ``sqlite.py`` and ``postgres.py`` provide it.

Statements are written once for both.  ``{s}`` stands before the name of a table, ``:name`` for a
parameter, and ``{hash:name}``, ``{number:name}`` or ``{text:name}`` after IN for the members of
the list whose JSON text is in that parameter: a list is one parameter, however long it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from flakefighters.model import Trust

__all__ = ["TRUST_RANKS", "Database", "Row", "Writer", "render"]

#: How trust is stored.
TRUST_RANKS: Final = {Trust.PROTECTED: 0, Trust.PR: 1, Trust.LOCAL: 2, Trust.UNTRUSTED: 3}

Row = tuple[Any, ...]

_LIST: Final = re.compile(r"\{(hash|number|text):(\w+)\}")


def render(sql: str, prefix: str, members: Callable[[str, str], str]) -> str:
    """A statement in the words of one database; ``members`` gets the kind and the parameter."""
    return _LIST.sub(lambda match: members(match[1], match[2]), sql.replace("{s}", prefix))


class Writer(Protocol):
    """A write transaction that is under way."""

    #: What the question answered that was asked when the transaction began.
    answer: list[Row]

    def query(self, sql: str, **params: object) -> list[Row]:
        """Ask within the transaction."""
        ...

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Insert the rows whose key is not there yet; may wait until the end to do so.

        Rows must be in order of their key, tables in order of the schema: then no two writers
        can wait for each other.
        """
        ...

    def change(self, sql: str, **params: object) -> None:
        """Update or delete, in a transaction that is :meth:`~Database.alone`.

        May wait until the end to do so, in order with what is inserted.
        """
        ...


class Database(Protocol):
    """An open database that holds a history."""

    read_only: bool
    #: What runs are worth that are recorded through it, by whom we are there.
    trust: Trust
    #: Whether there are roles here whose runs are believed more than others.
    gives_trust: bool

    @property
    def meta(self) -> Mapping[str, str]:
        """The rows of ``meta`` as they were when it was opened."""
        ...

    def query(self, sql: str, **params: object) -> list[Row]:
        """Ask outside of a transaction."""
        ...

    def writing(self, sql: str, **params: object) -> AbstractContextManager[Writer]:
        """Begin a write transaction and ask a first question in it.

        Committed at the end of the block, rolled back if an exception leaves it.
        """
        ...

    def alone(self) -> AbstractContextManager[Writer]:
        """Begin a transaction that no other writer is beside.

        DatabaseError if the others do not let go of the lock for long, or we lack the right.
        """
        ...

    def indexed(self, table: str, column: str) -> AbstractContextManager[None]:
        """Find the rows of ``table`` by ``column`` quickly while what they refer to is removed."""
        ...

    def need_owner(self, what: str) -> None:
        """DatabaseError unless we may do ``what`` ("prune"): on a server only the owner may."""
        ...

    def curator(self) -> tuple[bool, str]:
        """Whether we may add decisions, and who we are there."""
        ...

    def close(self) -> None:
        """Let go of the database.  Can be called twice."""
        ...
