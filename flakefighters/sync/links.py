"""Walk over rows that are told relative to each other: suites and listings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from flakefighters.history import chains, pack
from flakefighters.history.database import Database
from flakefighters.history.pack import MAX_CHAIN, Link, ListingLink, SuiteLink

__all__ = ["files_from", "live_files", "live_order", "order_from", "walk"]


L = TypeVar("L", bound=Link)
C = TypeVar("C")


def walk(
    links: Mapping[str, L],
    live: Callable[[str], tuple[C, int] | None],
    derive: Callable[[C | None, L], C],
    good: Callable[[L, C], bool],
    rebase: Callable[[L, C], None],
) -> Iterator[tuple[str, C | None]]:
    """Each link with its content; None if it, or what it is relative to, is not what it claims.

    ``live`` gives content and depth of a base that is elsewhere; ``rebase`` is told of links that
    stand in too long a chain.  Only the contents along one branch are kept at a time.
    """
    children: dict[str | None, list[str]] = defaultdict(list)
    for name, link in links.items():
        children[link.base if link.base in links else None].append(name)
    waiting: list[tuple[str, C | None, int]] = [(name, None, 0) for name in children.pop(None, ())]
    left = set(links)

    def content_of(link: L, base: C | None, depth: int) -> tuple[C | None, int]:
        try:
            if link.base is not None and base is None and link.base not in links:
                base, depth = live(link.base) or (None, 0)
            if link.base is None or base is not None:
                content = derive(base, link)
                return (content if good(link, content) else None), depth
        except Exception:  # noqa: S110 - whatever malformed data provoke in our own code
            pass
        return None, depth

    while waiting:
        name, base, depth = waiting.pop()
        left.discard(name)
        link = links[name]
        content, depth = content_of(link, base, depth)
        if content is not None and depth >= MAX_CHAIN:
            rebase(link, content)
            depth = 0
        yield name, content
        waiting += [(child, content, depth + 1) for child in children[name]]
    yield from dict.fromkeys(left).items()  # they go in circles


def order_from(base: list[int] | None, link: SuiteLink) -> list[int]:
    """The tests of a suite in order of collection; ``base`` is the same of what it hangs on."""
    if base is None:
        return pack.order_of([link])
    return pack.order_of([link, SuiteLink(link.base or "", len(base), None, base, (), None)])


def files_from(base: dict[str, str] | None, link: ListingLink) -> dict[str, str]:
    """The files of a listing, from those of what it hangs on."""
    if base is None:
        return pack.files_of([link])
    return pack.files_of([link, ListingLink(link.base or "", len(base), None, base, ())])


def live_order(database: Database | None, name: str) -> tuple[list[int], int] | None:
    """Order and depth of a suite that a history holds."""
    links = {} if database is None else chains.suite_links(database, [name], places=True)
    if name not in links:
        return None
    chain = pack.chain_of(links, name)
    return pack.order_of(chain), len(chain)


def live_files(database: Database | None, name: str) -> tuple[dict[str, str], int] | None:
    """Files and depth of a listing that a history holds."""
    links = {} if database is None else chains.listing_links(database, [name])
    if name not in links:
        return None
    chain = pack.chain_of(links, name)
    return pack.files_of(chain), len(chain)
