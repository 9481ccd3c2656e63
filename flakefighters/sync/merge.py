"""Insert what lies in a checked file beside a history into it, in one transaction."""

from __future__ import annotations

import sqlite3
from typing import Final

from flakefighters.history import History
from flakefighters.history.layout import PARTS
from flakefighters.history.purge_text import ORIGIN
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.sync.inventory import UNTRUSTED
from flakefighters.sync.results import Conflict, Transfer
from flakefighters.sync.staging import Staging
from flakefighters.sync.tables import COLUMNS, KEYS

__all__ = ["merge"]

#: Facts that are told apart by what they say: from wherever they come, they are the same.
_SHARED: Final = tuple(table for table in COLUMNS if table not in ("run", *PARTS))

# What is to become of each run that came: 'new', 'same', 'better' (the same, more trusted than
# what is untrusted here), 'doubted' (the same, untrusted, unlike here), 'replaces' (other content,
# more trusted than what is untrusted here), 'kin' (the same when it was recorded, something of it
# was purged on one side) or 'conflict'.
_FATES: Final = """
CREATE TEMP TABLE fate AS
SELECT b.run, b.trust, CASE
    WHEN m.id IS NULL AND NOT b.whole THEN 'absent'
    WHEN EXISTS (SELECT 1 FROM main.tombstone t WHERE t.kind = 'run' AND t.id = b.run)
      THEN 'purged'
    WHEN m.id IS NULL AND b.started < (
      SELECT max(h."before") FROM main.horizon h WHERE h.project = b.project) THEN 'beyond'
    WHEN m.id IS NULL THEN 'new'
    WHEN NOT b.whole OR m.content_hash = b.content_hash THEN CASE
      WHEN m.trust = :untrusted AND b.trust < m.trust THEN 'better'
      WHEN m.trust < :untrusted AND b.trust = :untrusted THEN 'doubted' ELSE 'same' END
    WHEN m.trust = :untrusted AND b.trust < m.trust THEN 'replaces'
    WHEN m.origin <> b.origin THEN 'conflict'
    WHEN b.trust = :untrusted AND m.trust < :untrusted THEN 'doubted'
    ELSE 'kin' END AS fate, m.content_hash AS ours, b.content_hash AS theirs
FROM (
  SELECT a.run, a.trust, r.id IS NOT NULL AS whole, r.content_hash, r.project, r.started,
    coalesce(json_extract(r.extra, :origin), r.content_hash) AS origin
  FROM staged.arrival a LEFT JOIN staged.run r ON r.id = a.run
) b LEFT JOIN (
  SELECT r.id, r.content_hash, coalesce(json_extract(r.extra, :origin), r.content_hash) AS origin,
    coalesce((
    SELECT min(a.trust) FROM main.arrival a WHERE a.run = r.id), :untrusted) AS trust
  FROM main.run r
) m ON m.id = b.run
"""


def merge(staging: Staging, history: History) -> Transfer:
    """Insert all of ``staging`` (finished, checked) into ``history``, which must be SQLite.

    Other content under the same id is kept out and listed, unless what is here is untrusted and
    what comes is not.
    """
    database = history.database
    if not isinstance(database, SqliteDatabase):
        raise TypeError("rows are only merged into SQLite")
    connection = database.connection
    connection.execute("ATTACH :path AS staged", {"path": str(staging.path.absolute())})
    try:
        with database.writing("SELECT 1"):
            return _insert(connection)
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.fate")
        connection.execute("DETACH staged")


def _insert(connection: sqlite3.Connection) -> Transfer:
    run = connection.execute
    done = Transfer()
    events = _count(connection, "event")
    for table in _SHARED:
        run(_copied(table))
    done.events = _count(connection, "event") - events
    done.purged += _purge(connection)
    run(_FATES, {"untrusted": UNTRUSTED, "origin": f"$.{ORIGIN}"})
    counts = dict(run("SELECT fate, count(*) FROM fate GROUP BY fate").fetchall())
    done.runs = counts.get("new", 0)
    done.replaced = counts.get("replaces", 0)
    done.known = sum(counts.get(fate, 0) for fate in ("same", "better", "doubted", "kin"))
    done.beyond = counts.get("beyond", 0)
    done.purged += counts.get("purged", 0)
    arrived = run("SELECT run FROM fate WHERE fate IN ('new', 'replaces', 'better') ORDER BY run")
    done.arrived = [name for (name,) in arrived.fetchall()]
    done.conflicts = [
        Conflict(*row)
        for row in run("SELECT run, ours, theirs FROM fate WHERE fate = 'conflict' ORDER BY run")
    ]
    before = _count(connection, "verdict")
    # An untrusted file may have added verdicts of its own to what is trusted from now on.
    run("DELETE FROM verdict WHERE run IN (SELECT run FROM fate WHERE fate = 'better')")
    run(
        _copied(
            "verdict",
            "t.run IN (SELECT f.run FROM fate f WHERE f.fate IN ('same', 'better', 'kin'))",
        )
    )
    done.verdicts = max(0, _count(connection, "verdict") - before)
    _remove(connection, "SELECT run FROM fate WHERE fate = 'replaces'")
    whole = "IN (SELECT f.run FROM fate f WHERE f.fate IN ('new', 'replaces'))"
    run(_copied("run", f"t.id {whole}"))
    for table in ("execution", "failure", "verdict"):
        run(_copied(table, f"t.run {whole}"))
    run(
        "INSERT INTO main.arrival (run, trust, received, via) "
        "SELECT a.run, a.trust, a.received, a.via FROM staged.arrival a "
        "JOIN fate f ON f.run = a.run WHERE f.fate IN ('new', 'replaces', 'same', 'better') "
        "AND a.trust < coalesce("
        "(SELECT min(b.trust) FROM main.arrival b WHERE b.run = a.run), 1 + :untrusted) "
        "ORDER BY a.run ON CONFLICT DO NOTHING",
        {"untrusted": UNTRUSTED},
    )
    return done


def _copied(table: str, condition: str = "true") -> str:
    names = ", ".join(f'"{name}"' for name in COLUMNS[table])
    keys = ", ".join(f"t.{name}" for name in KEYS[table])
    return (
        f"INSERT INTO main.{table} ({names}) SELECT {names} FROM staged.{table} t "  # noqa: S608
        f"WHERE {condition} ORDER BY {keys} ON CONFLICT DO NOTHING"
    )


def _count(connection: sqlite3.Connection, table: str) -> int:
    ((count,),) = connection.execute(f"SELECT count(*) FROM main.{table}").fetchall()  # noqa: S608
    return int(count)


def _remove(connection: sqlite3.Connection, runs: str) -> None:
    for table in PARTS:
        connection.execute(f"DELETE FROM main.{table} WHERE run IN ({runs})")  # noqa: S608
    connection.execute(f"DELETE FROM main.run WHERE id IN ({runs})")  # noqa: S608


def _purge(connection: sqlite3.Connection) -> int:
    """Remove runs that were purged elsewhere; returns how many."""
    purged = "SELECT r.id FROM main.run r JOIN main.tombstone t ON t.kind = 'run' AND t.id = r.id"
    ((count,),) = connection.execute(f"SELECT count(*) FROM ({purged})").fetchall()  # noqa: S608
    if count:
        connection.execute(f"CREATE TEMP TABLE gone AS {purged}")
        _remove(connection, "SELECT id FROM temp.gone")
        connection.execute("DROP TABLE temp.gone")
    return int(count)
