"""The one tree of errors that flakefighters raises on purpose.

Every error has a *slug*: the anchor of its section in ``docs/messages.md``.
A message says what is wrong, where it was set, and what to do.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ConfigError",
    "ConflictError",
    "DatabaseError",
    "FlakefightersError",
    "ForeignDatabaseError",
    "NotFoundError",
    "SchemaTooNewError",
    "UnreachableError",
    "set_in",
]


def set_in(origin: str) -> str:
    """Where a setting was set, in words: a file and line, a variable, an option, or nowhere."""
    return "which is built in" if origin == "built in" else f"set in {origin}"


class FlakefightersError(Exception):
    """Base of all errors that a user can cause or meet.

    ``message`` says what is wrong, ``origin`` where it was set (a file and line, a variable,
    an option) and ``remedy`` what to do.  None of them may hold a secret.
    """

    slug: ClassVar[str] = "error"
    #: What the command line exits with when this error ends a command.
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, origin: str | None = None, remedy: str | None = None):
        super().__init__(message)
        self.message = message
        self.origin = origin
        self.remedy = remedy

    def __str__(self) -> str:
        text = self.message
        if self.origin:
            text += f" ({set_in(self.origin)})"
        if self.remedy:
            text += f"; {self.remedy}"
        return text


class ConfigError(FlakefightersError):
    """A setting is malformed, unknown or contradictory."""

    slug = "config"
    exit_code = 2


class NotFoundError(FlakefightersError):
    """A thing that the user named does not exist: a run, a test."""

    slug = "not-found"
    exit_code = 1


class ConflictError(FlakefightersError):
    """Two histories hold different content under one id."""

    slug = "conflict"
    exit_code = 1


class DatabaseError(FlakefightersError):
    """The history database cannot be used."""

    slug = "database"
    exit_code = 3


class UnreachableError(DatabaseError):
    """The server did not answer, or the connection broke."""

    slug = "unreachable"


class ForeignDatabaseError(DatabaseError):
    """The file or schema is not one of ours, is damaged, or must not be trusted."""

    slug = "foreign-database"


class SchemaTooNewError(DatabaseError):
    """The history was written by a later version that this one cannot read."""

    slug = "schema-too-new"
