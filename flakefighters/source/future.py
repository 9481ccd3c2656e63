"""What ``from __future__ import ...`` does to a file."""

from __future__ import annotations

import ast

from flakefighters.source.context import Around
from flakefighters.source.entries import Entry
from flakefighters.source.pairs import Pair

__all__ = ["is_idle_future", "may_show_future"]


def _is_future(entry: Entry) -> bool:
    return isinstance(entry.node, ast.ImportFrom) and entry.node.module == "__future__"


def may_show_future(pair: Pair, around: Around | None) -> bool:
    """Whether it matters that annotations are evaluated, or are not any more."""
    versions = [entry for entry in (pair.old, pair.new) if entry is not None]
    if not any(map(_is_future, versions)):
        return False
    new = pair.old is None and pair.shown.names[0] == "annotations"
    return not new or around is None or around.annotations_are_read()


def is_idle_future(entry: Entry) -> bool:
    """``from __future__ import division`` and the like, which nothing depends on any more."""
    return _is_future(entry) and entry.names[0] not in ("annotations", "barry_as_FLUFL")
