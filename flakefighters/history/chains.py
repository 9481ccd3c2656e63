"""Fetching suites and listings with all that they are relative to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flakefighters.history.content import to_json
from flakefighters.history.layout import COLUMNS
from flakefighters.history.pack import ListingLink, SuiteLink, chain_of
from flakefighters.history.unreadable import MALFORMED

if TYPE_CHECKING:
    from flakefighters.history.database import Database, Writer

__all__ = ["TABLES", "chain", "links"]

#: The table of each kind of link.
TABLES: Final[dict[type[Any], str]] = {SuiteLink: "suite", ListingLink: "listing"}

_L = TypeVar("_L", SuiteLink, ListingLink)

# UNION, not UNION ALL: ends even if a damaged file goes in circles.
_CHAIN: Final = """
WITH RECURSIVE chain(id, base) AS (
  SELECT id, base FROM {s}{table} WHERE id IN {hash:ids}
  UNION
  SELECT t.id, t.base FROM {s}{table} t JOIN chain c ON t.id = c.base
)
SELECT {columns} FROM {s}{table} t JOIN chain c ON c.id = t.id
"""


def links(
    asks: Database | Writer, kind: type[_L], ids: Iterable[str], *, places: bool = True
) -> dict[str, _L]:
    """All links of the chains of these suites or listings; ``places`` only if order matters."""
    table = TABLES[kind]
    columns = ", ".join(f"t.{name}" for name in COLUMNS[table])
    sql = _CHAIN.replace("{table}", table).replace("{columns}", columns)
    sql = sql if places else sql.replace("t.places", "NULL")
    found = {}
    for row in asks.query(sql, ids=to_json(sorted(set(ids)))):
        with suppress(*MALFORMED):  # the chain of what needs it is broken
            found[row[0]] = kind.read(row)
    return found


def chain(asks: Database | Writer, kind: type[_L], leaf: str) -> list[_L]:
    """The links from ``leaf`` to its root.  ValueError if one is missing."""
    return chain_of(links(asks, kind, [leaf]), leaf)
