"""Which distributions stand behind imported modules, directly or by what those require."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from typing import Final

from flakefighters.changes.distributions import normalised, owners

__all__ = ["behind"]

_NAME: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_MOST: Final = 500


def behind(modules: Iterable[str], *, deep: bool = True) -> frozenset[str]:
    """Normalised names of the distributions that bring these top-level modules.

    ``deep`` adds all that those require (extras are not followed).
    """
    known = owners()
    queue = [name for module in modules for name in known.get(module, ())]
    found: set[str] = set()
    while queue and len(found) < _MOST:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        if not deep:
            continue
        try:
            required = metadata.distribution(name).requires or []
        except Exception:  # noqa: S112 - damaged metadata: what it requires is not known
            continue
        for line in required:
            match = _NAME.match(line)
            if match is not None and "extra ==" not in line:
                queue.append(normalised(match[1]))
    return frozenset(found)
