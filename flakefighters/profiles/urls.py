"""Database URLs: parsed strictly, shown without passwords.

Messages never repeat a piece of the URL that could belong to a password: a password with an
unescaped ``/``, ``?`` or ``#`` ends up anywhere in what a URL parser returns.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

from flakefighters.model import Secret

__all__ = [
    "ALLOWED",
    "SSLMODES",
    "DatabaseUrl",
    "UrlError",
    "endpoint",
    "is_local",
    "matches",
    "parse",
    "rank",
]

#: From loosest to tightest.
SSLMODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

#: Parameters that a PostgreSQL URL may have.  None of them names a server, a file that is read as
#: configuration, or a secret.
ALLOWED: Final = frozenset(
    """application_name channel_binding connect_timeout gssencmode keepalives keepalives_count
    keepalives_idle keepalives_interval require_auth ssl_min_protocol_version sslmode sslrootcert
    target_session_attrs tcp_user_timeout""".split()  # noqa: SIM905
)
#: Parameters of other drivers, ORMs and poolers that providers print: they do nothing here.
_OTHERS: Final = frozenset(
    """binary_parameters connection_limit currentSchema endpoint max_conn_lifetime pgbouncer
    pool_max_conns pool_max_conn_lifetime pool_mode pool_timeout poolSize pool_size prepareThreshold
    prepared_statements prepared_statement_cache_size project reference schema search_path
    serverVersion socket_timeout sslaccept sslidentity statement_cache_size statement_timeout supa
    tcpKeepAlive uselibpqcompat useSSL workaround""".split()  # noqa: SIM905
)
#: Parameters that exist and are refused: their names may be shown.
_REFUSED: Final = frozenset(
    """client_encoding dbname fallback_application_name host hostaddr krbsrvname gsslib
    gssdelegation load_balance_hosts oauth_client_secret options passfile password pgbouncer port
    replication requirepeer scram_client_key scram_server_key service servicefile ssl sslcert
    sslcertmode sslcompression sslcrl sslcrldir sslkey sslkeylogfile sslnegotiation sslpassword
    sslsni ssl_max_protocol_version user""".split()  # noqa: SIM905
)
_ESCAPE: Final = (
    "if the password holds special characters, write them as %23 (#), %2F (/), %3F (?), %40 (@), "
    "%3A (:) or %25 (%)"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HOST: Final = re.compile(r"(?=[^.-])[\w.-]{1,253}", re.UNICODE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class UrlError(ValueError):
    """What is wrong with a URL, without a piece of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    """The parts of a database URL, unescaped."""

    backend: str  # "sqlite" or "postgresql"
    #: The file as written, for SQLite.
    path: str | None = None
    user: str | None = None
    #: A name, an address, or the folder of a Unix socket.
    host: str | None = None
    port: int | None = None
    database: str | None = None
    password: Secret | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    def without_password(self) -> DatabaseUrl:
        """The same place, nothing secret."""
        return replace(self, password=None)

    def __str__(self) -> str:
        """The URL in its canonical spelling, always without the password."""
        if self.backend == "sqlite":
            return f"sqlite:///{self.path}"
        text = "postgresql://"
        if self.user is not None:
            text += quote(self.user, safe="") + "@"
        if self.host is not None:
            text += _bracketed(self.host)
        if self.port is not None:
            text += f":{self.port}"
        if self.database is not None:
            text += "/" + quote(self.database, safe="")
        if self.query:
            text += "?" + "&".join(
                f"{key}={quote(value, safe='')}" for key, value in self.query.items()
            )
        return text

    def display(self) -> str:
        """Host, port if unusual, and database: enough to know which history it is."""
        if self.backend == "sqlite":
            return str(self)
        host = self.host or ""
        if host.startswith("/"):
            return f"postgresql:///{self.database or ''} (socket in {host})"
        if ":" in host:
            host = f"[{host}]"
        port = "" if self.port in (None, 5432) else f":{self.port}"
        return f"postgresql://{host}{port}/{self.database or ''}"


