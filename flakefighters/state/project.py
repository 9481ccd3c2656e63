"""Which project a run belongs to: a name that is the same on every machine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters import ids
from flakefighters.model import Project
from flakefighters.state.urls import canonical, is_local, name_of

if TYPE_CHECKING:
    from flakefighters.state.anchor import Anchor
    from flakefighters.state.checkout import Checkout

__all__ = ["canonical", "identify"]

_LONGEST: Final = 500
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def identify(
    checkout: Checkout,
    anchor: Anchor,
    configured: str | None,
    ci_repository: str | None,
    fallback: Callable[[], str],
) -> Project:
    """The project of ``checkout``.

    First that applies: the setting ``project`` (of an address, what is not secret); the
    repository that CI tests (of a pull request: the target's); the remotes upstream, origin, and
    any others by name.
    ``fallback`` gives the identity of a project without any of them: a random id, kept locally.
    """
    if chosen := _clean(configured):
        if "://" in chosen or "@" in chosen:
            # The address of a repository, which may hold a password.
            chosen = canonical(chosen) or name_of(chosen)
        return Project(identity=chosen, label=chosen)
    inside = f"//{_clean(checkout.prefix)}" if checkout.prefix else ""
    if ci_repository and (name := canonical(ci_repository)) is not None:
        return _named(name + inside)
    for url in _by_rank(checkout.remotes):
        if (name := canonical(url)) is not None:
            return _named(name + inside)
        if is_local(url):
            return Project(identity=_of_folder(url, checkout.base) + inside, label=name_of(url))
    return Project(identity=fallback(), label=_clean(anchor.path.name) or "project")


def _named(identity: str) -> Project:
    return Project(identity=identity[:_LONGEST], label=identity[:_LONGEST])


def _by_rank(remotes: Mapping[str, str]) -> list[str]:
    order = sorted(remotes, key=lambda name: (name != "upstream", name != "origin", name))
    return [remotes[name] for name in order]


def _of_folder(url: str, base: Path) -> str:
    """A remote on this machine, or on a disk that machines share: equal for equal places.

    Hashed, since the folders of a machine are private.
    """
    path = re.sub(r"^file://(localhost(?=/))?", "", url, flags=re.IGNORECASE)
    place = os.path.realpath(os.path.join(base, os.path.expanduser(path)))  # noqa: PTH118, PTH111
    place = place.replace(os.sep, "/").removesuffix("/.git").removesuffix(".git")
    return f"file/{ids.h128('remote', place)[:16]}/{_clean(name_of(url)).lower()}"


def _clean(text: str | None) -> str:
    """One line of printable text, cut to a length that fits everywhere."""
    return _CONTROL.sub(" ", text or "").strip()[:_LONGEST]
