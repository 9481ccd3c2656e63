"""Which files differ between two file maps."""

from __future__ import annotations

from collections.abc import Mapping

from flakefighters.model import Change, ChangeKind

__all__ = ["differing"]


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """Files added, removed and changed from ``old`` to ``new``, in order of their paths.

    Python sources are of the kind FILE, everything else is DATA.  Which of them matter is for
    others to say.
    """
    found = []
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        how = "added" if before is None else "removed" if after is None else "changed"
        kind = ChangeKind.FILE if path.endswith((".py", ".pyw")) else ChangeKind.DATA
        found.append(Change(kind=kind, path=path, how=how))
    return tuple(found)
