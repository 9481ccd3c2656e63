"""The two kinds of places that runs come from, behind one way to stage them.

A database that one logs in to is read by rows in one snapshot, and its rows are checked here.  A
file that somebody made gives out whole runs that were checked when they were read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from flakefighters.errors import ConfigError, ForeignDatabaseError
from flakefighters.history import History
from flakefighters.history.content import to_json
from flakefighters.history.database import TRUST_RANKS, Database
from flakefighters.history.foreign import ForeignHistory
from flakefighters.history.layout import SCHEMA_VERSION
from flakefighters.history.sqlite_errors import too_new, too_old
from flakefighters.model import Target, Trust
from flakefighters.sync.inventory import QUESTION, UNTRUSTED, Inventory, of_lines, of_sqlite
from flakefighters.sync.results import Progress, Report, unreported
from flakefighters.sync.staging import Staging
from flakefighters.sync.tables import all_rows, some_rows
from flakefighters.sync.verify import verify

if TYPE_CHECKING:
    from flakefighters.history.postgres_copy import Snapshot

__all__ = [
    "LONG_AGO",
    "NEVER",
    "Reader",
    "Wanted",
    "handshake",
    "inventory_of",
    "need_sqlite",
    "reading",
]


_LOCAL: Final = TRUST_RANKS[Trust.LOCAL]
#: Before every run.
LONG_AGO: Final = -(2**62)
#: After every run.
NEVER: Final = 2**62
NO_HORIZONS: Final[Mapping[int, int]] = MappingProxyType({})
_NOWHERE: Final = Target(backend="sqlite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be fetched."""

    runs: Sequence[str] = ()
    #: Runs that are there already, of which verdicts are missing or the trust is better.
    judged: Sequence[str] = ()
    events: Sequence[str] = ()


class Reader(Protocol):
    """A source that is being read."""

    @property
    def bytes(self) -> int:
        """Bytes that came over the line."""
        ...

    def inventory(
        self, horizons: Mapping[int, int] = NO_HORIZONS, since: int = LONG_AGO
    ) -> Inventory:
        """What the source holds.

        Of runs from before ``since`` (µs UTC), or before the horizon of their project, it may give
        no more than their number.
        """
        ...

    def stage(
        self, staging: Staging, wanted: Wanted | None, live: Database | None
    ) -> dict[str, str]:
        """Fill ``staging`` with what is wanted (None: all) and finish it.

        ``live`` is the history that it is meant for, None if that is not there yet.  Returns what
        was refused, and why.
        """
        ...


@contextmanager
def reading(source: History | ForeignHistory, report: Report) -> Iterator[Reader]:
    """Begin to read a source: PostgreSQL, or a file that was opened as a foreign one."""
    if isinstance(source, ForeignHistory):
        yield _FileReader(source, report)
        return
    handshake(source)
    if source.target.backend != "postgresql":
        raise TypeError("a SQLite file is read as a foreign one, see history.foreign")
    from flakefighters.history.postgres import PostgresDatabase
    from flakefighters.history.postgres_copy import snapshot

    assert isinstance(source.database, PostgresDatabase)
    with snapshot(source.database) as found:
        yield _RowReader(found, report, gives_trust=source.database.gives_trust)


def handshake(history: History) -> None:
    """DatabaseError unless both sides speak the same version of the schema.

    A copy by an older program would lose what it does not know of, without a word.
    """
    if history.schema_version > SCHEMA_VERSION:
        raise too_new(history.target.display, history.schema_version)
    if history.schema_version < SCHEMA_VERSION:
        raise too_old(history.target.display, history.schema_version)


def inventory_of(history: History, since: int = LONG_AGO) -> Inventory:
    """What an open history holds; of PostgreSQL no runs from before ``since``."""
    if history.target.backend == "sqlite":
        return of_sqlite(history.database)
    with reading(history, unreported) as reader:
        return reader.inventory(since=since)


