"""Where a history lives, and the secret that opens it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flakefighters.model.facts import Trust
from flakefighters.records import NamedTuple

__all__ = ["Secret", "Target"]


class Secret:
    """A string that does not show itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value

    def reveal(self) -> str:
        """The text itself; call it only where it is handed to the database."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not copied out of the process")


class Target(NamedTuple):
    """A resolved way to one history."""

    #: "sqlite" or "postgresql".
    backend: str
    #: The file, for SQLite.
    path: Path | None = None
    host: str | None = None
    port: int | None = None
    user: str | None = None
    database: str | None = None
    password: Secret | None = None
    schema: str = "flakefighters"
    sslmode: str | None = None
    sslrootcert: str | None = None
    #: libpq's authentication methods that may be used.
    require_auth: str | None = None
    #: Seconds.
    connect_timeout: int = 10
    read_only: bool = False
    #: Further connection parameters, to be handed over as they are: those of the URL that the
    #: allow-list knows, and, without ``libpq_defaults``, those that silence libpq's environment.
    query: Mapping[str, str] = MappingProxyType({})
    #: May libpq fill in what is missing from PG* variables, .pgpass and service files?  False for
    #: URLs that the project chose: then a missing password is handed over as "", not left out.
    libpq_defaults: bool = False
    #: The profile's name, None for a URL given on the command line.
    profile: str | None = None
    #: How far the user's own configuration trusts what is only read there; None: it does not say.
    trust: Trust | None = None
    #: As shown to people: never a password.  SQLite paths are shortened to the anchor.
    display: str = ""
