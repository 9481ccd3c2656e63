"""The compact form of suites, listings and outcomes: packing, unpacking, differences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from flakefighters.history.content import from_json, to_json
from flakefighters.records import NamedTuple

__all__ = [
    "MAX_CHAIN",
    "ListingLink",
    "SuiteLink",
    "chain_of",
    "files_of",
    "link_listing",
    "link_suite",
    "members_of",
    "order_of",
    "pack_durations",
    "pack_outcomes",
    "unpack_durations",
    "unpack_outcomes",
]

#: The longest chain of bases that is written, and the longest that is followed.
MAX_CHAIN: Final = 32
_ENDLESS: Final = 1024

# What one test id and one place cost in JSON, to choose the shorter of two forms.
_ID_COST: Final = 21
_PLACE_COST: Final = 5

_compact = json.JSONEncoder(separators=(",", ":")).encode


# -- Outcomes and durations: from order of collection to ascending test ids and back -----------


def _ranks(tests: Sequence[int]) -> list[int]:
    """Places in order of collection, listed in ascending order of test ids."""
    return sorted(range(len(tests)), key=tests.__getitem__)


def pack_outcomes(tests: Sequence[int], outcomes: str) -> str:
    """One character if all are equal, else one per test in ascending order of ids."""
    if outcomes and outcomes == outcomes[0] * len(outcomes):
        return outcomes[0]
    return "".join([outcomes[place] for place in _ranks(tests)])


def unpack_outcomes(tests: Sequence[int], packed: str) -> str:
    """The inverse of :func:`pack_outcomes`."""
    if len(packed) == 1:
        return packed * len(tests)
    made = [""] * len(tests)
    for letter, place in zip(packed, _ranks(tests), strict=True):
        made[place] = letter
    return "".join(made)


def pack_durations(tests: Sequence[int], durations: Sequence[int]) -> str:
    """A JSON array, three numbers per test, in ascending order of ids."""
    return _compact(
        [number for place in _ranks(tests) for number in durations[3 * place : 3 * place + 3]]
    )


def unpack_durations(tests: Sequence[int], packed: str) -> tuple[int, ...]:
    """The inverse of :func:`pack_durations`."""
    flat = json.loads(packed)
    if len(flat) != 3 * len(tests):
        raise ValueError(f"{len(flat)} durations of {len(tests)} tests")
    made = [0] * len(flat)
    for rank, place in enumerate(_ranks(tests)):
        made[3 * place : 3 * place + 3] = flat[3 * rank : 3 * rank + 3]
    return tuple(made)


# -- Chains of what is relative to something else ------------------------------------------------


class Link(Protocol):
    """What is relative to something else of its kind."""

    @property
    def id(self) -> str: ...
    @property
    def base(self) -> str | None: ...


_L = TypeVar("_L", bound=Link)


def chain_of(links: Mapping[str, _L], leaf: str) -> list[_L]:
    """The links from ``leaf`` to its root.  ValueError if one is missing or they go in a circle."""
    chain: list[_L] = []
    name: str | None = leaf
    while name is not None:
        if name not in links or len(chain) > _ENDLESS:
            raise ValueError(f"the chain of {leaf} is broken or endless")
        chain.append(links[name])
        name = chain[-1].base
    return chain


def _parent(chain: Sequence[_L]) -> Sequence[_L]:
    """Where a new link may hang: on the leaf, or on the root once the chain is long."""
    return chain if len(chain) < MAX_CHAIN else chain[-1:]


# -- Suites --------------------------------------------------------------------------------------


class SuiteLink(NamedTuple):
    """A row of ``suite`` without its hash's subject: see there for the fields."""

    id: str
    n: int
    base: str | None
    added: Sequence[int]
    removed: Sequence[int]
    #: None, {"at": [...]} or {"order": [...]}.
    places: Mapping[str, Sequence[int]] | None

    @classmethod
    def read(cls, row: Sequence[Any]) -> SuiteLink:
        """From a row (id, n, base, added, removed, places)."""
        name, n, base, added, removed, places = row
        return cls(
            name, n, base, json.loads(added), json.loads(removed), places and json.loads(places)
        )

    def row(self) -> tuple[Any, ...]:
        """The inverse of :meth:`read`."""
        places = None if self.places is None else _compact(self.places)
        return (self.id, self.n, self.base, _compact(self.added), _compact(self.removed), places)


