"""Which tests of a history a name stands for, spelt as pytest would take it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from flakefighters.cli.place import Place
from flakefighters.errors import NotFoundError

__all__ = ["matching", "no_test", "spellings", "the_only"]

#: How many names are offered for one that is not known.
_NEAREST = 5


def spellings(place: Place, nodeid: str) -> Iterator[str]:
    """How the history may have written a node id that pytest printed, or that it wrote itself.

    Its path is relative to the checkout's base; pytest prints it relative to its rootdir, and
    people complete it relative to where they stand.
    """
    yield nodeid
    path, colons, rest = nodeid.partition("::")
    tried = {nodeid}
    for start in (place.anchor.path, place.folder, Path.cwd()):
        full = os.path.normpath(start / path)
        inside = place.checkout.relative(full)
        if inside is not None and (spelling := inside + colons + rest) not in tried:
            tried.add(spelling)
            yield spelling


def matching(place: Place, asked: str, names: Sequence[str]) -> list[str]:
    """The known tests that ``asked`` stands for, if it is not the whole name of one.

    It may lack the parameters, or be a class, a file or a folder; else it may lack what stands in
    front: the bare name of a test, a class or a file.
    """
    for spelling in spellings(place, asked):
        if spelling in ("", "."):
            return list(names)
        start = re.compile(re.escape(spelling.rstrip("/")) + r"(?:::|\[|/)")
        found = [name for name in names if start.match(name)]
        if found:
            return found
    inner = re.compile(r"(?:^|/|::)" + re.escape(asked) + r"(?:$|::|\[|/)")
    return [name for name in names if inner.search(name)]


def _near(asked: str, names: Sequence[str]) -> list[str]:
    """The known names that hold the text, else those that look like it."""
    holding = [name for name in names if asked.lower() in name.lower()]
    found = holding[:_NEAREST] or difflib.get_close_matches(asked, names, _NEAREST, 0.6)
    if found or "::" in asked:
        return found
    # A bare name is much shorter than a node id, and most begin with "test_".
    bare = {name: name.rpartition("::")[2].partition("[")[0] for name in names}
    close = difflib.get_close_matches(asked, set(bare.values()), _NEAREST, 0.8)
    return [name for name in names if bare[name] in close][:_NEAREST]


def no_test(asked: str, names: Sequence[str]) -> NotFoundError:
    """The error for a name that is none of these; it offers those that are near."""
    offered = _near(asked, names)
    return NotFoundError(
        f"no test {asked!r} in this history",
        remedy=f"did you mean {', '.join(offered)}?" if offered else "see `flakefighters tests`",
    )


def the_only(asked: str, found: Sequence[str], names: Sequence[str]) -> str:
    """The one test that was found among ``names``.  NotFoundError for none and for several."""
    if len(found) == 1:
        return found[0]
    if not found:
        raise no_test(asked, names)
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    raise NotFoundError(
        f"{asked} stands for {len(found)} tests",
        remedy=f"name one of {', '.join(found[:5])}{more}",
    )
