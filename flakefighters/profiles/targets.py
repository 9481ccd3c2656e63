"""From one profile's settings to a way to its history."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flakefighters.errors import ConfigError
from flakefighters.model import Secret, Target, Trust
from flakefighters.profiles.fields import variable
from flakefighters.profiles.layers import Layer
from flakefighters.profiles.passwords import Password, find_password
from flakefighters.profiles.places import (
    BUILT_IN_FILE,
    display_path,
    expand,
    may_hold_history,
)
from flakefighters.profiles.resolution import Inputs, Origin
from flakefighters.profiles.schema import ProfileFields
from flakefighters.profiles.server import ServerSettings
from flakefighters.profiles.urls import DatabaseUrl

__all__ = ["Chosen", "build"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One profile, ready for use."""

    target: Target
    fields: ProfileFields
    url: DatabaseUrl
    url_origin: Origin
    password: Password
    #: Can a login be tried?  True for SQLite.
    credentials: bool
    notes: tuple[str, ...] = ()


def build(
    inputs: Inputs, layers: Sequence[Layer], name: str, fields: ProfileFields, label: str
) -> Chosen | None:
    """Make the target of a profile; None if it has no URL.

    ``name`` is canonical, ``label`` what people call it.

    Raises:
        ConfigError: if a file of the project asks for less safety, or the URL lacks a part.
    """
    home = next((layer for layer in layers if name in layer.urls), None)
    if home is None:
        return None
    url = home.urls[name]
    origin = home.origins["profiles", name, "url"]
    if url.backend == "sqlite":
        return _file(inputs, name, fields, label, url, origin)
    return _server(inputs, layers, name, fields, label, home)


def _file(
    inputs: Inputs, name: str, fields: ProfileFields, label: str, url: DatabaseUrl, origin: Origin
) -> Chosen:
    """A profile whose history is a file."""
    notes: list[str] = []
    assert url.path is not None
    path = Path(os.path.normpath(inputs.anchor / expand(inputs, url.path)))
    if origin.in_project and not may_hold_history(inputs, path):
        error = _outside(name, label, origin)
        if name != "local":
            raise error
        path = inputs.anchor / BUILT_IN_FILE  # there is no other place to record in
        notes.append(f"{error}; until then the history is {BUILT_IN_FILE}")
    target = Target(
        backend="sqlite",
        path=path,
        read_only=fields.read_only,
        profile=label,
        trust=None if fields.trust is None else Trust(fields.trust),
        display=f"sqlite:///{display_path(inputs, path)}",
    )
    return Chosen(target, fields, url, origin, Password(), True, tuple(notes))


def _server(
    inputs: Inputs,
    layers: Sequence[Layer],
    name: str,
    fields: ProfileFields,
    label: str,
    home: Layer,
) -> Chosen:
    """A profile whose history is on a server."""
    url, origin = home.urls[name], home.origins["profiles", name, "url"]
    if fields.trust is not None:
        raise ConfigError(
            f"profile {label}: trust is for SQLite files; on a server roles give it",
            origin=str(_origin_of_trust(layers, name)),
            remedy="remove it, and see `flakefighters grants`",
        )
    subject = f"profile {label}" if name.isidentifier() else label
    notes: list[str] = []
    reach = ServerSettings(inputs, layers, name, subject, home, url, origin)
    full = reach.complete()
    password = find_password(layers, name, url, label)
    query = reach.query()
    defaults = not origin.in_project
    secret = password.secret
    usual = inputs.environ.get("PGPASSWORD") if defaults and not password.command else None
    if secret is None and usual:
        secret = Secret(usual)
    target = Target(
        backend="postgresql",
        host=full.host,
        port=full.port,
        user=full.user,
        database=full.database,
        password=secret,
        schema=fields.schema_,
        sslmode=reach.sslmode(notes),
        sslrootcert=reach.sslrootcert(),
        require_auth=reach.require_auth(),
        connect_timeout=reach.connect_timeout(fields.connect_timeout),
        read_only=fields.read_only,
        query=query,
        libpq_defaults=defaults,
        profile=label,
        display=full.display(),
    )
    known = (
        secret is not None
        or bool(password.command)
        or (defaults and "passfile" in query)
        or target.require_auth != "scram-sha-256"
    )
    return Chosen(target, fields, full, origin, password, known, tuple(notes))


def _outside(name: str, label: str, origin: Origin) -> ConfigError:
    """A checkout could have its history written anywhere, over anything."""
    named = name.isidentifier()
    elsewhere = variable("profiles", name, "url") if named else "the option itself"
    return ConfigError(
        f"{f'the url of profile {label}' if named else 'the URL'} leads out of the project, "
        "with links followed, which a file of the project may not ask for",
        origin=str(origin),
        remedy=f"name a file within the project, or use {elsewhere}",
    )


def _origin_of_trust(layers: Sequence[Layer], name: str) -> Origin | None:
    """Where a profile's trust was set."""
    path = ("profiles", name, "trust")
    return next((layer.origins[path] for layer in layers if path in layer.origins), None)
