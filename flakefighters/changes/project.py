"""Which project a run belongs to: a name that is the same on every machine."""

from __future__ import annotations

from collections.abc import Callable

from flakefighters.changes.anchor import Anchor
from flakefighters.changes.checkout import Checkout
from flakefighters.model import Project

__all__ = ["canonical", "identify"]


def canonical(url: str) -> str | None:
    """``host/owner/name`` of a remote's URL; None if it names no host."""
    raise NotImplementedError


def identify(
    checkout: Checkout,
    anchor: Anchor,
    configured: str | None,
    ci_repository: str | None,
    fallback: Callable[[], str],
) -> Project:
    """The project of ``checkout`` (see design: configured, CI's target, upstream, origin)."""
    raise NotImplementedError