def members_of(chain: Sequence[SuiteLink]) -> list[int]:
    """The tests of the first link of a chain (leaf to root), ascending."""
    members: set[int] = set()
    for link in reversed(chain):
        members.difference_update(link.removed)
        members.update(link.added)
    return sorted(members)


def order_of(chain: Sequence[SuiteLink]) -> list[int]:
    """The tests of the first link of a chain (leaf to root), in order of collection."""
    start = len(chain) - 1
    for index, link in enumerate(chain):
        if link.places is not None and "order" in link.places:
            start = index
            break
    top = chain[start]
    if top.places is None:
        order = list(top.added)
    else:
        members = members_of(chain[start:])
        order = [members[rank] for rank in top.places["order"]]
    for link in reversed(chain[:start]):
        order = _edit(order, link)
    return order


def _edit(order: list[int], link: SuiteLink) -> list[int]:
    gone = set(link.removed)
    kept = iter([test for test in order if test not in gone])
    places = () if link.places is None else link.places["at"]
    made: list[int] = []
    for place, test in zip(places, link.added, strict=True):
        while len(made) < place:
            made.append(next(kept))
        made.append(test)
    made.extend(kept)
    return made


def link_suite(name: str, tests: Sequence[int], chain: Sequence[SuiteLink]) -> SuiteLink:
    """The shortest row for a suite: whole, or relative to the chain of another one (or ())."""
    whole = SuiteLink(name, len(tests), None, tests, (), None)
    # A mere reordering carries all places: nothing is won by hanging on it.
    while chain and chain[0].base and not chain[0].added and not chain[0].removed:
        chain = chain[1:]
    if not chain:
        return whole
    link, cost = _relative_suite(name, tests, _parent(chain))
    return link if cost < len(tests) * _ID_COST else whole


def _relative_suite(
    name: str, tests: Sequence[int], chain: Sequence[SuiteLink]
) -> tuple[SuiteLink, int]:
    """The row relative to a chain, and what it costs."""
    old = order_of(chain)
    before, after = set(old), set(tests)
    removed = sorted(before - after)
    base = chain[0].id
    if [test for test in old if test in after] == [test for test in tests if test in before]:
        at = [place for place, test in enumerate(tests) if test not in before]
        added = [tests[place] for place in at]
        link = SuiteLink(name, len(tests), base, added, removed, {"at": at})
        cost = len(at) * (_ID_COST + _PLACE_COST)
    else:
        members = sorted(after)
        rank = {test: index for index, test in enumerate(members)}
        order = [rank[test] for test in tests]
        link = SuiteLink(name, len(tests), base, sorted(after - before), removed, {"order": order})
        cost = len(link.added) * _ID_COST + len(order) * _PLACE_COST
    return link, cost + len(removed) * _ID_COST


# -- Listings ------------------------------------------------------------------------------------


class ListingLink(NamedTuple):
    """A row of ``listing``."""

    id: str
    n: int
    base: str | None
    put: Mapping[str, str]
    gone: Sequence[str]

    @classmethod
    def read(cls, row: Sequence[Any]) -> ListingLink:
        """From a row (id, n, base, files)."""
        name, n, base, files = row
        body = from_json(files)
        return cls(name, n, base, body.get("set", {}), body.get("gone", ()))

    def row(self) -> tuple[Any, ...]:
        """The inverse of :meth:`read`."""
        body: dict[str, Any] = {"set": self.put}
        if self.gone:
            body["gone"] = self.gone
        return (self.id, self.n, self.base, to_json(body))


def files_of(chain: Sequence[ListingLink]) -> dict[str, str]:
    """The files of the first link of a chain (leaf to root)."""
    files: dict[str, str] = {}
    for link in reversed(chain):
        for path in link.gone:
            files.pop(path, None)
        files.update(link.put)
    return files


def link_listing(name: str, files: Mapping[str, str], chain: Sequence[ListingLink]) -> ListingLink:
    """The shortest row for a listing: whole, or relative to the chain of another one (or ())."""
    if chain:
        chain = _parent(chain)
        old = files_of(chain)
        put = {path: blob for path, blob in files.items() if old.get(path) != blob}
        gone = sorted(path for path in old if path not in files)
        if len(put) + len(gone) < len(files):
            return ListingLink(name, len(files), chain[0].id, put, gone)
    return ListingLink(name, len(files), None, files, ())