def parse(text: str) -> DatabaseUrl:
    """Parse ``sqlite:///path`` or ``postgresql://user:password@host:port/database?parameters``.

    Raises:
        UrlError: its message holds no part of the URL beyond scheme and known parameters.
    """
    text = text.strip()
    found = _SCHEME.match(text)
    if found is None:
        raise UrlError("is not a database URL, such as sqlite:///flakefighters.db")
    scheme, rest = found[1].lower(), text[found.end() :]
    if _CONTROL.search(unquote(rest)):
        raise UrlError("holds control characters")
    if scheme == "sqlite":
        return _sqlite(rest)
    if scheme in ("postgres", "postgresql", "postgresql+psycopg2"):
        return _postgresql(rest)
    if scheme.startswith(("postgresql+", "postgres+")):
        raise UrlError("names a driver; write it as postgresql://…, the driver is psycopg2")
    raise UrlError("is neither sqlite:///… nor postgresql://…, the two that are supported")


def _sqlite(rest: str) -> DatabaseUrl:
    if not rest.startswith("///"):
        raise UrlError("needs three slashes for a relative path, sqlite:///flakefighters.db")
    path = rest[3:]
    if "?" in path or "#" in path:
        raise UrlError("has parameters, which SQLite histories do not take")
    if not path or path == ":memory:":
        raise UrlError("names no file; a history in memory would remember nothing")
    return DatabaseUrl(backend="sqlite", path=path)


def _postgresql(rest: str) -> DatabaseUrl:
    if not rest.startswith("//"):
        raise UrlError("needs two slashes, postgresql://user@host:5432/database")
    if "#" in rest:
        raise UrlError(f"holds a #; {_ESCAPE}")
    place, _, query = rest[2:].partition("?")
    authority, slash, database = place.partition("/")
    if "@" in database or "/" in database:
        raise UrlError(f"holds more than a name after the host; {_ESCAPE}")
    credentials, at, server = authority.rpartition("@")
    user, colon, password = credentials.partition(":")
    host, port = _server(server)
    given, folder = _query(query)
    if folder is not None:
        if host is not None:
            raise UrlError("names a host and, as the parameter host, another one; leave one out")
        host = folder
    name = unquote(database) if slash and database else None
    if name is not None and "=" in name:
        raise UrlError("names a database with = in its name, which libpq would read as settings")
    return DatabaseUrl(
        backend="postgresql",
        user=unquote(user) if at and user else None,
        password=Secret(unquote(password)) if colon and password else None,
        host=host,
        port=port,
        database=name,
        query=given,
    )


def _server(server: str) -> tuple[str | None, int | None]:
    if "," in server:
        raise UrlError("names several hosts; one history lives on one server")
    if server.startswith("["):
        host, port = _in_brackets(server)
    elif server[:3].lower() == "%2f":
        # The folder of a Unix socket, as libpq spells it: %2Fvar%2Frun%2Fpostgresql.  It may hold
        # colons: %2Fcloudsql%2Fproject:region:instance.
        found = re.fullmatch(r"(.*?)(?::(\d*))?", server)
        assert found is not None
        host, port = unquote(found[1]), found[2]
    else:
        host, _, port = server.partition(":")
        host = unquote(host)
        if host:
            host = host.lower().rstrip(".")
            if not _HOST.fullmatch(host):
                raise UrlError(f"has no proper host name; {_ESCAPE}")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise UrlError(f"has a port that is not a number from 1 to 65535; {_ESCAPE}")
    return host or None, int(port) if port else None


def _in_brackets(server: str) -> tuple[str, str]:
    host, bracket, tail = server[1:].partition("]")
    try:
        host = str(ipaddress.IPv6Address(host.partition("%")[0]))
    except ValueError:
        raise UrlError("has brackets that hold no IPv6 address") from None
    if not bracket or (tail and not tail.startswith(":")):
        raise UrlError("has brackets that do not end before the port")
    return host, tail[1:]


