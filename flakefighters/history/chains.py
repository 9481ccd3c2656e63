"""Fetching suites and listings with all that they are relative to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from flakefighters.history.content import to_json
from flakefighters.history.pack import ListingLink, SuiteLink, chain_of
from flakefighters.history.unreadable import MALFORMED

if TYPE_CHECKING:
    from flakefighters.history.database import Database, Row, Writer

__all__ = ["listing_chain", "listing_links", "suite_chain", "suite_links"]

# UNION, not UNION ALL: ends even if a damaged file goes in circles.
_CHAIN = """
WITH RECURSIVE chain(id, base) AS (
  SELECT id, base FROM {s}{table} WHERE id IN {wanted}
  UNION
  SELECT t.id, t.base FROM {s}{table} t JOIN chain c ON t.id = c.base
)
SELECT {columns} FROM {s}{table} t JOIN chain c ON c.id = t.id
"""
_SUITE = "t.id, t.n, t.base, t.added, t.removed, t.places"
_MEMBERS = "t.id, t.n, t.base, t.added, t.removed, NULL"
_LISTING = "t.id, t.n, t.base, t.files"


def _ask(
    asks: Database | Writer, table: str, columns: str, wanted: str, **params: object
) -> list[Row]:
    sql = _CHAIN.replace("{table}", table).replace("{columns}", columns)
    return asks.query(sql.replace("{wanted}", wanted), **params)


def suite_chain(writer: Writer, leaf: str) -> list[SuiteLink]:
    """The chain of one suite."""
    rows = _ask(writer, "suite", _SUITE, "(:leaf)", leaf=leaf)
    return chain_of({row[0]: SuiteLink.read(row) for row in rows}, leaf)


def listing_chain(writer: Writer, leaf: str) -> list[ListingLink]:
    """The chain of one listing."""
    rows = _ask(writer, "listing", _LISTING, "(:leaf)", leaf=leaf)
    return chain_of({row[0]: ListingLink.read(row) for row in rows}, leaf)


def suite_links(database: Database, suites: Iterable[str], *, places: bool) -> dict[str, SuiteLink]:
    """All links of the chains of these suites; ``places`` only if order matters."""
    wanted = to_json(sorted(set(suites)))
    columns = _SUITE if places else _MEMBERS
    rows = _ask(database, "suite", columns, "{hash:ids}", ids=wanted)
    links = {}
    for row in rows:
        with suppress(*MALFORMED):  # the chain of what needs it is broken
            links[row[0]] = SuiteLink.read(row)
    return links


def listing_links(database: Database, listings: Iterable[str]) -> dict[str, ListingLink]:
    """All links of the chains of these listings."""
    wanted = to_json(sorted(set(listings)))
    rows = _ask(database, "listing", _LISTING, "{hash:ids}", ids=wanted)
    return {row[0]: ListingLink.read(row) for row in rows}