class _RowReader:
    """PostgreSQL, row by row."""

    def __init__(self, found: Snapshot, report: Report, *, gives_trust: bool):
        self._snapshot = found
        self._report = report
        #: Then what arrived without trust is another machine's own run.
        self._gives_trust = gives_trust

    @property
    def bytes(self) -> int:
        return self._snapshot.bytes

    def inventory(
        self, horizons: Mapping[int, int] = NO_HORIZONS, since: int = LONG_AGO
    ) -> Inventory:
        found = Inventory()
        pairs = to_json(sorted(horizons.items()))
        for lines in self._snapshot.lines(QUESTION, horizons=pairs, since=since):
            of_lines(lines, found)
            self._report(Progress("looking", len(found.runs), self.bytes))
        if self._gives_trust:
            for run, one in found.runs.items():
                if one.trust == _LOCAL:
                    found.runs[run] = one._replace(trust=UNTRUSTED)
        return found

    def stage(
        self, staging: Staging, wanted: Wanted | None, live: Database | None
    ) -> dict[str, str]:
        if wanted is None:
            chunks = self._snapshot.lines(all_rows())
        else:
            known = {
                table: to_json([] if live is None else _ids(live, table))
                for table in ("suite", "listing")
            }
            chunks = self._snapshot.lines(
                some_rows(),
                runs=to_json(list(wanted.runs)),
                judged=to_json(list(wanted.judged)),
                events=to_json(list(wanted.events)),
                suites=known["suite"],
                listings=known["listing"],
            )
        for lines in chunks:
            staging.take(lines)
            self._report(Progress("copying", staging.rows, self.bytes))
        if self._gives_trust:
            staging.distrust()

        def checked(runs: int) -> None:
            self._report(Progress("checking", runs, self.bytes))

        refused = verify(staging.connection, live, checked)
        staging.finish()
        return refused


def _ids(database: Database, table: str) -> list[str]:
    return [row[0] for row in database.query(f"SELECT id FROM {{s}}{table}")]  # noqa: S608


class _FileReader:
    """A file of unknown origin, run by run."""

    bytes = 0

    def __init__(self, source: ForeignHistory, report: Report):
        self._source = source
        self._report = report

    def inventory(
        self, horizons: Mapping[int, int] = NO_HORIZONS, since: int = LONG_AGO
    ) -> Inventory:
        del horizons, since  # a file is near
        try:
            found = of_sqlite(self._source.database)
        except (TypeError, ValueError, AttributeError) as error:
            raise ForeignDatabaseError(
                f"the file is malformed ({type(error).__name__})", remedy="do not use this file"
            ) from None
        # What an unknown hand decided or purged counts for nothing.
        possible = set(self._source.run_ids())
        runs = {run: one for run, one in found.runs.items() if run in possible}
        if not self._source.believed:
            # What the file says of trust counts for nothing either.
            return Inventory(runs={run: one._replace(trust=UNTRUSTED) for run, one in runs.items()})
        heads = History(_NOWHERE, self._source.database).heads(runs)
        return Inventory(
            runs={
                run: one._replace(
                    trust=TRUST_RANKS[self._source.trust(heads[run])] if run in heads else UNTRUSTED
                )
                for run, one in runs.items()
            }
        )

    def stage(
        self, staging: Staging, wanted: Wanted | None, live: Database | None
    ) -> dict[str, str]:
        ids = None if wanted is None else sorted({*wanted.runs, *wanted.judged})
        before = dict(self._source.refused)
        staging.finish()
        with staging.open() as into:
            for count, (run, verdicts) in enumerate(self._source.runs(ids), 1):
                trust = self._source.trust(run.head)
                into.save(run, verdicts, via=staging.via, trust=trust)
                self._report(Progress("copying", count, total=None if ids is None else len(ids)))
        del live
        return {run: why for run, why in self._source.refused.items() if run not in before}


def need_sqlite(target: Target) -> None:
    """ConfigError unless histories can be copied into ``target``."""
    if target.backend != "sqlite" or target.path is None:
        raise ConfigError(
            f"{target.display} is no SQLite file",
            remedy="copy into a SQLite history, and `flakefighters push` from there",
        )
    if target.read_only:
        raise ConfigError(f"{target.display} is read-only", remedy="choose another with --into")
