"""From a run and its history to cases, and from cases to verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from flakefighters.capture.nodeids import own_file
from flakefighters.environment.facts import compare
from flakefighters.fighters import decide
from flakefighters.history import Evidence
from flakefighters.judging.baselines import Lookback, files_of
from flakefighters.judging.evidence import Known, gather
from flakefighters.judging.installed import Installed
from flakefighters.judging.touches import touch_of
from flakefighters.judging.untracked import edits
from flakefighters.model import (
    JOINT,
    Baseline,
    Case,
    Change,
    Changes,
    Effect,
    Execution,
    Failure,
    Flakefighter,
    Outcome,
    Past,
    Reach,
    Run,
    RunHead,
    Use,
    Verdict,
    believed,
)
from flakefighters.reach.import_graph import ImportGraph
from flakefighters.source.doctests import words_of
from flakefighters.state.checkout import Checkout
from flakefighters.state.files import differing

__all__ = ["Judged", "failing", "judge"]


@dataclass(slots=True)
class Judged:
    """The verdicts of a run."""

    #: The joined verdict of every failure, in the order of the failures.
    joint: list[Verdict] = field(default_factory=list)
    #: What each flakefighter said.
    said: list[Verdict] = field(default_factory=list)
    #: Runs that were considered, best evidence first.
    seen: list[str] = field(default_factory=list)
    #: Those of them that are of pull requests whose commit is part of what is checked out.
    merged: list[str] = field(default_factory=list)


def failing(run: Run) -> list[Execution]:
    """The attempts that have a failure."""
    return [execution for execution in run.executions if execution.failures]


def judge(
    run: Run,
    history: Evidence | None,
    checkout: Checkout,
    fighters: Sequence[Flakefighter],
    *,
    history_runs: int = 50,
    roots: Sequence[str] = (),
    plugins: Sequence[str] = (),
    ignored: Callable[[str], bool | list[str] | None] = lambda _: None,
    lookback: Lookback | None = None,
    modules: frozenset[str] | None = None,
    loaded: Sequence[str] = (),
    now: int = 0,
    absent: bool = False,
) -> Judged:
    """Judge every failure of ``run``; without a history all that is known is the run itself
    (``absent``: there is none yet; otherwise it could not be read)."""
    judged = Judged()
    failed = failing(run)
    if not failed:
        return judged
    world = _World(run, history, checkout, history_runs, roots, plugins, lookback)
    world.installed = Installed(modules)
    world.note_edits(loaded)
    world.readable = history is not None or absent
    judged.seen = [head.id for head in world.runs]
    judged.merged = sorted(world.known.merged)
    for execution in failed:
        ignore = ignored(execution.nodeid)
        if ignore is True:
            continue
        mine = [one for one in fighters if not (isinstance(ignore, list) and one.name in ignore)]
        for index in range(len(execution.failures)):
            joint, said = decide(world.case(execution, index), mine)
            place = {
                "run": run.head.id,
                "nodeid": execution.nodeid,
                "attempt": execution.attempt,
                "index": index,
                "at": now,
            }
            judged.joint.append(replace(joint, **place))  # type: ignore[arg-type]
            judged.said.extend(replace(one, **place) for one in said)  # type: ignore[arg-type]
    return judged


class _World:
    """What is asked of the history, git and the files, once for all failures of a run."""

    def __init__(
        self,
        run: Run,
        history: Evidence | None,
        checkout: Checkout,
        limit: int,
        roots: Sequence[str],
        plugins: Sequence[str],
        lookback: Lookback | None,
    ):
        self.run = run
        self.history = history
        self.checkout = checkout
        self.roots, self.plugins = roots, plugins
        self.readable = True
        self.lookback = lookback
        self.installed = Installed(None)
        self.unstated: tuple[tuple[str, int], ...] = ()
        self.known = Known()
        self._files: dict[str, dict[str, str] | None] = {}
        self._changes: dict[tuple[str | None, str | None], Changes] = {}
        self._graphs: dict[str, ImportGraph] = {}
        self._reach: dict[tuple[str, str], Reach] = {}
        self._attempts: dict[str, list[Execution]] = {}
        for execution in run.executions:
            self._attempts.setdefault(execution.nodeid, []).append(execution)
        failed = {execution.nodeid: execution for execution in failing(run)}
        self._signatures = Counter(
            signature
            for execution in failed.values()
            for signature in {failure.signature for failure in execution.failures}
        )
        final = dict(zip(run.suite, run.outcomes, strict=True))
        self._failing = sum(final.get(nodeid) in ("F", "E") for nodeid in failed)
        self._collected = frozenset(map(own_file, run.suite))
        self._executed = sum(outcome != Outcome.NOT_RUN.value for outcome in run.outcomes)
        if history is not None and limit > 0:
            self.known = gather(history, checkout, sorted(failed), limit=limit)
        self.runs, self.past = self.known.runs, self.known.past
        self.environments = self.known.environments

    def note_edits(self, loaded: Sequence[str]) -> None:
        """Look for code that was edited since earlier runs and that no state tells of."""
        if not self.runs or not loaded:
            return
        self.unstated = edits(
            loaded,
            self.checkout.base,
            lambda: self.checkout.files() or {},
            min(one.started for one in self.runs),
            lasting=self._lasting(),
        )

    def _opened_loose(self, failure: Failure) -> tuple[tuple[str, int], ...]:
        """Data files that git ignores and that a failing execution may have read."""
        touch = touch_of(failure, self.lookback)
        if touch is None or self.lookback is None or not self._lasting():
            return ()
        loose, opened = self.lookback.loose, touch.opened | touch.opened_before
        found = ((path, loose[path]) for path in loose.keys() & opened)
        return tuple(sorted(found, key=lambda one: (-one[1], one[0])))

    def _example(self, nodeid: str, file: str) -> frozenset[str] | None:
        """The words of an example, of a test whose name is a dotted one, or its file's."""
        name = nodeid.rpartition("::")[2]
        if "." not in name.partition("[")[0]:
            return None
        content = self.checkout.disk.read(f"{self.checkout.base}/{file}")
        return None if content is None else words_of(file, name, content)

    def _lasting(self) -> bool:
        """Whether files stay from run to run: not on a machine that is made for each."""
        settings = {} if self.run.environment is None else self.run.environment.settings
        return not any(name.startswith("ci.") for name in settings)

    def case(self, execution: Execution, index: int) -> Case:
        """Everything that may be looked at for one failure."""
        failure = execution.failures[index]
        past = self.past.get(execution.nodeid, ())
        file = own_file(execution.nodeid)
        baseline = self._baseline(past)
        stable = self._stable(past)
        origin = (baseline or stable).past.run.state if baseline or stable else None  # type: ignore[union-attr]
        return Case(
            head=self.run.head,
            nodeid=execution.nodeid,
            execution=execution,
            failure=failure,
            index=index,
            environment=self.run.environment,
            attempts=tuple(self._attempts[execution.nodeid]),
            past=past,
            comparable=self._comparable(),
            merged=self.known.merged,
            not_believed=self.known.not_believed.get(execution.nodeid),
            searched=self.known.searched,
            baseline=baseline,
            others=self._others(past, baseline),
            stable=stable,
            reach=None if baseline is None else self._reach_of(file, origin),
            touch=touch_of(failure, self.lookback),
            distributions=self.installed.imported(
                file, origin, baseline, lambda: self._outside(file, origin)
            ),
            loaded=self.installed.loaded(baseline),
            history=self.readable,
            own_file=file,
            example=self._example(execution.nodeid, file),
            unstated=self.unstated,
            loose=self._opened_loose(failure),
            collected=self._collected,
            own_change=self._own_change(file) if baseline is None else None,
            failing=self._failing,
            executed=self._executed,
            signature=failure.signature,
            same_signature=self._signatures[failure.signature],
        )

    def _comparable(self) -> frozenset[str]:
        mine = self.run.environment
        if mine is None:
            return frozenset()
        return frozenset(
            [mine.id]
            + [
                other.id
                for other in self.environments.values()
                if other.key == mine.key and other.distributions == mine.distributions
            ]
        )

    def _baseline(self, past: Sequence[Past]) -> Baseline | None:
        passes = [one for one in past if one.outcome is Outcome.PASSED and self._counts(one.run)]
        if not passes:
            return None
        key = self.run.head.environment_key
        best = next((one for one in passes if one.run.environment_key == key), passes[0])
        return self._as_baseline(best)

    def _as_baseline(self, past: Past) -> Baseline:
        state = past.run.state
        watched = state is not None and (
            state == self.run.head.state
            or (self.lookback is not None and state in self.lookback.deltas)
        )
        return Baseline(
            past=past,
            changes=self._changes_since(past.run),
            same_environment=past.run.environment_key == self.run.head.environment_key,
            watched=watched,
        )

    def _others(self, past: Sequence[Past], baseline: Baseline | None) -> tuple[Baseline, ...]:
        """The nearest pass on each other state that was watched, in our own environment."""
        if baseline is None or self.lookback is None:
            return ()
        met = {baseline.past.run.state}
        found = []
        for one in past:
            head = one.run
            if head.state in met or head.state not in self.lookback.deltas:
                continue
            same = head.environment_key == self.run.head.environment_key
            if same and one.outcome is Outcome.PASSED and self._counts(head):
                met.add(head.state)
                found.append(self._as_baseline(one))
        return tuple(found)

    def _stable(self, past: Sequence[Past]) -> Baseline | None:
        """The nearest pass on another state on which the test was never seen to fail."""
        state = self.run.head.state
        shaky = {
            one.run.state for one in past if one.outcome is not Outcome.PASSED and one.signatures
        }
        for one in past:
            if one.run.state in (None, state) or one.run.state in shaky:
                continue
            if one.outcome is Outcome.PASSED and self._counts(one.run):
                return self._as_baseline(one)
        return None

    def _counts(self, head: RunHead) -> bool:
        merged = head.commit in self.known.rank
        return believed(head, Use.BASELINE, self.run.head, merged=merged)

    def _outside(self, file: str, state: str | None) -> frozenset[str]:
        """Top-level modules that the test's files ask for and that are not of the project."""
        files = self._reach_of(file, state).files
        return self._graphs[state or ""].outside(files)

    def _changes_since(self, head: RunHead) -> Changes:
        key = (head.state, head.environment)
        if key not in self._changes:
            self._changes[key] = self._compare(head)
        return self._changes[key]

    def _compare(self, head: RunHead) -> Changes:
        changes: list[Change] = []
        effects: tuple[Effect, ...] = ()
        source = "recorded"
        unknown = None
        if head.state is None or self.run.head.state is None:
            unknown = "a state that could not be read"
        elif head.state != self.run.head.state:
            old, new = self._files_of(head), self.checkout.files()
            if old is None or new is None:
                unknown = "the files of that state were not recorded"
            elif self.lookback is not None and head.state in self.lookback.deltas:
                found = self.lookback.deltas[head.state]
                effects, source, unknown = found.effects, found.source, found.unknown
                changes.extend(effect.change for effect in effects)
            else:
                changes.extend(differing(old, new))
        then = self.environments.get(head.environment or "")
        if then is None or self.run.environment is None:
            unknown = unknown or "the environment was not recorded"
        else:
            changes.extend(compare(then, self.run.environment))
        return Changes(
            changes=tuple(changes),
            effects=effects,
            complete=unknown is None,
            unknown=unknown,
            source=source,
        )

    def _files_of(self, head: RunHead) -> dict[str, str] | None:
        state = head.state
        if state is None:
            return None
        if state not in self._files:
            assert self.history is not None
            files = files_of([head], self.history, self.checkout).get(state)
            self._files[state] = None if files is None else dict(files)
        return self._files[state]

    def _reach_of(self, file: str, state: str | None) -> Reach:
        key = (file, state or "")
        if key not in self._reach:
            if key[1] not in self._graphs:
                self._graphs[key[1]] = ImportGraph(
                    self.checkout.base,
                    self.checkout.files() or (),
                    old_files=self._files.get(key[1]) or (),
                    roots=self.roots,
                    plugins=self.plugins,
                    cut=self.checkout.prefix,
                    disk=self.checkout.disk,
                )
            self._reach[key] = self._graphs[key[1]].reach(file)
        return self._reach[key]

    def _own_change(self, file: str) -> str | None:
        """How the test's file differs from the newest recorded state in which it differed."""
        now = (self.checkout.files() or {}).get(file)
        for head in sorted(self.runs, key=lambda one: -one.started):
            if head.state == self.run.head.state:
                continue
            files = self._files_of(head)
            if files is None or files.get(file) == now:
                continue
            how = "is new" if file not in files else "changed"
            return f"{how} since run {head.id[-4:]}"
        return None


def by_failure(verdicts: Sequence[Verdict]) -> dict[tuple[str, int, int], Verdict]:
    """Joined verdicts by node id, attempt and index of the failure."""
    return {(one.nodeid, one.attempt, one.index): one for one in verdicts if one.fighter == JOINT}
