"""The steps of an upgrade on a server: under the exclusive lock, in one transaction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from flakefighters.history.layout import SCHEMA_PLACEHOLDER, lock_key
from flakefighters.history.postgres import PostgresDatabase
from flakefighters.history.postgres_errors import explain_postgres, sqlstate
from flakefighters.history.steps import Step, planned
from flakefighters.originals import real

__all__ = ["migrate_on_server"]

#: A wait for a lock blocks all that come later: at most so long, ms.
_WAIT_MS: Final = 1500
#: How long to try again, and how long all the statements may take, in seconds.
_LOCK_SECONDS: Final = 60.0
_LONGEST: Final = 4 * 3600.0
_LOCKED: Final = ("55P03", "40P01")


def migrate_on_server(database: PostgresDatabase, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Run the steps that are missing; returns them.  DatabaseError, and nothing was changed."""
    database.need_owner("upgrade it")
    until = real.monotonic() + _LOCK_SECONDS
    while True:
        try:
            done, error = _once(database, steps)
            if error is None:
                return done
            if sqlstate(error) not in _LOCKED or real.monotonic() > until:
                raise explain_postgres(error, database.target)
        except BaseException:
            database._rollback()
            raise
        # A run is being recorded, or the history copied: let that end.
        database._rollback()
        real.sleep(random.uniform(0.1, 0.5))  # noqa: S311


def _once(
    database: PostgresDatabase, steps: Sequence[Step]
) -> tuple[tuple[Step, ...], Exception | None]:
    answer = database._attempt(
        "BEGIN ISOLATION LEVEL READ COMMITTED; "  # noqa: S608
        f"SET LOCAL lock_timeout = '{_WAIT_MS}ms'; SET LOCAL statement_timeout = 0; "
        f"SELECT pg_advisory_xact_lock({lock_key(database.target.schema)}); "
        f"SELECT value FROM {database.prefix}meta WHERE key = 'schema_version'"
    )
    if answer.error is not None:
        return (), answer.error
    ((version,),) = answer.value or [("0",)]
    wanted = planned(steps, int(version), database.target.display)
    if not wanted:
        database._send("COMMIT")
        return (), None
    last = wanted[-1]
    quoted = database.prefix.removesuffix(".")
    statements = [
        statement.replace(SCHEMA_PLACEHOLDER, quoted)
        for step in wanted
        for statement in step.postgresql
    ]
    statements += [
        f"UPDATE {database.prefix}meta SET value = '{value}' WHERE key = '{key}'"  # noqa: S608
        for key, value in (
            ("schema_version", last.version),
            ("oldest_reader", last.oldest_reader),
        )
    ]
    for statement in (*statements, "COMMIT"):
        answer = database._attempt(statement, _LONGEST)
        if answer.error is not None:
            return (), answer.error
    return wanted, None
