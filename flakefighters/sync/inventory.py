"""What a history holds, as far as it must be known to find out what another one lacks.

Sets of ids are compared, never a growing number: a run that was recorded earlier may be committed
later, and would be missed for ever.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import field
from typing import Final

from flakefighters.history.database import TRUST_RANKS, Database
from flakefighters.history.prune import horizons
from flakefighters.history.purge import Tombstone, tombstones
from flakefighters.history.purge_text import ORIGIN
from flakefighters.model import Trust
from flakefighters.records import NamedTuple, record

__all__ = ["QUESTION", "UNTRUSTED", "Entry", "Inventory", "digest", "of_lines", "of_sqlite"]

UNTRUSTED: Final = TRUST_RANKS[Trust.UNTRUSTED]


class Entry(NamedTuple):
    """One run."""

    content_hash: str
    trust: int
    project: int
    started: int
    #: Stands for the set of its verdicts; empty if it has none.
    verdicts: str
    #: The content hash with which it was recorded, if something of it was purged since.
    origin: str = ""

    def is_copy_of(self, other: Entry) -> bool:
        """Whether both were recorded as the same run, whatever was purged of them since."""
        return (self.origin or self.content_hash) == (other.origin or other.content_hash)


@record
class Inventory:
    """One history."""

    runs: dict[str, Entry] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)
    #: Rows of ``tombstone`` by kind and id.
    tombstones: dict[tuple[str, str], Tombstone] = field(default_factory=dict)
    #: The oldest start that is kept, by project.
    horizons: dict[int, int] = field(default_factory=dict)
    #: How many runs are there beside these, older than who asked would take.
    beyond: int = 0

    def takes(self, run: str, entry: Entry) -> str | None:
        """None if the history would keep such a run; else "beyond" or "purged"."""
        if ("run", run) in self.tombstones:
            return "purged"
        if entry.started < self.horizons.get(entry.project, entry.started):
            return "beyond"
        return None


def digest(verdicts: list[str]) -> str:
    """What stands for a set of verdicts: equal for equal sets."""
    if not verdicts:
        return ""
    return hashlib.sha256("".join(sorted(verdicts)).encode("ascii")).hexdigest()[:32]


# What a run says of itself, only where it may say what it was recorded as: it is read here, since
# text that is no JSON would end the question there.
_RUNS: Final = (
    "SELECT r.id, r.content_hash, (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id), "
    "r.project, r.started, CASE WHEN r.extra LIKE '%purged_from%' THEN r.extra END FROM {s}run r"
)


def of_sqlite(database: Database) -> Inventory:
    """The inventory of a history in SQLite."""
    found = Inventory()
    verdicts: dict[str, list[str]] = defaultdict(list)
    for run, name in database.query("SELECT run, id FROM {s}verdict"):
        verdicts[run].append(name)
    for run, content_hash, trust, project, started, extra in database.query(_RUNS):
        rank = UNTRUSTED if trust is None else trust
        said = digest(verdicts.get(run, []))
        found.runs[run] = Entry(content_hash, rank, project, started, said, _origin(extra))
    found.events = dict(database.query("SELECT id, content_hash FROM {s}event"))
    found.tombstones = tombstones(database)
    found.horizons = horizons(database)
    return found


def _origin(extra: str | None) -> str:
    try:
        said = json.loads(extra)[ORIGIN] if extra else ""
    except (ValueError, TypeError, KeyError):
        return ""
    return said if isinstance(said, str) else ""


#: The same of a history in PostgreSQL, as one question with one column of JSON text.  Of runs that
#: started before ``since``, or before what ``horizons`` (JSON of pairs) says of their project, only
#: the number comes: an answer must not grow with what is not wanted.
QUESTION: Final = """
WITH kept AS MATERIALIZED (
  SELECT p.id, greatest(:since, (
    SELECT max((h.value ->> 1)::bigint) FROM json_array_elements(CAST(:horizons AS json)) h
    WHERE (h.value ->> 0)::bigint = p.id)) AS since FROM {s}project p
)
SELECT json_build_array('run', replace(r.id::text, '-', ''), r.content_hash,
  (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id), r.project, r.started,
  coalesce((SELECT left(encode(sha256(convert_to(
      string_agg(replace(v.id::text, '-', ''), '' ORDER BY v.id), 'UTF8')), 'hex'), 32)
    FROM {s}verdict v WHERE v.run = r.id), ''),
  CASE WHEN r.extra LIKE '%purged_from%' THEN r.extra END)::text
FROM kept k JOIN {s}run r ON r.project = k.id AND r.started >= k.since
UNION ALL
SELECT json_build_array('beyond', count(*))::text
FROM kept k JOIN {s}run r ON r.project = k.id AND r.started < k.since
UNION ALL
SELECT json_build_array('event', replace(e.id::text, '-', ''), e.content_hash)::text FROM {s}event e
UNION ALL
SELECT json_build_array('tombstone', t.kind, t.id, t.at, t."by")::text FROM {s}tombstone t
UNION ALL
SELECT json_build_array('horizon', h.project, max(h."before"))::text
FROM {s}horizon h GROUP BY h.project
"""


def of_lines(lines: list[str], into: Inventory) -> None:
    """Add what :data:`QUESTION` answers."""
    for line in lines:
        kind, *row = json.loads(line)
        if kind == "run":
            run, content_hash, trust, project, started, verdicts, extra = row
            rank = UNTRUSTED if trust is None else trust
            into.runs[run] = Entry(content_hash, rank, project, started, verdicts, _origin(extra))
        elif kind == "beyond":
            into.beyond += row[0]
        elif kind == "event":
            into.events[row[0]] = row[1]
        elif kind == "tombstone":
            into.tombstones[row[0], row[1]] = (row[0], row[1], row[2], row[3])
        else:
            into.horizons[row[0]] = row[1]
