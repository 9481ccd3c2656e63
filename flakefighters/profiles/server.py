"""How a PostgreSQL server is reached, setting by setting, under the rules for TLS.

What a file of the project says may make a connection safer, never less safe, and a URL from there
gets nothing from libpq's own variables and files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flakefighters.errors import ConfigError
from flakefighters.profiles import urls
from flakefighters.profiles.fields import variable
from flakefighters.profiles.layers import Layer
from flakefighters.profiles.places import expand, is_closed
from flakefighters.profiles.resolution import Inputs, Origin
from flakefighters.profiles.urls import DatabaseUrl

__all__ = ["ServerSettings", "in_force"]

#: Parameters that leave libpq nothing to take from PG* variables: those are meant for the
#: database of the application that is tested.
_OURS: Final = {
    "hostaddr": "",
    "options": "",
    "gssencmode": "disable",
    "channel_binding": "prefer",
    "requirepeer": "",
    "sslcert": "",
    "sslkey": "",
    "ssl_min_protocol_version": "TLSv1.2",
    "target_session_attrs": "any",
}
#: For URLs of the project: nothing from files in the home either.
_NEUTRAL: Final = {
    **_OURS,
    # A file that cannot exist: an empty name would mean ~/.pgpass.
    "passfile": f"{os.devnull}/none",
    "sslcertmode": "disable",
    "sslcrl": "",
}
#: Variables of libpq that may make a connection safer: parameter, and the values in their order.
_MAY_TIGHTEN: Final = {
    "channel_binding": ("PGCHANNELBINDING", ("disable", "prefer", "require")),
    "ssl_min_protocol_version": ("PGSSLMINPROTOCOLVERSION", ("TLSv1.2", "TLSv1.3")),
}
#: Where distributions keep their authorities, if Python does not know.
_AUTHORITIES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
#: What a URL of the project may say about safety, unless its host is this machine.
_PROJECT_MAY: Final = {
    "require_auth": ("scram-sha-256",),
    "channel_binding": ("prefer", "require"),
    "ssl_min_protocol_version": ("TLSv1.2", "TLSv1.3"),
}


def in_force(field: str, values: Sequence[tuple[str, Origin]]) -> list[tuple[str, Origin]]:
    """Every value of a setting, the one in force first.

    That is the order of the sources, but for TLS: there a file of the project gives way to
    a stricter source, and to the user's own choice of an authority.
    """
    ordered = list(values)
    if not ordered or not ordered[0][1].in_project:
        return ordered
    own = next((pair for pair in ordered if not pair[1].in_project), None)
    if own is None:
        return ordered
    looser = field == "sslmode" and _rank(ordered[0][0]) < _rank(own[0])
    if looser or field == "sslrootcert":
        ordered.remove(own)
        ordered.insert(0, own)
    return ordered


def _system_authorities() -> str:
    """The machine's file of authorities: libpq from a wheel does not know where it is."""
    import ssl

    paths = ssl.get_default_verify_paths()
    return paths.cafile or next(filter(os.path.isfile, _AUTHORITIES), "system")


