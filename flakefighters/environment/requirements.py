"""Which distributions stand behind imported modules: directly, or by what those need."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from importlib import metadata
from typing import Final

from flakefighters.environment.distributions import normalised, owners

__all__ = ["behind"]

_NAME: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_MOST: Final = 500
#: Files and bytes of installed packages that are read to see what they import.
_MOST_FILES: Final = 1500
_MOST_BYTES: Final = 16 << 20


def behind(
    modules: Iterable[str],
    *,
    deep: bool = True,
    sought: Collection[str] = (),
    among: Collection[str] | None = None,
) -> frozenset[str]:
    """Normalised names of the distributions that bring these top-level modules.

    A module that none brings stands for a distribution of its own name, which may be gone.
    ``deep`` adds all that those require (extras are not followed).  Unless that finds all that are
    ``sought``, what they import without requiring it is added too, if it is ``among`` others.
    """
    known = owners()
    queue = [
        name for module in modules for name in known.get(module, (normalised(module),)) if name
    ]
    found = set(queue) if not deep else _required(queue, set())
    new = found
    while deep and new and not found.issuperset(sought):
        wanted = {*sought, *(name for by in known.values() for name in by)} - found
        if among is not None:
            wanted &= {*among, *sought}
        new = _required(_imported(new, wanted, known), found)
        found = found | new
    return frozenset(found)


def _required(names: Iterable[str], known: Collection[str]) -> set[str]:
    """Some distributions with all that they say they require here."""
    queue = list(names)
    found: set[str] = set()
    while queue and len(found) < _MOST:
        name = queue.pop()
        if name in found or name in known:
            continue
        found.add(name)
        try:
            required = metadata.distribution(name).requires or []
        except Exception:  # noqa: S112 - gone, or damaged: what it requires is not known
            continue
        queue.extend(filter(None, map(_needed, required)))
    return found


def _needed(line: str) -> str | None:
    """The distribution that a line of requirements asks for here.

    None if its environment marker is false: it is for another Python or system, or for an extra.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            return None
        return normalised(requirement.name)
    except InvalidRequirement:  # an old spelling, which pip still takes
        match = _NAME.match(line)
        return None if match is None or "extra ==" in line else normalised(match[1])
    except Exception:  # a marker that cannot be told: rather one distribution too many
        return normalised(requirement.name)


def _imported(
    names: Iterable[str], wanted: set[str], known: dict[str, tuple[str, ...]]
) -> set[str]:
    """Those of the ``wanted`` distributions that the code of others names in an import."""
    if not wanted:
        return set()
    modules = {module: owner for module, by in known.items() for owner in by if owner in wanted}
    for name in wanted - set(modules.values()):
        modules[name.replace("-", "_")] = name
    pattern = re.compile(
        rb"^[ \t]*(?:from|import)[ \t]+("
        + "|".join(map(re.escape, modules)).encode("utf-8", "surrogatepass")
        + rb")\b",
        re.MULTILINE,
    )
    found: set[str] = set()
    left = _MOST_BYTES
    for number, content in enumerate(_sources(names)):
        left -= len(content)
        if left < 0 or number > _MOST_FILES:
            break
        found.update(modules[match.decode()] for match in pattern.findall(content))
    return found


def _sources(names: Iterable[str]) -> Iterator[bytes]:
    """The Python files of some distributions, as far as they can be read."""
    for name in sorted(names):
        try:
            files = metadata.distribution(name).files or ()
        except Exception:  # noqa: S112 - as above
            continue
        for file in files:
            if file.suffix == ".py":
                try:
                    yield file.read_binary()
                except OSError:
                    continue
