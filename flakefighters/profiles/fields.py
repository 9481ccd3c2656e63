"""Every setting there is: its name, variable, default and meaning.

This table is what the documentation, `flakefighters config` and the search for misspelt names
rest on; a test keeps it equal to the validating models in :mod:`flakefighters.profiles.schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from flakefighters.records import NamedTuple

__all__ = [
    "BUILT_IN",
    "PREFIX",
    "PROCESS_VARIABLES",
    "PROFILE_FIELDS",
    "TOP_FIELDS",
    "Field",
    "canonical",
    "is_name",
    "nearest",
    "variable",
]

PREFIX: Final = "FLAKEFIGHTERS_"


class Field(NamedTuple):
    """One setting, as documented."""

    name: str
    kind: str
    default: str
    meaning: str


TOP_FIELDS: Final = (
    Field("default_profile", "name", "local", "the profile used outside CI"),
    Field("ci_profile", "name", "ci", "the profile used where CI is detected"),
    Field("project", "text", "from git's remote", "the project's identity in a shared history"),
    Field("state_env", "list of names", "none", "variables that belong to the environment's key"),
    Field("secret_env", "list of names", "none", "more variables whose values are secrets"),
    Field(
        "confirm_exclude",
        "list of patterns",
        "none",
        "node ids of tests that trials never run again, as in tests/live/*",
    ),
    Field(
        "confirm_seconds",
        "number",
        "20, or a tenth of the session",
        "how long the trials of a session may take",
    ),
    Field(
        "statistics",
        "any, majority, all",
        "any",
        "how many statistical flakefighters must say the same",
    ),
    Field("confirm_tests", "number", "20", "how many failing tests a session puts on trial"),
)

PROFILE_FIELDS: Final = (
    Field("url", "URL", "none", "the database, sqlite:///… or postgresql://…"),
    Field("password", "text", "none", "the database's password; never in a file of the project"),
    Field(
        "password_host",
        "user@host:port/database",
        "the URL beside it",
        "whom the password of the same source is for; parts that are left out match anything",
    ),
    Field(
        "password_command",
        "command",
        "none",
        "a program that prints the password; in your own configuration folder only",
    ),
    Field("schema", "name", "flakefighters", "the schema in PostgreSQL"),
    Field(
        "sslmode",
        "disable, allow, prefer, require, verify-ca, verify-full",
        "require; prefer for a local host",
        "how much TLS is asked for; files of the project can only tighten it",
    ),
    Field("sslrootcert", "file or system", "none", "the certificate authority to trust"),
    Field("connect_timeout", "seconds", "10", "how long to wait for a connection"),
    Field("read_only", "boolean", "false; shared: true", "read evidence here, record in local"),
    Field(
        "trust",
        "protected, local, untrusted",
        "untrusted",
        "how far runs of a SQLite file that is only read are believed; never in the project",
    ),
    Field("keep_runs", "number", "all", "how many builds prune keeps"),
    Field("keep_days", "number", "all", "of how many days prune keeps the builds"),
    Field("store_output", "none, failures", "none", "whether captured output is recorded"),
    Field(
        "confirm",
        "off, undecided, all",
        "off",
        "which failures are run again after the session, to settle them by experiment",
    ),
    Field(
        "on_error",
        "warn, fail",
        "warn",
        "what a history that cannot be used does: a line, or exit code 4 before the tests",
    ),
    Field(
        "quarantine_undecided",
        "fail, pass",
        "fail",
        "whether undecided failures of quarantined tests fail the run; genuine ones always do",
    ),
)

#: Variables that are no settings of a profile.
PROCESS_VARIABLES: Final = (
    Field("FLAKEFIGHTERS", "boolean", "on", "switches the plugin on or off"),
    Field("FLAKEFIGHTERS_PROFILE", "name", "none", "the profile to use"),
    Field(
        "FLAKEFIGHTERS_PROFILES_FILE",
        "file",
        "profiles.toml at the anchor",
        "read instead of profiles.toml; relative to the anchor",
    ),
)

#: The profiles that exist without any configuration.
BUILT_IN: Final[Mapping[str, Mapping[str, object]]] = {
    "local": {"url": "sqlite:///flakefighters.db"},
    "ci": {},
    "shared": {"read_only": True},
}

_NAME: Final = r"[a-z](?:[-_]?[a-z0-9])*"


def is_name(text: str) -> bool:
    """Can a profile have this name (in any case)?"""
    return len(text) <= 64 and re.fullmatch(_NAME, text.lower()) is not None


def canonical(name: str) -> str:
    """The one spelling of a profile's name that all sources share: "My-CI" is "my_ci"."""
    return name.lower().replace("-", "_")


def variable(*path: str) -> str:
    """The variable that sets a setting: ("profiles", "my-ci", "url") to …PROFILES__MY_CI__URL."""
    return PREFIX + "__".join(canonical(part) for part in path).upper()


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    import difflib

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
