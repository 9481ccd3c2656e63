"""Do packages clash with each other in this environment?"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from flakefighters.checks.results import Check, failed, ok

__all__ = ["Installed", "clashes", "installed"]

STEP: Final = "packages"
#: A package whose module is ours in name; its plugin registers the same options.
_NAMESAKE: Final = "pytest-flakefighters"


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution."""

    #: Lower case, with hyphens.
    name: str
    version: str
    #: Names of the pytest plugins that it brings.
    plugins: tuple[str, ...] = ()


def installed() -> list[Installed]:
    """What this environment holds."""
    found = []
    for one in importlib.metadata.distributions():
        # Broken metadata, as half-removed packages leave it, has no name.
        facts = one.metadata
        name = facts["Name"] if facts is not None and "Name" in facts else None
        if name:
            plugins = tuple(point.name for point in one.entry_points if point.group == "pytest11")
            version = str(facts["Version"]) if "Version" in facts else "?"
            found.append(Installed(re.sub(r"[-_.]+", "-", name).lower(), version, plugins))
    return found


def clashes(packages: Iterable[Installed]) -> Iterator[Check]:
    """What gets into each other's way."""
    known = {one.name: one for one in packages}
    found = False
    both = [known[name] for name in ("psycopg2", "psycopg2-binary") if name in known]
    if len(both) == 2:
        found = True
        yield failed(
            STEP,
            f"psycopg2 {both[0].version} and psycopg2-binary {both[1].version} share their files",
            "remove both, then install the one that you want",
        )
    if not both:
        found = True
        yield failed(
            STEP,
            "there is neither psycopg2-binary nor psycopg2: no PostgreSQL history can be opened",
            "pip install psycopg2-binary",
        )
    others = sorted(
        one.name
        for one in known.values()
        if one.name == _NAMESAKE or ("flakefighters" in one.plugins and one.name != "flakefighters")
    )
    for name in others:
        found = True
        yield failed(
            STEP,
            f"{name} {known[name].version} is another plugin with options and modules of our names",
            f"pip uninstall {name}, then reinstall flakefighters",
        )
    if not found:
        yield ok(STEP, f"{both[0].name} {both[0].version}; nothing clashes")
