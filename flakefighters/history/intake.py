"""What a history does not take in, or not as it comes: too old, or purged."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flakefighters.history.content import from_json, to_json
from flakefighters.history.database import TRUST_RANKS
from flakefighters.history.unreadable import MALFORMED
from flakefighters.ids import unstorable
from flakefighters.model import Trust

if TYPE_CHECKING:
    from flakefighters.history.database import Writer

__all__ = ["Saved", "closed_to", "marks", "purged_names", "same_origin"]


class Saved(enum.Enum):
    """What became of a run that was to be saved; true if it is new."""

    NEW = "new"
    #: It was there already, with equal content.
    KNOWN = "known"
    #: It is older than the history keeps.
    BEYOND = "beyond retention"
    #: It was purged here, or on another machine.
    PURGED = "purged"

    def __bool__(self) -> bool:
        return self is Saved.NEW


def closed_to(trust: Trust, best: int | None) -> bool:
    """Whether nothing can be added to a run that has this rank, by a role of this trust.

    The server's policies say the same, see ``roles_sql.py``.
    """
    return trust is Trust.PR and best in (TRUST_RANKS[Trust.PROTECTED], TRUST_RANKS[Trust.LOCAL])


_MARKS: Final = """
SELECT DISTINCT f.run, t.nodeid, c.signature FROM {s}failure f
JOIN {s}failure_text c ON c.id = f.failure_text JOIN {s}test t ON t.id = f.test
WHERE f.run IN {hash:runs}
"""


def purged_names(writer: Writer) -> frozenset[str]:
    """Ids of the signatures that were purged."""
    rows = writer.query("SELECT id FROM {s}tombstone WHERE kind = 'signature'")
    return frozenset(name for (name,) in rows)


def marks(writer: Writer, runs: Iterable[str], names: frozenset[str]) -> set[tuple[str, str]]:
    """Of these runs, those and the node ids of tests that failed with such a signature."""
    from flakefighters.history.purge_text import is_purged

    return {
        (run, unstorable(nodeid))
        for run, nodeid, signature in writer.query(_MARKS, runs=to_json(sorted(runs)))
        if is_purged(unstorable(signature), names)
    }


def same_origin(known: str, extra: str | None, origin: str) -> bool:
    """Whether a run that is here was recorded with this content hash, whatever was purged since.

    ``known`` and ``extra`` are what its row says, ``origin`` what the one that came says.
    """
    from flakefighters.history.purge_text import ORIGIN

    try:
        said = from_json(extra).get(ORIGIN, known) if extra else known
    except MALFORMED:
        said = known
    return bool(said == origin)
