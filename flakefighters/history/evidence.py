"""Several histories as one body of evidence: a read-only one, and what is recorded here.

Each run has the trust that it has for the run which is judged, see
:func:`flakefighters.model.as_read`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from flakefighters.errors import NotFoundError
from flakefighters.history.belief import Reader
from flakefighters.history.coverage import baselines
from flakefighters.history.database import TRUST_RANKS
from flakefighters.ids import short
from flakefighters.model import (
    Came,
    as_read,
    believed,
    doubt,
)
from flakefighters.records import NamedTuple, record

if TYPE_CHECKING:
    from flakefighters.history.lessons import Asked
    from flakefighters.history.store import History
    from flakefighters.model import (
        Environment,
        Met,
        Pass,
        Past,
        Run,
        RunHead,
        Target,
        Use,
        Verdict,
    )
    from flakefighters.model.decisions import Event

__all__ = ["Evidence", "Found", "came"]

#: No more commits travel with a question.
MOST_COMMITS: Final = 100
#: No more texts of earlier failures are read from one history.
MOST_TEXTS: Final = 100


class Found(NamedTuple):
    """Earlier failures, the newest first, and what is known of them."""

    met: list[Met]
    #: The joined verdicts on them and some others, without what they rest on.
    verdicts: list[Verdict]
    #: Texts of failures of the tests, and with the signatures, that were asked for, by their ids.
    texts: dict[str, str]


def came(history: History, record_to: Target) -> Came:
    """How a history is reached by a run that is recorded in ``record_to``.

    A file that this user cannot write is opened for reading, and is the same file all the same.
    """
    if history.target._replace(read_only=record_to.read_only) == record_to:
        return Came.HERE
    if history.target.backend == "sqlite":
        return Came.FILE
    return Came.ROLES if history.database.gives_trust else Came.SERVER


@record
class Evidence:
    """What is known of earlier runs, for one run that is judged."""

    #: The run, with the trust with which it will be recorded.
    judged: RunHead
    #: The histories, and how each is reached.
    sources: list[tuple[History, Came]]
    #: False if there is another history that could not be read.
    whole: bool = True
    #: Commits that what is checked out contains, newest first; asked for only if there are runs.
    commits: Callable[[], Sequence[str]] = tuple
    _home: dict[str, History] = field(default_factory=dict)

    @property
    def unreadable(self) -> dict[str, str]:
        """Runs that could not be read so far, and why."""
        found: dict[str, str] = {}
        for history, _ in self.sources:
            found |= history.unreadable.runs
        return found

    def _reader(self, history: History, how: Came) -> Reader:
        commits = tuple(self.commits())[:MOST_COMMITS]
        return Reader(judged=self.judged, commits=commits, came=how, given=history.target.trust)

    def believes(self, head: RunHead, use: Use) -> bool:
        """Whether the verdict may use a run that this evidence gave."""
        return believed(
            head, use, self.judged, merged=head.pr is not None and head.commit in self.commits()
        )

    # -- runs ----------------------------------------------------------------------------------

    def builds(self, limit: int) -> list[RunHead]:
        """The runs of the newest builds that may serve as baselines, newest first."""
        found: dict[str, RunHead] = {}
        for history, how in self.sources:
            self._add(
                found, history, how, history.believable(self._reader(history, how), builds=limit)
            )
        runs = sorted(found.values(), key=lambda one: (-one.started, one.id))
        met: dict[str, None] = {}
        for run in runs:
            met.setdefault(run.build or run.id)
        taken = set(list(met)[:limit])
        return [run for run in runs if (run.build or run.id) in taken]

    def of_state(self, state: str, limit: int) -> list[RunHead]:
        """The newest runs on a state that may be proof."""
        found: dict[str, RunHead] = {}
        for history, how in self.sources:
            reader = self._reader(history, how)
            runs = history.runs_of_state(self.judged.project, state, limit=limit, reader=reader)
            self._add(found, history, how, runs)
        return list(found.values())

    def _add(
        self, found: dict[str, RunHead], history: History, how: Came, runs: Iterable[RunHead]
    ) -> None:
        """Add runs with the trust that they have here; of two copies the more trusted one."""
        for run in runs:
            known = as_read(run, how, history.target.trust)
            old = found.get(run.id)
            if old is None or TRUST_RANKS[known.trust] < TRUST_RANKS[old.trust]:
                found[run.id] = known
                self._home[run.id] = history

    def _of(self, history: History, runs: Sequence[RunHead]) -> list[RunHead]:
        return [run for run in runs if self._home.get(run.id) is history]

    # -- what they say -------------------------------------------------------------------------

    def baselines(self, runs: Sequence[RunHead]) -> list[RunHead]:
        """Those of ``runs`` (best evidence first) that hold the first pass of some test."""
        for history, _ in self.sources:
            history.coverage.fetch(self._of(history, runs))
        return baselines([history.coverage for history, _ in self.sources], runs)

    def past(self, nodeids: Sequence[str], runs: Sequence[RunHead]) -> dict[str, tuple[Past, ...]]:
        """Results of these tests in these runs, in the order of ``runs``."""
        parts = [
            history.past(nodeids, mine)
            for history, _ in self.sources
            if (mine := self._of(history, runs))
        ]
        place = {run.id: number for number, run in enumerate(runs)}
        return {
            nodeid: tuple(
                sorted(
                    (one for part in parts for one in part.get(nodeid, ())),
                    key=lambda one: place[one.run.id],
                )
            )
            for nodeid in nodeids
        }

    def load(self, run_id: str) -> Run | None:
        """A run that this evidence gave, whole; None if it cannot be read."""
        history = self._home.get(run_id)
        try:
            return None if history is None else history.load(run_id)
        except NotFoundError:
            return None

    def tests_below(self, place: str, most: int = 20) -> set[str]:
        """Node ids of some tests that a file or folder has had, or of a function."""
        found: set[str] = set()
        for history, _ in self.sources:
            found |= history.tests_below(self.judged.project, place, most)
        return found

    def flaky_tests(self, runs: Sequence[RunHead]) -> set[str]:
        """Node ids of the tests that some failure in these runs was judged flaky of."""
        parts = (history.flaky_tests(self._of(history, runs)) for history, _ in self.sources)
        return set().union(*parts)

    def passed_tests(self, runs: Sequence[RunHead]) -> set[str]:
        """Node ids of the tests that passed in one of these runs."""
        parts = (history.passed_tests(self._of(history, runs)) for history, _ in self.sources)
        return set().union(*parts)

    def all_tests(self, most: int) -> set[str]:
        """Node ids of the tests that the project has had, some of them if more than ``most``."""
        project = self.judged.project
        return set().union(*(history.all_tests(project, most) for history, _ in self.sources))

    def environments(self, ids: Iterable[str]) -> dict[str, Environment]:
        """The environments of these ids; unknown ones are left out."""
        wanted = set(ids)
        found: dict[str, Environment] = {}
        for history, _ in self.sources:
            missing = wanted - found.keys()
            if missing:
                found |= history.environments(missing)
        return found

    def state_files(self, ids: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """Path to blob id for each of these states, as runs that are believed describe them."""
        wanted = set(ids)
        found: dict[str, Mapping[str, str]] = {}
        for history, how in self.sources:
            missing = wanted - found.keys()
            if missing:
                found |= history.state_files(missing, self._reader(history, how))
        return found

    def further(
        self, nodeids: Sequence[str], known: Iterable[str]
    ) -> tuple[dict[str, Past], dict[str, str], bool]:
        """Of tests that lack a pass: those found in other runs, and what else is known.

        Returns passes by node id; for other tests a sentence on a pass that is not believed; and
        whether all runs were looked at.
        """
        passes: dict[str, Past] = {}
        others: dict[str, str] = {}
        every = self.whole
        for history, how in self.sources:
            found = history.further(self._reader(history, how), nodeids, known)
            every = every and found.all
            for nodeid, past in found.passes.items():
                head = as_read(past.run, how, history.target.trust)
                old = passes.get(nodeid)
                if old is None or old.run.started < head.started:
                    passes[nodeid] = replace(past, run=head)
                    self._home[head.id] = history
            for nodeid, past in found.others.items():
                why = doubt(past.run, how)
                others.setdefault(nodeid, f"passed in run {short(past.run.id)}, which {why}")
        return passes, {one: others[one] for one in others.keys() - passes.keys()}, every

    # -- what may be learned -------------------------------------------------------------------

    def failures_like(self, asked: Asked) -> Found:
        """Earlier failures that are asked for, of runs whose labels are believed, newest first.

        What is said of a failure, and its text, come from the histories in which it is believed.
        """
        met: dict[tuple[str, str, int, int], Met] = {}
        verdicts: list[Verdict] = []
        texts: dict[str, str] = {}
        tests, signatures = set(asked.nodeids), set(asked.signatures)
        for history, how in self.sources:
            here = history.lessons.like(self._reader(history, how), asked)
            if not here:
                continue
            met |= {one.key: one for one in here}
            verdicts += history.lessons.rulings(self.judged.project, here)
            near = (one for one in here if one.nodeid in tests or one.signature in signatures)
            ids = dict.fromkeys(one.text for one in near)
            texts |= history.lessons.texts(list(ids)[:MOST_TEXTS])
        newest = sorted(met.values(), key=lambda one: (-one.started, one.run))
        return Found(newest, verdicts, texts)

    def passes(self, nodeids: Sequence[str]) -> dict[str, list[Pass]]:
        """Passes of these tests in the newest runs that are believed."""
        found: dict[str, list[Pass]] = {nodeid: [] for nodeid in nodeids}
        for history, how in self.sources:
            reader = self._reader(history, how)
            for nodeid, some in history.lessons.passes(
                self.judged.project, nodeids, reader
            ).items():
                found[nodeid] += some
        return found

    def events(self) -> list[Event]:
        """What people decided on the project's tests; a file that is only read anybody can make."""
        found: dict[str, Event] = {}
        for history, how in self.sources:
            if how is not Came.FILE:
                found |= {one.id: one for one in history.events(self.judged.project)}
        return list(found.values())
