"""Bringing a history to a later version of the schema; imported only for that.

All steps that are wanted run in one transaction, alone: an upgrade that is killed has changed
nothing, and writers wait, and then find a version that is not theirs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from flakefighters.errors import DatabaseError
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.history.sqlite_errors import damaged, explain_sqlite
from flakefighters.history.steps import STEPS, Step, planned
from flakefighters.history.store import open_history
from flakefighters.model import Target

__all__ = ["Upgraded", "upgrade"]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done, or would be."""

    before: int
    after: int
    steps: tuple[Step, ...] = ()


def upgrade(
    target: Target,
    *,
    dry_run: bool = False,
    tracked: bool = False,
    steps: Sequence[Step] = STEPS,
) -> Upgraded:
    """Make the history at ``target``, or bring it to the version of the last of ``steps``.

    ``dry_run`` changes nothing and only tells; ``tracked`` as for
    :func:`~flakefighters.history.open_history`.

    Raises:
        DatabaseError: if that cannot be done; then nothing was changed.
    """
    with open_history(target, create=not dry_run, tracked=tracked) as history:
        database = history.database
        before = history.schema_version
        wanted = planned(steps, before, target.display)
        if dry_run or not wanted:
            return Upgraded(before, wanted[-1].version if wanted else before, wanted)
        if database.read_only:
            raise DatabaseError(
                f"{target.display} is opened for reading only",
                remedy="name a profile or URL that may write",
            )
        if isinstance(database, SqliteDatabase):
            done = _in_file(database, steps, target.display)
        else:
            from flakefighters.history.migrations_postgres import migrate_on_server
            from flakefighters.history.postgres import PostgresDatabase

            assert isinstance(database, PostgresDatabase)
            done = migrate_on_server(database, steps)
        return Upgraded(before, done[-1].version if done else before, done)


def _in_file(database: SqliteDatabase, steps: Sequence[Step], name: str) -> tuple[Step, ...]:
    run = database.connection.execute
    # A table that is made anew under its old name would lose what refers to it.
    run("PRAGMA foreign_keys = OFF")
    try:
        run("BEGIN IMMEDIATE")
        try:
            ((version,),) = run("PRAGMA user_version").fetchall()
            wanted = planned(steps, version, name)
            for step in wanted:
                for statement in step.sqlite:
                    run(statement)
            if wanted:
                for key, value in _facts(wanted[-1]).items():
                    run("UPDATE meta SET value = ? WHERE key = ?", (value, key))
                run(f"PRAGMA user_version = {wanted[-1].version}")
            if run("PRAGMA foreign_key_check").fetchall():
                raise damaged(name, "rows refer to others that are not there")
            run("COMMIT")
        except BaseException:
            database._rollback()
            raise
    except sqlite3.Error as error:
        raise explain_sqlite(error, name) from error
    finally:
        run("PRAGMA foreign_keys = ON")
    return wanted


def _facts(last: Step) -> dict[str, str]:
    """The rows of ``meta`` that an upgrade changes."""
    return {"schema_version": str(last.version), "oldest_reader": str(last.oldest_reader)}
