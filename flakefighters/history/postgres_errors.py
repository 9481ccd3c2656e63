"""PostgreSQL's complaints in plain words, each with what to do, and never with a password."""

from __future__ import annotations

import re
from typing import Final

from flakefighters.errors import DatabaseError, UnreachableError
from flakefighters.model import Target

__all__ = ["broken", "crowded", "explain_postgres", "silent", "sqlstate"]

_WAIT: Final = "try again later"

# By SQLSTATE: what it means and what to do.  {user}, {database}, {schema} are filled in.
_STATES: Final[dict[str, tuple[type[DatabaseError], str, str]]] = {
    "28P01": (DatabaseError, "wrong password for {user}", "see `flakefighters login`"),
    "28000": (
        DatabaseError,
        "{user} may not log in",
        "check the user and the server's pg_hba.conf",
    ),
    "3D000": (DatabaseError, "there is no database {database}", "check the profile's url"),
    "42501": (
        DatabaseError,
        "{user} lacks rights in schema {schema}",
        "have the owner run `flakefighters upgrade` and `flakefighters grants`",
    ),
    "25006": (DatabaseError, "the server accepts no writes", "use the primary server"),
    "53100": (DatabaseError, "the server's disk is full", "free space there, or prune the history"),
    "53300": (UnreachableError, "the server has no free connection", _WAIT),
    "55P03": (
        DatabaseError,
        "the history is locked for maintenance, or by somebody who holds its lock",
        _WAIT,
    ),
    "57014": (UnreachableError, "the server cancelled the statement", _WAIT),
    "57P01": (UnreachableError, "the server is shutting down", _WAIT),
    "57P02": (UnreachableError, "the server crashed", _WAIT),
    "57P03": (UnreachableError, "the server is starting up", _WAIT),
}

# By what the message says, where the driver gives no SQLSTATE (always while connecting).
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("password authentication failed", "28P01"),
    ("authentication failed", "28P01"),
    ("no password supplied", "nopassword"),
    ("no pg_hba.conf entry", "28000"),
    ("is not permitted to log in", "28000"),
    ("role .* does not exist", "28000"),
    ("database .* does not exist", "3D000"),
    ("no such database", "3D000"),
    # Poolers: Supavisor, pgbouncer, RDS Proxy, Odyssey, pgcat.
    ("tenant or user not found|no such (user|tenant)", "tenant"),
    (
        (
            "too many (active )?(clients|connections)|connection slots|no more connections"
            "|max client|max_client_conn|query_wait_timeout|check ?out .*timeout"
            "|timeout .*check ?out|waiting .*acquire .*connection|connection from the pool"
            "|pool_size|connection limit"
        ),
        "53300",
    ),
    ("server_login_retry|server login has been failing|cannot connect to server", "57P03"),
    ("starting up|couldn't connect to compute node", "57P03"),
    ("shutting down", "57P01"),
    ("authentication method requirement", "method"),
    ("does not support SSL", "nossl"),
    # TLS is the messenger here, not the cause.
    (
        (
            "(SSL|TLS).*(closed unexpectedly|EOF detected|unexpected eof|reset by peer"
            "|Broken pipe)|server closed the connection"
        ),
        "broken",
    ),
    ("SSL SYSCALL error.*timed out", "timeout"),
    ("certificate|SSL", "ssl"),
    ("translate host name|Name or service not known|nodename nor servname", "dns"),
    ("Network is unreachable|No route to host", "route"),
    ("timeout expired|timed out", "timeout"),
    ("Connection refused", "refused"),
    ("connection .*closed|reset by peer|Broken pipe|EOF detected", "broken"),
)
_OTHERS: Final[dict[str, tuple[type[DatabaseError], str, str]]] = {
    "nopassword": (
        DatabaseError,
        "no password for {user}",
        "see `flakefighters login`, or set the profile's password in the environment",
    ),
    "tenant": (
        DatabaseError,
        "the pooler knows no such user or project",
        "write the user as role.project, and copy the host from the provider: regions differ",
    ),
    "method": (
        DatabaseError,
        "the server asks for the password in a way that is not allowed",
        "let the server use scram-sha-256",
    ),
    "nossl": (
        DatabaseError,
        "the server offers no TLS, and the profile demands it",
        "check sslmode, or switch TLS on at the server",
    ),
    "ssl": (
        DatabaseError,
        "TLS with the server failed",
        "check sslmode and sslrootcert; the certificate must fit the host name",
    ),
    "dns": (UnreachableError, "the host is not known", "check the profile's url and the network"),
    "route": (
        UnreachableError,
        "the network does not reach the host",
        "if the host has IPv6 only (as Supabase's direct one), use its pooler's address",
    ),
    "timeout": (UnreachableError, "no answer", "check host, port and firewall"),
    "refused": (UnreachableError, "nobody listens there", "check host and port"),
    "broken": (UnreachableError, "the connection broke", _WAIT),
}


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a driver's error, also through SQLAlchemy's wrapper."""
    original = getattr(error, "orig", None) or error
    return getattr(original, "pgcode", None)


def explain_postgres(error: BaseException, target: Target) -> DatabaseError:
    """The error of our own that says what the driver's ``error`` means for this target."""
    original = getattr(error, "orig", None) or error
    said = _first_line(str(original), target)
    state = sqlstate(error)
    known = _STATES.get(state or "")
    if known is None and state in (None, "XX000", "08P01"):  # poolers put all kinds into these
        for pattern, name in _WORDS:
            if re.search(pattern, said, re.IGNORECASE):
                known = _STATES.get(name) or _OTHERS[name]
                break
    if known is None and state is not None and state.startswith("08"):
        known = _OTHERS["broken"]
    if known is None:
        return DatabaseError(f"{target.display}: {said}")
    kind, message, remedy = known
    filled = message.format(
        user=target.user or "the user", database=target.database, schema=target.schema
    )
    return kind(f"{target.display}: {filled} ({said})", remedy=remedy)


def crowded(error: DatabaseError) -> bool:
    """Whether there are too many connections just now, so that it helps to wait a little."""
    return isinstance(error, UnreachableError) and "free connection" in error.message


def silent(target: Target, seconds: float) -> UnreachableError:
    """The error for a server that does not answer in time."""
    return UnreachableError(
        f"{target.display}: no answer within {seconds:.0f} s",
        remedy="check host, port and firewall; " + _WAIT,
    )


def broken(target: Target) -> UnreachableError:
    """The error for a connection that broke without a word."""
    return UnreachableError(f"{target.display}: the connection broke", remedy=_WAIT)


def _first_line(text: str, target: Target) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # The server's own words stand last where libpq tried several addresses.
    said = lines[0] if lines else "unknown error"
    if target.password is not None and target.password.reveal():
        said = said.replace(target.password.reveal(), "***")
    return said[:300]
