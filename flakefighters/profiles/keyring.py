"""Passwords in the operating system's keyring, bound to user@host:port/database.

Every call runs in a child process with a deadline: keyrings prompt, hang, and load half of a
desktop.  The password travels over a pipe, never in arguments or variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flakefighters.model import Secret, Target

__all__ = ["Answer", "forget", "lookup", "store"]


class Answer(NamedTuple):
    """What the keyring said: perhaps a password, and one line of trouble if there was any."""

    secret: Secret | None
    note: str | None


def lookup(
    target: Target, *, environ: Mapping[str, str] | None = None, deadline: float = 3.0
) -> Answer:
    """Fetch the password that was stored for exactly this user, host, port and database."""
    raise NotImplementedError


def store(
    target: Target,
    secret: Secret,
    *,
    environ: Mapping[str, str] | None = None,
    deadline: float = 60.0,
) -> None:
    """Store a password and read it back.  Raises ConfigError with a remedy."""
    raise NotImplementedError


def forget(
    target: Target, *, environ: Mapping[str, str] | None = None, deadline: float = 60.0
) -> bool:
    """Remove the password; False if there was none.  Raises ConfigError with a remedy."""
    raise NotImplementedError
