"""One history: what can be written to it and asked of it, whatever database it lives in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

from flakefighters.errors import ConfigError, ForeignDatabaseError, NotFoundError
from flakefighters.history import belief, heads, read, write
from flakefighters.history.content import to_json
from flakefighters.history.coverage import Coverage
from flakefighters.history.read import Lookup, Suites
from flakefighters.history.unreadable import MALFORMED, Unreadable
from flakefighters.ids import short, storable, unstorable
from flakefighters.model import Label, Use
from flakefighters.originals import real

if TYPE_CHECKING:
    from flakefighters.history.belief import Reader
    from flakefighters.history.database import Database, Row
    from flakefighters.history.earlier import Further
    from flakefighters.history.intake import Saved
    from flakefighters.history.lessons import Lessons
    from flakefighters.model import Environment, Past, Run, RunHead, Target, Trust, Verdict
    from flakefighters.model.decisions import Event
    from flakefighters.model.rows import Book, ExecutionRow, RunRow, TestRow

__all__ = ["History", "open_history"]

_HEX: Final = "[0-9a-f]{1,32}"
_RUN_ID: Final = "[0-9a-f]{32}"


def open_history(
    target: Target,
    *,
    create: bool = True,
    deadline: float | None = None,
    tracked: bool = False,
) -> History:
    """Open the history at ``target``; an absent one is created if ``create`` allows it.

    ``deadline`` is in seconds from now, for the opening and all that follows; None leaves only
    the limits that keep a silent server from blocking us.  ``tracked`` says that git tracks the
    file: then it is refused, as every committer could have made it.  Raises a
    :class:`~flakefighters.errors.DatabaseError` that says what to do.
    """
    create = create and not target.read_only
    if target.backend == "sqlite":
        from flakefighters.history.sqlite import LOCK_SECONDS, SqliteDatabase

        if target.path is None:
            raise ConfigError("a SQLite history needs a file", remedy="name one in its URL")
        if tracked:
            raise ForeignDatabaseError(
                f"{target.display} is tracked by git, so any commit can change it",
                remedy=f"git rm --cached {target.path.name}, and let git ignore it",
            )
        return History(
            target,
            SqliteDatabase(
                target.path,
                name=target.display or str(target.path),
                create=create,
                read_only=target.read_only,
                seconds=LOCK_SECONDS if deadline is None else min(deadline, LOCK_SECONDS),
            ),
        )
    if target.backend == "postgresql":
        from flakefighters.history.postgres import PostgresDatabase

        return History(target, PostgresDatabase(target, create=create, deadline=deadline))
    raise ConfigError(
        f"histories do not live in {target.backend!r}", remedy="use sqlite or postgresql"
    )


class History:
    """An open history.  Use it as a context manager, from one thread."""

    def __init__(self, target: Target, database: Database):
        self.target = target
        self.database = database
        self.database_id = database.meta["database_id"]
        self.schema_version = int(database.meta["schema_version"])
        #: What runs are worth that are recorded through it, by whom we are there.
        self.trust = database.trust
        #: Identities of one project: runs of all are evidence for each.
        self.aliases: tuple[str, ...] = ()
        #: Runs that were met and could not be read; they are left out of every answer.
        self.unreadable = Unreadable()
        self._lookup = Lookup(database, Suites(database), self.unreadable)
        self.coverage = Coverage(self._lookup)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; further calls are errors.  Can be called twice."""
        self.database.close()

    # -- writing -------------------------------------------------------------------------------

    def save(
        self,
        run: Run,
        verdicts: Sequence[Verdict] = (),
        *,
        via: str = "session",
        trust: Trust | None = None,
    ) -> Saved:
        """Store a run and its verdicts in one transaction.

        ``trust`` is what our role in the database gives (``self.trust``) if nothing is said.
        The answer is true if it is new; a run that is older than the history keeps, or was purged,
        is not taken in.  ConflictError if it is there with other content.
        Each verdict names its failure (``run``, ``nodeid``, ``attempt``, ``index``, ``at``).
        """
        trust = trust or self.trust
        return write.save(
            self.database, run, verdicts, via=via, trust=trust, now=real.time_ns() // 1000
        )

    def add_verdicts(self, verdicts: Sequence[Verdict]) -> int:
        """Store verdicts on runs that are there; returns how many were new.

        Those on runs that are more trusted than what our role may add to are left out.
        """
        from flakefighters.history import rulings

        return rulings.save_verdicts(self.database, verdicts)

    # -- runs ----------------------------------------------------------------------------------

    def recent(self, project: str, *, limit: int = 50) -> tuple[RunHead, ...]:
        """The newest runs of a project by start, newest first.

        Those of its aliases as well.  Runs that claim to have started more than five minutes from
        now are left out.
        """
        return self._of_all(
            project,
            limit,
            lambda one: heads.newest(self.database, one, limit=limit),
        )

    def believable(self, reader: Reader, *, builds: int = 50) -> tuple[RunHead, ...]:
        """The runs of the newest builds that may serve ``reader`` as baselines, newest first.

        Those of the project's aliases as well.  Their trust is that of this history; see
        :func:`flakefighters.model.as_read`.
        """
        return self._of_all(
            reader.judged.project,
            None,
            lambda one: heads.fitting(self.database, one, reader, builds=builds),
        )

    def runs_of_state(
        self, project: str, state: str, *, limit: int = 50, reader: Reader | None = None
    ) -> tuple[RunHead, ...]:
        """The newest runs on one state, newest first; for a reader those that may be proof.

        Those of the project's aliases as well.
        """
        return self._of_all(
            project,
            limit,
            lambda one: heads.of_state(self.database, one, state, limit=limit, reader=reader),
        )

    def _names(self, project: str) -> list[str]:
        """A project, and those that are the same one."""
        others = [one for one in self.aliases if one != project and project in self.aliases]
        return [project, *others]

    def _of_all(
        self, project: str, limit: int | None, ask: Callable[[str], list[Row]]
    ) -> tuple[RunHead, ...]:
        """Ask for a project under all its names."""
        names = self._names(project)
        found = heads.heads_of((row for one in names for row in ask(one)), self.unreadable)
        if len(names) > 1:
            found.sort(key=lambda one: (one.started, one.id), reverse=True)
        return tuple(found[:limit])

    def heads(self, run_ids: Iterable[str]) -> dict[str, RunHead]:
        """Each of these runs that is here, without its outcomes."""
        wanted = sorted({name for name in run_ids if re.fullmatch(_RUN_ID, name)})
        rows = heads.by_ids(self.database, wanted) if wanted else []
        return {head.id: head for head in heads.heads_of(rows, self.unreadable)}

    def load(self, run_id: str) -> Run:
        """One run, whole: the inverse of :meth:`save`.

        NotFoundError if it is not there, or its rows make no sense.
        """
        try:
            return read.load(self.database, run_id)
        except MALFORMED as error:
            self.unreadable.note(run_id, "rows")
            raise NotFoundError(
                f"run {short(run_id)} cannot be read: its rows are damaged "
                f"({type(error).__name__})",
                remedy=f"remove it with `flakefighters purge {run_id}`",
            ) from None

    def find(self, tail: str, project: str | None = None) -> RunHead:
        """The run with this id or whose id ends so.

        NotFoundError if there is none, or several (the message lists them).
        """
        wanted = tail.strip().lower().replace("-", "")
        if not re.fullmatch(_HEX, wanted):
            raise NotFoundError(f"{tail!r} is not a run id", remedy="see `flakefighters runs`")
        rows = heads.by_tail(self.database, wanted, project)
        if len(rows) == 1:
            found = heads.heads_of(rows, self.unreadable)
            if not found:
                raise NotFoundError(f"run {tail} cannot be read: its row is damaged")
            return found[0]
        if not rows:
            raise NotFoundError(f"no run {tail} in this history", remedy="see `flakefighters runs`")
        shown = ", ".join(row[0][-max(8, len(wanted) + 4) :] for row in rows[:5])
        more = ", ..." if len(rows) > 5 else ""
        raise NotFoundError(
            f"several runs end with {tail}: {shown}{more}", remedy="give more digits"
        )

    def run_ids(self) -> set[str]:
        """Ids of all runs."""
        return {row[0] for row in self.database.query("SELECT id FROM {s}run")}

    def content_hashes(self, run_ids: Iterable[str]) -> dict[str, str]:
        """The content hash of each of these runs that is here."""
        return dict(
            self.database.query(
                "SELECT id, content_hash FROM {s}run WHERE id IN {hash:ids}",
                ids=to_json(sorted(set(run_ids))),
            )
        )

    def projects(self) -> tuple[tuple[str, str], ...]:
        """Identity and label of every project, in order of identity."""
        rows = self.database.query("SELECT identity, label FROM {s}project")
        return tuple(sorted((unstorable(identity), unstorable(label)) for identity, label in rows))

    # -- what was seen before ------------------------------------------------------------------

    def past(self, nodeids: Sequence[str], runs: Sequence[RunHead]) -> dict[str, tuple[Past, ...]]:
        """Results of these tests in these runs, in the order of ``runs``.

        Every node id is a key; runs without the test are left out of its tuple.
        """
        from flakefighters.history import earlier

        return earlier.past(self._lookup, nodeids, runs)

    def tests_below(self, project: str, place: str, most: int = 20) -> set[str]:
        """Node ids of some tests that a project has had in a file or folder, or of a function."""
        names = self._names(project)
        return {
            nodeid
            for name in names
            for nodeid in read.nodeids_below(self.database, name, place, most)
        }

    def flaky_tests(self, runs: Sequence[RunHead]) -> set[str]:
        """Node ids of the tests that some failure in these runs was judged flaky of."""
        from flakefighters.history import standing

        labels = standing.labels_by_test(self.database, [run.id for run in runs])
        tests = {test for (_, test), found in labels.items() if Label.FLAKY in found}
        return set(read.nodeids(self.database, tests).values()) if tests else set()

    def passed_tests(self, runs: Sequence[RunHead]) -> set[str]:
        """Node ids of the tests that passed in one of these runs."""
        self.coverage.fetch(runs)
        known = [found for run in runs if (found := self.coverage.passed(run.id)) is not None]
        tests = set().union(*(here for here, _ in known))
        return set(read.nodeids(self.database, tests).values()) if tests else set()

    def all_tests(self, project: str, most: int) -> set[str]:
        """Node ids of the tests that a project has had, no more than ``most``."""
        found: set[str] = set()
        for name in self._names(project):
            found.update(read.nodeids_of(self.database, name, most - len(found)))
        return found

    def further(self, reader: Reader, nodeids: Sequence[str], known: Iterable[str]) -> Further:
        """Passes of these tests in other runs than ``known``: one capped question a name."""
        from flakefighters.history import earlier

        found = earlier.Further()
        for name in self._names(reader.judged.project):
            found.add(earlier.further(self._lookup, name, nodeids, reader, known))
        return found

    def has_state_files(self, state_id: str, reader: Reader | None = None) -> bool:
        """True if the files of this state are known here (no need to describe them again).

        With a reader, only what a run that it believes says of them counts.
        """
        condition, params = belief.condition(reader, Use.FILES) if reader else ("true", {})
        return bool(
            self.database.query(
                "SELECT 1 FROM {s}run r WHERE r.project IN (SELECT id FROM {s}project) "  # noqa: S608
                f"AND r.state = :state AND r.listing IS NOT NULL AND {condition} LIMIT 1",
                state=storable(state_id),
                **params,
            )
        )

    def state_files(
        self, ids: Iterable[str], reader: Reader | None = None
    ) -> dict[str, Mapping[str, str]]:
        """Path to blob id for each of these states whose files are known.

        With a reader, only lists of runs that it believes count.
        """
        return read.state_files(self.database, ids, reader)

    def environments(self, ids: Iterable[str]) -> dict[str, Environment]:
        """The environments of these ids; unknown and damaged ones are left out."""
        return read.environments(self.database, ids, self.unreadable)

    def verdicts(self, run_ids: Iterable[str]) -> tuple[Verdict, ...]:
        """All verdicts on these runs, every flakefighter's and the joined ones."""
        return read.verdicts(self.database, run_ids, unreadable=self.unreadable)

    def readings(self, run_ids: Sequence[str]) -> tuple[Verdict, ...]:
        """The same without reasons; of evidence what a proof is ``by``, and nothing else."""
        return read.readings(self.database, run_ids, self.unreadable)

    @property
    def lessons(self) -> Lessons:
        """Questions about what failed, and what came of it."""
        from flakefighters.history.lessons import Lessons

        return Lessons(self._lookup, self._names)

    # -- decisions -----------------------------------------------------------------------------

    def events(self, project: str, targets: Iterable[str] | None = None) -> list[Event]:
        """What was decided on these targets or all of a project and its aliases, oldest first."""
        from flakefighters.history import events

        return events.read(self.database, self._names(project), targets)

    # -- summaries -----------------------------------------------------------------------------

    def run_rows(self, project: str | None = None, limit: int = 50) -> tuple[RunRow, ...]:
        """The newest runs with counts, newest first."""
        from flakefighters.history import rollup

        return rollup.run_rows(self._lookup, project, limit)

    def test_rows(self, project: str, runs: int = 500) -> tuple[TestRow, ...]:
        """Every test of a project over its newest runs, in order of node id."""
        return self.tests(project, runs).rows

    def tests(
        self,
        project: str,
        runs: int = 500,
        *,
        branch: str | None = None,
        since: int | None = None,
        only: str | None = None,
    ) -> Book:
        """The same with the runs: of a branch, since a time (µs UTC); ``only`` names one test."""
        from flakefighters.history import rollup

        return rollup.test_rows(self._lookup, project, runs, branch=branch, since=since, only=only)

    def executions_of(
        self, nodeid: str, project: str, limit: int = 50, *, run: str | None = None
    ) -> tuple[ExecutionRow, ...]:
        """One test through the newest runs that contain it, newest first; or in one run."""
        from flakefighters.history import story

        return story.executions_of(self._lookup, nodeid, project, limit, run)
