"""Files of the project that are installed under other paths than they have in the checkout.

``package_dir``, hatch's ``sources`` and modules in odd folders do this.  The contents tell which
file is which, as installing copies them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from flakefighters.state.disk import SHORT, blob_id
from flakefighters.state.generated import version_stamp

if TYPE_CHECKING:
    from flakefighters.state.checkout import Checkout

__all__ = ["renamed"]

_NATIVE: Final = (".so", ".pyd")
#: More files, or larger ones, are not looked at.
_MOST: Final = 2_000
_LARGEST: Final = 1 << 20


def renamed(
    installed: Iterable[tuple[str, str]],
    states: Sequence[Mapping[str, str]],
    packages: Mapping[str, str],
    checkout: Checkout,
) -> dict[str, str]:
    """Installed path ("shop/tax.py") to the path in the checkout, "" for code of unknown origin.

    ``installed`` has folders of packages and paths below them, ``states`` path to blob id of the
    states that count, the present one first.  What ``packages`` leads to is left out.
    """
    paths = {path: None for state in states for path in state}
    left = {
        inner: f"{folder}/{inner}"
        for folder, inner in islice(installed, _MOST)
        if _by_package(inner, packages) not in paths
    }
    if not left:
        return {}
    same = _of_same_content(left, states, checkout)
    folders = _folders(same)
    names: dict[str, list[str]] = {}
    for path in paths:
        names.setdefault(path.rpartition("/")[2], []).append(path)
    found: dict[str, str] = {}
    for inner in left:
        moved = _moved(inner, folders)
        alike = names.get(inner.rpartition("/")[2], [])
        if moved in paths or (moved and inner.endswith(_NATIVE)):
            found[inner] = moved
        elif inner in same:
            found[inner] = same[inner]
        elif len(alike) == 1:
            found[inner] = alike[0]
        elif inner.endswith(".py") and not version_stamp(inner):
            found[inner] = ""
    return found


def _by_package(inner: str, packages: Mapping[str, str]) -> str:
    folder = packages.get(inner.partition("/")[0].removesuffix(".py"), "")
    return f"{folder}/{inner}" if folder else inner


def _of_same_content(
    left: Mapping[str, str], states: Sequence[Mapping[str, str]], checkout: Checkout
) -> dict[str, str]:
    """Of each file the path with its content that looks most like its own; empty ones have none."""
    holders: dict[str, dict[str, None]] = {}
    for state in states:
        for path, blob in state.items():
            holders.setdefault(blob, {})[path] = None
    digits = len(checkout.tree or "") or 40
    found = {}
    for inner, place in left.items():
        content = checkout.disk.read(place, 0, _LARGEST)
        alike = holders.get(blob_id(content, digits)[:SHORT]) if content else None
        if alike:
            found[inner] = max(alike, key=lambda path: _in_common(inner, path))
    return found


def _in_common(one: str, other: str) -> int:
    """How many parts at their ends two paths have in common."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), one.count("/") + 1)


def _folders(same: Mapping[str, str]) -> dict[str, str]:
    """Installed folder to the folder in the checkout that most of its files come from."""
    votes: dict[str, Counter[str]] = {}
    for inner, path in same.items():
        for count in range(1, _in_common(inner, path) + 1):
            to, origin = (one.rsplit("/", count) for one in (f"/{inner}", f"/{path}"))
            votes.setdefault(to[0], Counter())[origin[0]] += 1
    return {to: origins.most_common(1)[0][0] for to, origins in votes.items()}


def _moved(inner: str, folders: Mapping[str, str]) -> str:
    """Where a file lies in the checkout if it lies beside those that were installed with it."""
    folder, rest = f"/{inner}", ""
    while folder:
        folder, _, part = folder.rpartition("/")
        rest = f"/{part}{rest}"
        if folder in folders:
            return f"{folders[folder]}{rest}".removeprefix("/")
    return ""