def _query(query: str) -> tuple[dict[str, str], str | None]:
    """The parameters, and the folder of a Unix socket if that is given as ``host``.

    The folder is how Cloud SQL and others spell it, and names no other machine.
    """
    if not query:
        return {}, None
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=50)
    except ValueError:
        raise UrlError(f"has malformed parameters after the question mark; {_ESCAPE}") from None
    result: dict[str, str] = {}
    folder = None
    if [key for key, _ in pairs].count("host") == 1 and dict(pairs)["host"].startswith("/"):
        folder = dict(pairs)["host"]
        pairs = [pair for pair in pairs if pair[0] != "host"]
    if any(key not in ALLOWED for key, _ in pairs):
        raise UrlError(_not_allowed([key for key, _ in pairs]))
    for key, value in pairs:
        if key in result:
            raise UrlError(f"has the parameter {key} twice")
        if value:
            result[key] = value
    _check_values(result)
    return result, folder


def _check_values(result: Mapping[str, str]) -> None:
    if (mode := result.get("sslmode")) is not None and mode not in SSLMODES:
        raise UrlError(f"has an unknown sslmode; known are {', '.join(SSLMODES)}")
    timeout = result.get("connect_timeout")
    if timeout is not None and not (timeout.isascii() and timeout.isdigit() and len(timeout) < 6):
        raise UrlError("has a connect_timeout that is not a whole number of seconds")


def _not_allowed(keys: Sequence[str]) -> str:
    """What is wrong with these parameters, and which to leave out.

    A name that is unknown may be a piece of a password with an unescaped question mark.
    """
    wrong = [key for key in keys if key not in ALLOWED]
    known = [key for key in wrong if key in _REFUSED or key in _OTHERS]
    unknown = [str(place) for place, key in enumerate(keys, 1) if key not in ALLOWED | set(known)]
    text = f"has the parameter {', '.join(known)}" if known else "has an unknown parameter"
    if unknown and known:
        text += " and an unknown one"
    parts = [", ".join(known)] if known else []
    parts += [f"number {', '.join(unknown)}"] if unknown else []
    advice = f"leave out {' and '.join(parts)} after the question mark"
    if unknown:
        advice += f", or {_ESCAPE}"
    return f"{text}; {advice}; allowed are {', '.join(sorted(ALLOWED))}"


def rank(sslmode: str) -> int:
    """How tight a mode is; larger is tighter."""
    return SSLMODES.index(sslmode)


def is_local(host: str | None) -> bool:
    """Does this host never leave the machine?  None and paths are Unix sockets."""
    if host is None or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def endpoint(url: DatabaseUrl) -> str:
    """What a password is bound to: user@host:port/database, with nothing left out."""
    host = _bracketed(url.host or "")
    return f"{url.user or ''}@{host}:{url.port or 5432}/{url.database or url.user or ''}"


def _bracketed(host: str) -> str:
    """A host as it stands in a URL: addresses with colons in brackets, folders escaped."""
    return f"[{host}]" if ":" in host and not host.startswith("/") else quote(host, safe="")


def matches(bound_to: str, url: DatabaseUrl) -> bool:
    """Is a password for ``bound_to`` ([user@]host[:port][/database]) meant for this URL?

    Raises:
        UrlError: if ``bound_to`` is malformed; a whole URL is understood as well.
    """
    text = bound_to.strip()
    wanted = parse(text if "://" in text else f"postgresql://{text}")
    if wanted.backend != "postgresql" or wanted.host is None:
        raise UrlError("must look like user@host:port/database")
    return (
        wanted.host == url.host
        and wanted.user in (None, url.user)
        and (wanted.port is None or wanted.port == (url.port or 5432))
        and (wanted.database is None or wanted.database == (url.database or url.user))
    )
