"""Variables of the environment: which have another value now, among those that code asks for.

A run keeps a short hash of each name and value, so that no value can be read from it.  Which names
the code asks for is found out from its text, and only when a test failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from flakefighters.ids import h128

__all__ = ["asked_for", "noted", "other_values"]

#: Hexadecimal digits of each hash.
_DIGITS: Final = 6
#: What has another value in each run, or on each machine, and says nothing of how code behaves.
_PASSING: Final = frozenset(
    {
        *("_", "COLUMNS", "HOME", "HOSTNAME", "LINES", "LOGNAME", "OLDPWD", "PATH", "PS1", "PWD"),
        *("SHLVL", "TEMP", "TERM", "TMP", "TMPDIR", "USER"),
    }
)
#: The same by how their names begin.
_PASSING_PREFIXES: Final = (
    *("BUILD_", "BUILDKITE_", "CIRCLE_", "CI_", "COVERAGE", "COV_", "DBUS_", "FLAKEFIGHTERS"),
    *("GITHUB_", "GIT_", "LC_", "NOX_", "PYTEST_", "PYTHON", "RUNNER_", "SSH_", "TOX_"),
    *("TRAVIS_", "VIRTUAL_ENV", "XDG_"),
)
_ASKS: Final = rb"\b(?:environb?|getenvb?)\b"
_NAME: Final = rb"""["']([A-Za-z_]\w{1,80})["']"""


def noted(environ: Mapping[str, str], project: str) -> str:
    """Hashes of the names and values, in one text."""
    return "".join(
        sorted(
            _hash(project, name) + _hash(project, name, value)
            for name, value in environ.items()
            if name not in _PASSING and not name.startswith(_PASSING_PREFIXES)
        )
    )


def asked_for(sources: Iterable[bytes]) -> frozenset[str]:
    """Names that code may ask for: texts in files that look at the environment."""
    found: set[bytes] = set()
    for source in sources:
        if re.search(_ASKS, source):
            found.update(re.findall(_NAME, source))
    return frozenset(name.decode() for name in found)


def other_values(then: str, now: str, project: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that have another value, or that only one of the two has."""
    old, new = _read(then), _read(now)
    keys = ((name, _hash(project, name)) for name in sorted(names))
    return tuple(name for name, key in keys if old.get(key) != new.get(key))


def _hash(*parts: str) -> str:
    return h128("variable", *parts)[:_DIGITS]


def _read(text: str) -> dict[str, str]:
    width = 2 * _DIGITS
    return {
        text[at : at + _DIGITS]: text[at + _DIGITS : at + width]
        for at in range(0, len(text), width)
    }