def _rank(sslmode: str) -> int:
    return urls.rank(sslmode) if sslmode in urls.SSLMODES else -1


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a PostgreSQL server is reached, setting by setting."""

    inputs: Inputs
    layers: Sequence[Layer]
    name: str
    subject: str  # "profile ci", for messages
    home: Layer  # of the URL
    url: DatabaseUrl
    origin: Origin

    def _all(self, field: str) -> list[tuple[str, Origin]]:
        """Every value of a setting that fields or the URL's own parameters give, first wins."""
        found = []
        for layer in self.layers:
            value = layer.profiles.get(self.name, {}).get(field)
            if value is not None:
                found.append((str(value), layer.origins["profiles", self.name, field]))
            if layer is self.home and field in self.url.query:
                found.append((self.url.query[field], self.origin))
        return found

    def _libpq(self, name: str) -> str | None:
        """A variable of libpq, for URLs that are not from the project."""
        return None if self.origin.in_project else self.inputs.environ.get(name) or None

    def _libpq_mode(self) -> str | None:
        chosen = self._libpq("PGSSLMODE")
        return chosen if chosen in urls.SSLMODES else None

    def complete(self) -> DatabaseUrl:
        """The URL with what it leaves out.

        libpq's variables name the place only where the URL names nothing at all.
        """
        url = replace(self.url.without_password(), query={})
        if not (url.host or url.user or url.database):
            port = self._libpq("PGPORT") or ""
            url = replace(
                url,
                host=self._libpq("PGHOST"),
                port=url.port or (int(port) if port.isascii() and port.isdigit() else None),
                user=self._libpq("PGUSER"),
                database=self._libpq("PGDATABASE"),
            )
        full = replace(url, database=url.database or url.user)
        if self.origin.in_project:
            for part in ("host", "user", "database"):
                if not getattr(full, part):
                    raise ConfigError(
                        f"the URL of {self.subject} names no {part}",
                        origin=str(self.origin),
                        remedy="write it as postgresql://user@host:5432/database",
                    )
        return full

    def _is_local(self) -> bool:
        return urls.is_local(self.complete().host)

    def sslmode(self, notes: list[str]) -> str:
        """The mode in force: a file of the project can only tighten what others ask for."""
        usual = "prefer" if self._is_local() else "require"
        usual = max(usual, self._libpq_mode() or usual, key=urls.rank)
        values = self._all("sslmode")
        if not values:
            # The machine's authorities vouch for names: without the name's check they say nothing.
            return "verify-full" if self._sslrootcert() == "system" else usual
        (value, origin), *others = in_force("sslmode", values)
        if others and others[0] == values[0] and others[0][1].in_project:
            notes.append(
                f"sslmode {others[0][0]} in {others[0][1]} is not used: {origin} is tighter"
            )
        tight = urls.rank(value) >= urls.rank(usual)
        if tight or not origin.in_project or self._is_local():
            return value
        if any(not where.in_project for _, where in others):
            return value  # tighter than what the user asks for
        raise ConfigError(
            f"{self.subject}: sslmode {value} is looser than {usual}, which a file of the "
            "project may not ask for",
            origin=str(origin),
            remedy=f"use {variable('profiles', self.name, 'sslmode')}, if you must",
        )

    def _sslrootcert(self) -> str | None:
        """The authority as written: the user's own choice comes before the project's."""
        values = in_force("sslrootcert", self._all("sslrootcert"))
        if values:
            return values[0][0]
        # It belongs to a mode that asks for it, and to no other.
        verifying = (self._libpq_mode() or "").startswith("verify")
        return self._libpq("PGSSLROOTCERT") if verifying else None

    def sslrootcert(self) -> str | None:
        """The file of authorities to trust."""
        value = self._sslrootcert()
        if value is None:
            return None
        if value == "system":
            return _system_authorities()
        return os.path.normpath(self.inputs.anchor / expand(self.inputs, value))

    def require_auth(self) -> str:
        """How the server may ask for the password: never in clear text unless a setting says so."""
        return self.query_value("require_auth") or "scram-sha-256"

    def connect_timeout(self, usual: int) -> int:
        """Seconds."""
        values = self._all("connect_timeout")
        return max(1, int(values[0][0])) if values else usual

    def query_value(self, key: str) -> str | None:
        """A parameter of the URL, if the author of the URL may set it so."""
        value = self.url.query.get(key)
        if value is None or not self.origin.in_project or self._is_local():
            return value
        if key in _PROJECT_MAY and value not in _PROJECT_MAY[key]:
            raise ConfigError(
                f"the URL of {self.subject} sets {key} to something else than "
                f"{' or '.join(_PROJECT_MAY[key])}, which a file of the project may not",
                origin=str(self.origin),
            )
        return value

    def query(self) -> Mapping[str, str]:
        """The URL's other parameters, and what silences libpq's own sources."""
        own = ("sslmode", "sslrootcert", "require_auth", "connect_timeout")
        given = {
            key: value
            for key in self.url.query
            if key not in own and (value := self.query_value(key)) is not None
        }
        if self.origin.in_project:
            # GSSAPI would offer the user's Kerberos identity to a host the project chose.
            own_authority = {} if self._sslrootcert() else {"sslrootcert": ""}
            return {**_NEUTRAL, **own_authority, **given, "gssencmode": "disable"}
        tighter = {}
        for key, (name, order) in _MAY_TIGHTEN.items():
            value = self._libpq(name)
            if value in order and order.index(value) > order.index(_OURS[key]):
                tighter[key] = value
        # An empty name is libpq's own file in the home, which PGSSLROOTCERT would replace.
        authority = {} if self._sslrootcert() else {"sslrootcert": ""}
        passfile = self.inputs.environ.get("PGPASSFILE") or expand(self.inputs, "~/.pgpass")
        # Named now: the tests may move the home.
        files = {}
        if os.path.isfile(passfile):  # noqa: PTH113 - Path raises for a home that is closed to us
            files["passfile"] = passfile
        # libpq gives up where it may not even look for a certificate, so it is told not to.
        named = "sslcert" in given or self.inputs.environ.get("PGSSLCERT")
        if not named and is_closed(expand(self.inputs, "~/.postgresql/postgresql.crt")):
            files["sslcertmode"] = "disable"
        return {**_OURS, **authority, **tighter, **files, **given}
