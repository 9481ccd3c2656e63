"""From a run and its history to cases, and from cases to verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from flakefighters.capture.nodeids import own_file
from flakefighters.environment.variables import (
    Asked,
    changed_variables,
    misses,
    names_to_keep,
    that_matter,
)
from flakefighters.fighters.cells import unclear
from flakefighters.fighters.rule import decide
from flakefighters.history import Evidence
from flakefighters.judging import experience
from flakefighters.judging.accounts import IN_FILES, Accounts
from flakefighters.judging.attempts import Attempts
from flakefighters.judging.cases import Cases
from flakefighters.judging.commits import Commits
from flakefighters.judging.evidence import Known, for_later, gather
from flakefighters.judging.results import Judged, Session, failing
from flakefighters.judging.since import Since
from flakefighters.judging.untracked import Missing, asked_for_in, edits
from flakefighters.model import (
    Baseline,
    Case,
    Change,
    ChangeKind,
    Changes,
    Execution,
    Experience,
    Failure,
    Flakefighter,
    How,
    Need,
    Outcome,
    Past,
    Run,
    RunHead,
    Touching,
    Trace,
    Use,
    believed,
)
from flakefighters.model.decisions import Event
from flakefighters.state.checkout import Checkout
from flakefighters.state.files import differing

__all__ = ["judge"]

#: A session of which nothing is known but its run.
_UNKNOWN = Session()


def judge(
    run: Run,
    history: Evidence | None,
    checkout: Checkout,
    fighters: Sequence[Flakefighter],
    session: Session = _UNKNOWN,
    *,
    now: int = 0,
    absent: bool = False,
    marks: Sequence[Event] = (),
    statistics: str = "any",
) -> Judged:
    """Judge every failure of ``run``; without a history all that is known is the run itself
    (``absent``: there is none yet; otherwise it could not be read).

    ``marks`` is what people decided on what failed, ``statistics`` how statistical flakefighters
    are joined.
    """
    judged = Judged()
    failed = failing(run)
    if not failed:
        return judged
    world = _World(run, history, checkout, session)
    world.readable = history is not None or absent
    world.learns = any(Need.EXPERIENCE in one.needs for one in fighters)
    judged.seen = [head.id for head in world.runs]
    judged.merged = sorted(world.known.merged)
    judged.asked = world.asked()
    attempts = Attempts()
    for execution in failed:
        ignore = session.ignored.get(execution.nodeid, {}).get("ignore")
        if ignore is True:
            continue
        mine = [one for one in fighters if not (isinstance(ignore, list) and one.name in ignore)]
        mine = attempts.told(mine, execution.nodeid)
        for index in range(len(execution.failures)):
            case = replace(world.case(execution, index), marks=tuple(marks))
            joint, said = decide(case, mine, statistics)
            more = for_later(case, statistics)
            joint = joint._replace(evidence={**joint.evidence, **more}) if more else joint
            place: dict[str, Any] = {
                "run": run.head.id,
                "nodeid": execution.nodeid,
                "attempt": execution.attempt,
                "index": index,
                "at": now,
            }
            judged.joint.append(joint._replace(**place))
            judged.said.extend(one._replace(**place) for one in said)
            attempts.note(said, execution.nodeid, execution.attempt)
    return judged


class _World:
    """What is asked of the history, git and the files, once for all failures of a run."""

    def __init__(self, run: Run, history: Evidence | None, checkout: Checkout, session: Session):
        self.run, self.history, self.checkout, self.session = run, history, checkout, session
        self.readable = True
        #: Whether a flakefighter asks for earlier failures whose label is known.
        self.learns = False
        failed = {execution.nodeid: execution for execution in failing(run)}
        self.known = Known()
        if history is not None and session.history_runs > 0:
            self.known = gather(
                history,
                checkout,
                sorted(failed),
                places=[one for one, how in failed.items() if _is_place(how)],
                limit=session.history_runs,
            )
        self.runs, self.past = self.known.runs, self.known.past
        self._cases = Cases(run, self.known.environments.values(), self.known.merged)
        self._comparable = self._cases.comparable
        self.accounts = Accounts(run, checkout, session)
        self.commits = Commits(checkout)
        self.since = Since(run, history, checkout, self.accounts, self.known)
        self.untracked_code = self._edits()
        self._missing = Missing(run, checkout)

    def _edits(self) -> tuple[tuple[str, int], ...]:
        """Code that was edited since earlier runs and that no state tells of."""
        if not self.runs or not self.session.loaded:
            return ()
        return edits(
            self.session.loaded,
            self.checkout.base,
            lambda: self.checkout.files() or {},
            min(one.started for one in self.runs),
            lasting=self._lasting(),
        )

    def _lasting(self) -> bool:
        """Whether files stay from run to run: not on a machine that is made for each."""
        settings = {} if self.run.environment is None else self.run.environment.settings
        return not any(name.startswith("ci.") for name in settings)

    # -- one case ----------------------------------------------------------------------------

    def case(self, execution: Execution, index: int) -> Case:
        """Everything that may be looked at for one failure."""
        past = self.past.get(execution.nodeid, ())
        file = self._own_file(execution)
        trace = self.accounts.trace(execution, index)
        passes = self._passes(past)
        baseline, stable = self._baseline(passes), self._stable(past, passes)
        failure = execution.failures[index]
        asked = (execution, failure, trace)
        case = replace(
            self._cases.of(execution, index),
            past=past,
            not_believed=self.known.not_believed.get(execution.nodeid),
            searched=self.known.searched,
            varied=self._varied(past, failure),
            baseline=self._with_account(baseline, *asked),
            stable=self._with_account(stable, *asked),
            history=self.readable,
            own_file=file,
            untracked_code=self.untracked_code,
            loose=self._opened_loose(trace),
            missing=self._missing.of(failure),
            draws=self.accounts.draws(execution, trace),
            own_change=self.since.own_change(file) if baseline is None else None,
            experience=self._experience if self.learns else None,
            coverage=self.session.coverage,
        )
        return self._completed(case, passes, asked)

    def _completed(
        self, case: Case, passes: Sequence[Past], asked: tuple[Execution, Failure, Trace | None]
    ) -> Case:
        """The case with what costs more and is needed only where the nearest pass is silent."""
        baseline = case.baseline
        if baseline is None:
            return self._without_baseline(case, asked)
        found = baseline.touching
        files = self.since.files.get(baseline.past.run.state or "") or {}
        if found is None or not found.watched:
            case = replace(case, reach=self.accounts.reach(case.own_file or "", files))
        case = replace(case, commits=self._commits(case, baseline, files))
        unlike = baseline.past.run.id in case.varied
        if found is not None and found.watched and (found.touched or found.doubts or unlike):
            others = (self._with_account(one, *asked) for one in self._others(passes, baseline))
            return replace(case, others=tuple(one for one in others if one is not None))
        return case

    def _commits(
        self, case: Case, baseline: Baseline, old: Mapping[str, str]
    ) -> dict[tuple[str, str | None], tuple[str, ...]]:
        """The commits that made the changes which the verdict is going to name."""
        found = () if baseline.touching is None else baseline.touching.touched
        named = [one for how, one in found if how is found[0][0]]
        if not named and case.reach is not None:
            names = {one.path for one in baseline.changes.changes} & case.reach.files.keys()
            paths = sorted(names, key=lambda path: (path != case.own_file, path))
            named = [Change(kind=ChangeKind.FILE, path=path) for path in paths]
        some = {(one.path, one.unit): one for one in named if one.kind in IN_FILES}
        return {
            key: self.commits.of(one, baseline.past.run, old) for key, one in list(some.items())[:2]
        }

    def _without_baseline(self, case: Case, asked: tuple[Execution, Failure, Trace | None]) -> Case:
        """The case of a test that never passed: git still knows what is being changed."""
        execution, failure, trace = asked
        sibling = self.known.siblings.get(case.nodeid)
        if sibling is not None:
            like = self._with_account(self._as_baseline(sibling), *asked)
            assert like is not None
            files = self.since.files.get(sibling.run.state or "") or {}
            commits = self._commits(case, like, files)
            return replace(case, changing=like.touching, sibling=sibling, commits=commits)
        former = None
        if self.readable and (trace is not None or _is_place(execution)):
            former = self.checkout.former(self.run.head.base_branch)
        if former is None:
            return case
        who, files = former
        if trace is None:
            reached = self.accounts.reach(case.own_file or "", files).files
            found = differing(files, self.checkout.files() or {})
            imported = tuple((How.IMPORTED, one) for one in found if one.path in reached)
            return replace(case, changing=Touching(touched=imported), changed_by=who)
        delta = self.accounts.since(who, files)
        changes = Changes(changes=tuple(effect.change for effect in delta.effects))
        touching = self.accounts.touching(execution, failure, trace, changes, who, files)
        return replace(case, changing=touching, changed_by=who)

    def _with_account(
        self,
        baseline: Baseline | None,
        execution: Execution,
        failure: Failure,
        trace: Trace | None,
    ) -> Baseline | None:
        """A baseline with what the execution had to do with the changes since."""
        if baseline is None or trace is None:
            return baseline
        state = baseline.past.run.state
        touching = self.accounts.touching(
            execution, failure, trace, baseline.changes, state, self.since.files.get(state or "")
        )
        return replace(baseline, touching=touching)

    def _opened_loose(self, trace: Trace | None) -> tuple[tuple[str, int], ...]:
        """Data files that git ignores and that a failing execution may have read."""
        lookback = self.session.lookback
        if trace is None or lookback is None or not self._lasting():
            return ()
        opened = trace.opened | {path for path, _ in trace.before(trace.process.opened)}
        found = ((path, lookback.loose[path]) for path in lookback.loose.keys() & opened)
        return tuple(sorted(found, key=lambda one: (-one[1], one[0])))

    @cached_property
    def _experience(self) -> Experience | None:
        if self.history is None or self.session.history_runs <= 0:
            return None
        failed: dict[str, list[str]] = {}
        for execution in failing(self.run):
            signatures = (failure.signature for failure in execution.failures)
            failed.setdefault(execution.nodeid, []).extend(signatures)
        return experience.gather(self.history, failed)

    def _varied(self, past: Sequence[Past], failure: Failure) -> dict[str, tuple[str, ...]]:
        """Variables that the project asks for, by the id of a run in which they were others."""

        def names() -> frozenset[str]:
            return that_matter(self._names(), misses(failure))

        found = {one.run.id: changed_variables(one.run, self.run.head, names) for one in past}
        return {run: names for run, names in found.items() if names}

    def _names(self) -> frozenset[str]:
        return self._asked_for.names

    def asked(self) -> list[str]:
        """Variables that the project asks for, to judge by when it is not there."""
        heads = (self.run.head, *self.runs)
        several = {str(head.context.get("variables") or "") for head in heads}
        return names_to_keep(self._asked_for, self.run.head.project, several)

    @cached_property
    def _asked_for(self) -> Asked:
        return asked_for_in(self.checkout)

    def _own_file(self, execution: Execution) -> str:
        """The file of a test; of a folder that cannot be collected, the one that is loaded."""
        file = own_file(execution.nodeid)
        if not _is_place(execution) or file.endswith(".py"):
            return file
        loaded = (f"{file}/{name}".removeprefix("./") for name in ("conftest.py", "__init__.py"))
        return next((one for one in loaded if one in (self.checkout.files() or {})), file)

    # -- which pass is the baseline ----------------------------------------------------------

    def _passes(self, past: Sequence[Past]) -> list[Past]:
        """The passes that may be baselines, in order of evidence."""
        apart = unclear(self.run.head, past, self._comparable)
        return [
            one
            for one in past
            if one.outcome is Outcome.PASSED and one.run.id not in apart and self._counts(one.run)
        ]

    def _baseline(self, passes: Sequence[Past]) -> Baseline | None:
        if not passes:
            return None
        key = self.run.head.environment_key
        best = next((one for one in passes if one.run.environment_key == key), passes[0])
        return self._as_baseline(best)

    def _as_baseline(self, past: Past) -> Baseline:
        return Baseline(past=past, changes=self.since.changes(past.run))

    def _others(self, passes: Sequence[Past], baseline: Baseline) -> list[Baseline]:
        """The nearest pass on each of some other states, in our own environment."""
        met = {baseline.past.run.state}
        found: list[Baseline] = []
        for one in passes:
            head = one.run
            if head.state in met or len(found) >= _MOST_OTHERS:
                continue
            same = head.environment_key == self.run.head.environment_key
            if same:
                met.add(head.state)
                found.append(self._as_baseline(one))
        return found

    def _stable(self, past: Sequence[Past], passes: Sequence[Past]) -> Baseline | None:
        """The nearest pass on another state, for a failure on a state that passed as well, on
        which the test was never seen to fail."""
        state = self.run.head.state
        shaky = {
            one.run.state for one in past if one.outcome is not Outcome.PASSED and one.signatures
        }
        for one in passes:
            if one.run.state not in (None, state) and one.run.state not in shaky:
                return self._as_baseline(one)
        return None

    def _counts(self, head: RunHead) -> bool:
        merged = head.commit in self.known.rank
        return believed(head, Use.BASELINE, self.run.head, merged=merged)


#: So many other passes are asked for where the nearest one leaves a doubt.
_MOST_OTHERS = 4


def _is_place(execution: Execution) -> bool:
    """Whether it is no test that failed, but the collection of a file or folder."""
    return any(failure.facts.get("collection") for failure in execution.failures)
