"""What is said of settings that cannot be taken; none of it shows a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from flakefighters.errors import ConfigError
from flakefighters.profiles import fields
from flakefighters.profiles.resolution import Origin

__all__ = ["FIELDS", "TOP", "bad_name", "no_password_here", "unknown", "unknown_variable"]

#: Names of the settings, and of those of a profile.
TOP: Final = frozenset(spec.name for spec in fields.TOP_FIELDS)
FIELDS: Final = frozenset(spec.name for spec in fields.PROFILE_FIELDS)


def unknown_variable(name: str, upper: str) -> ConfigError:
    known = [spec.name for spec in fields.PROCESS_VARIABLES]
    known += [fields.variable(name) for name in TOP]
    parts = upper.split("__")
    middle = parts[1] if len(parts) == 3 else "CI"
    known += [fields.variable("profiles", middle, name) for name in FIELDS]
    return unknown(f"variable {name}", upper, known, None)


def no_password_here(label: str, written: str, where: Origin) -> ConfigError:
    return ConfigError(
        f"{label} holds a password, which a file of the project may not",
        origin=str(where),
        remedy=f"remove it, change the password, and use `flakefighters login {written}` or "
        f"{fields.variable('profiles', written, 'password')}",
    )


def bad_name(written: str, where: str) -> ConfigError:
    # A URL that stands there by mistake may hold a password.
    harmless = written.isprintable() and len(written) <= 64 and not re.search("[@:/]", written)
    shown = written if harmless else "?"
    return ConfigError(
        f"{shown!r} cannot be a profile's name",
        origin=where,
        remedy="use letters, digits and single - or _, starting with a letter",
    )


def unknown(what: str, word: str, known: Iterable[str], where: str | None) -> ConfigError:
    near = fields.nearest(word, known)
    what = what if what.isprintable() and "://" not in what else "setting"
    return ConfigError(
        f"unknown {what}", origin=where, remedy=f"did you mean {near}?" if near else None
    )
