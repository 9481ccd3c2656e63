"""Small projects made of texts."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from flakefighters.model import Name, Scope
from flakefighters.reach.project import Facts, Project

__all__ = ["name", "project"]

_SIGNS = {scope.value: scope for scope in Scope if scope.value and len(scope.value) == 1}


def project(texts: Mapping[str, str | bytes]) -> Project:
    """A project of these files."""
    contents = {
        path: textwrap.dedent(text).encode() if isinstance(text, str) else text
        for path, text in texts.items()
    }
    return Project(contents, Facts(contents.get))


def name(text: str) -> Name:
    """A name as it is shown: "RATE" of a module, ".total" of a class, "@shop" of a fixture."""
    scope = _SIGNS.get(text[:1], Scope.MODULE)
    return Name(scope, text.removeprefix(scope.value))
