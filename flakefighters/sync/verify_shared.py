"""Check facts that runs share: each key must be the hash of what is said under it.

A false suite or listing under an honest key would falsify every honest run that comes later, so
nothing is let in unchecked.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any, Final

from flakefighters.history import content
from flakefighters.history.database import Database
from flakefighters.history.pack import ListingLink
from flakefighters.ids import encode, h64, h128, storable, unstorable
from flakefighters.records import record
from flakefighters.sync.links import walk

__all__ = ["Shared", "canonical_json", "holds", "text_field"]


def text_field(stored: str | None) -> bytes:
    """What a stored text adds to a hash, see ``ids.py``."""
    if stored is None:
        return b"n0:"
    body = stored.encode("utf-8")
    if b"\x11" in body:
        return encode(unstorable(stored))
    return b"s%d:%b" % (len(body), body)


def canonical_json(text: str) -> Any:
    """The value of JSON text that is written as we write it; ValueError for any other."""
    value = content.from_json(text)
    if content.to_json(value) != text:
        raise ValueError("JSON that is not in our form")
    return value


def holds(good: Callable[..., bool], *row: Any) -> bool:
    """Whether a row stands a check; a check that fails by itself is not stood."""
    try:
        return good(*row)
    except Exception:  # whatever malformed data provoke in our own code
        return False


@record
class Shared:
    """The shared facts in a staged file."""

    connection: sqlite3.Connection
    #: The history that the file is meant for, for what the file leaves out; None if it is new.
    live: Database | None = None
    #: Table and key of all that is not what its key says.
    bad: set[tuple[str, Any]] = field(default_factory=set)
    #: Identity by project.
    identities: dict[int, str] = field(default_factory=dict)
    #: Of each test: its project, its node id, and that as a field of a hash.
    tests: dict[int, tuple[int, str, bytes]] = field(default_factory=dict)

    def check(self) -> None:
        """Check all but the suites, which are walked together with their runs."""
        self._projects()
        self._tests()
        for table, columns, good in _CHECKS:
            for row in self.connection.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608
                if not holds(good, *row):
                    self.bad.add((table, row[0]))
        self._listings()

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """Ask the staged file."""
        return self.connection.execute(sql, params).fetchall()

    def need_tests(self, tests: Iterable[int]) -> None:
        """Look up in the live history those that the file leaves out, if they are there."""
        missing = [test for test in tests if test not in self.tests]
        if not missing or self.live is None:
            return
        for name, project, nodeid in self.live.query(
            "SELECT id, project, nodeid FROM {s}test WHERE id IN {number:ids}",
            ids=content.to_json(missing),
        ):
            self.tests[name] = project, nodeid, text_field(nodeid)

    def _projects(self) -> None:
        if self.live is not None:
            for name, identity in self.live.query("SELECT id, identity FROM {s}project"):
                self.identities[name] = unstorable(identity)
        for name, identity in self.rows("SELECT id, identity FROM project"):
            if holds(_good_project, name, identity):
                self.identities[name] = unstorable(identity)
            else:
                self.bad.add(("project", name))

    def _tests(self) -> None:
        for name, project, nodeid, masked in self.rows(
            "SELECT id, project, nodeid, masked FROM test"
        ):
            if holds(_good_test, name, self.identities.get(project), nodeid, masked):
                self.tests[name] = project, nodeid, text_field(nodeid)
            else:
                self.bad.add(("test", name))

    def _listings(self) -> None:
        pairs: dict[tuple[str, str], tuple[str, bytes]] = {}

        def good(link: ListingLink, files: dict[str, str]) -> bool:
            return link.n == len(files) and _listing_id(files, pairs) == link.id

        for _ in walk(self.connection, self.live, ListingLink, good, self.bad):
            pass  # what is bad is noted


def _listing_id(files: dict[str, str], pairs: dict[tuple[str, str], tuple[str, bytes]]) -> str:
    """The same as ``content.listing_id``, but what many listings share is encoded once."""
    for pair in files.items() - pairs.keys():
        path, blob = pair
        if ".." in path.split("/") or path.startswith("/"):
            raise ValueError("a file lies outside of the project")
        if len(blob) != 16 or not set(blob) <= _HEX:
            raise ValueError("a file's id is malformed")
        stored = storable(path)
        # Keys of a mapping are hashed as they are stored, see ``ids.encode``.
        pairs[pair] = stored, encode(stored) + encode(blob)
    body = b"".join([part for _, part in sorted([pairs[pair] for pair in files.items()])])
    return hashlib.sha256(b"s7:listingm%d:%b" % (len(body), body)).digest()[:16].hex()


# Without looking for blanks around the value, which are not there.
_decode = json.JSONDecoder().raw_decode
_HEX: Final = frozenset("0123456789abcdef")


def _good_project(name: int, identity: str) -> bool:
    return content.project_id(unstorable(identity)) == name


def _good_test(name: int, identity: str | None, nodeid: str, masked: str | None) -> bool:
    plain = unstorable(nodeid)
    stable = content.masked(plain)
    said = None if stable is None else storable(stable)
    return identity is not None and h64("test", identity, plain) == name and masked == said


def _good_state(name: str, tree: str | None, digest: str | None) -> bool:
    return h128("state", _plain(tree), _plain(digest)) == name


def _good_environment(name: str, key: str, settings: str, distributions: str) -> bool:
    said, installed = canonical_json(settings), canonical_json(distributions)
    made = h128("environment", said, installed), h128("environment key", said)
    return made == (name, key)


def _good_sequence(name: str, body: str) -> bool:
    order = canonical_json(body)
    plain = all(type(place) is int and place >= 0 for worker in order for place in worker)
    return plain and content.sequence_id(body) == name


def _good_text(name: str, signature: str, version: int, exception: str | None, text: str) -> bool:
    fields = b"s7:failure%b%b%b%b" % (
        text_field(signature),
        encode(version),
        text_field(exception),
        text_field(text),
    )
    return hashlib.sha256(fields).digest()[:16].hex() == name


def _good_evidence(name: str, body: str) -> bool:
    # Its own text is its key: only what could not be read has to stay out.
    value, end = _decode(body)
    made = hashlib.sha256(b"s8:evidence" + text_field(body)).digest()[:16].hex()
    return made == name and isinstance(value, dict) and end == len(body)


def _plain(text: str | None) -> str | None:
    return None if text is None else unstorable(text)


_CHECKS: Final[tuple[tuple[str, str, Callable[..., bool]], ...]] = (
    ("state", "id, tree, digest", _good_state),
    ("environment", "id, key, settings, distributions", _good_environment),
    ("sequence", "id, body", _good_sequence),
    ("failure_text", "id, signature, signature_version, exception, text", _good_text),
    ("evidence", "id, body", _good_evidence),
)
