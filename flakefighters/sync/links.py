"""Walk over rows that are told relative to each other: suites and listings."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from flakefighters.history import pack
from flakefighters.history.chains import TABLES, links
from flakefighters.history.database import Database
from flakefighters.history.layout import COLUMNS
from flakefighters.history.pack import MAX_CHAIN, ListingLink, SuiteLink

__all__ = ["live_content", "walk"]

#: From a chain to its content (tests in order of collection, or files), and to a link from that.
_CONTENTS: Final[dict[type[Any], tuple[Callable[..., Any], Callable[..., Any]]]] = {
    SuiteLink: (pack.order_of, pack.link_suite),
    ListingLink: (pack.files_of, pack.link_listing),
}


def walk(
    connection: sqlite3.Connection,
    live: Database | None,
    kind: type[Any],
    good: Callable[[Any, Any], bool],
    bad: set[tuple[str, Any]],
) -> Iterator[tuple[str, Any]]:
    """Each suite or listing of a staged file, with its content.

    None if it, or what it is relative to, is not what it claims; those are added to ``bad``.
    ``live`` may hold what they are relative to.  Links that stand in too long a chain stand alone
    from now on.  Only the contents along one branch are kept at a time.
    """
    table, names = TABLES[kind], COLUMNS[TABLES[kind]]
    content_of, link_to = _CONTENTS[kind]
    known: dict[str, Any] = {}
    for row in connection.execute(f"SELECT {', '.join(names)} FROM {table}"):  # noqa: S608
        try:
            known[row[0]] = kind.read(row)
        except Exception:  # whatever malformed data provoke in our own code
            bad.add((table, row[0]))
    children: dict[str | None, list[str]] = defaultdict(list)
    for name, link in known.items():
        children[link.base if link.base in known else None].append(name)

    def checked(link: Any, base: Any, depth: int) -> tuple[Any, int]:
        try:
            if link.base is not None and base is None and link.base not in known:
                base, depth = live_content(live, kind, link.base) or (None, 0)
            if link.base is None or base is not None:
                chain = [link] if base is None else [link, link_to(link.base, base, ())]
                content = content_of(chain)
                return (content if good(link, content) else None), depth
        except Exception:  # noqa: S110 - as above
            pass
        return None, depth

    update = f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"  # noqa: S608
    waiting: list[tuple[str, Any, int]] = [(name, None, 0) for name in children.pop(None, ())]
    left = set(known)
    while waiting:
        name, base, depth = waiting.pop()
        left.discard(name)
        content, depth = checked(known[name], base, depth)
        if content is None:
            bad.add((table, name))
        elif depth >= MAX_CHAIN:
            connection.execute(update, (*link_to(name, content, ()).row(), name))
            depth = 0
        yield name, content
        waiting += [(child, content, depth + 1) for child in children[name]]
    for name in left:  # they go in circles
        bad.add((table, name))
        yield name, None


def live_content(live: Database | None, kind: type[Any], name: str) -> tuple[Any, int] | None:
    """Content and depth of a suite or listing that a history holds."""
    found = {} if live is None else links(live, kind, [name])
    if name not in found:
        return None
    chain = pack.chain_of(found, name)
    return _CONTENTS[kind][0](chain), len(chain)
