"""Put failures on trial at the end of a session, or later by the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final

from flakefighters.environment.variables import changed_variables, misses, that_matter
from flakefighters.history.content import state_key
from flakefighters.judging.evidence import gather
from flakefighters.judging.untracked import asked_for_in
from flakefighters.model import Outcome, Use
from flakefighters.originals import real
from flakefighters.records import record
from flakefighters.state.files import differing
from flakefighters.trials.confirm import Confirmed, confirm
from flakefighters.trials.questions import Before, Question, company_of, questions
from flakefighters.trials.runs import Lab
from flakefighters.words import count

if TYPE_CHECKING:
    from flakefighters.history import Evidence
    from flakefighters.model import Past, Run, RunHead, Verdict
    from flakefighters.state.checkout import Checkout
    from flakefighters.trials.bench import Bench

__all__ = ["OnTrial", "befores", "prepare_trials"]

#: Of a test with passes on many states no more are looked at.
_MOST_PASSES: Final = 20
_SHALLOW: Final = (
    "the states on which these tests passed are not in this shallow clone "
    "(fetch-depth: 0, or a greater depth, brings them)"
)


@record
class OnTrial:
    """What is to be put on trial; nothing of it needs a history any more."""

    run: Run
    bench: Bench
    asked: list[Question]
    befores: Mapping[str, Before] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def conduct(
        self,
        checkout: Checkout,
        say: Callable[[str], None] = lambda _: None,
        tested: str | None = None,
    ) -> Confirmed:
        """Run the trials; Ctrl-C ends them.  ``tested``: a tree that is not checked out."""
        if not self.asked:
            return Confirmed()
        bench = self.bench
        number = count(len(self.asked), "failing test")
        say(f"{number} on trial, for at most {bench.seconds:.0f} s (Ctrl-C ends that)")
        head = self.run.head
        found = confirm(
            self.asked,
            Lab(bench, checkout, tested),
            bench,
            befores=self.befores,
            state=(head.state, head.commit),
            clock=real.monotonic,
            now=lambda: real.time_ns() // 1000,
        )
        found.notes[:0] = self.notes
        return found


def prepare_trials(
    run: Run,
    verdicts: Sequence[Verdict],
    evidence: Evidence | None,
    checkout: Checkout,
    bench: Bench,
    *,
    marks: Mapping[str, Mapping[str, object]],
    limit: int,
    named: Sequence[str] = (),
    elsewhere: str | None = None,
) -> OnTrial:
    """Choose the failing tests of a run, and find out where each of them passed before.

    ``elsewhere`` says why a pass proves nothing, if the run was made on another machine.
    """
    excluded = {nodeid for nodeid, said in marks.items() if said.get("confirm") is False}
    asked = questions(run, verdicts, bench, excluded, named, elsewhere)
    trial = OnTrial(run, bench, asked)
    if asked:
        trial.befores, trial.notes = befores(run, asked[: bench.tests], evidence, checkout, limit)
    return trial


def befores(
    run: Run,
    asked: Sequence[Question],
    evidence: Evidence | None,
    checkout: Checkout,
    limit: int,
) -> tuple[dict[str, Before], list[str]]:
    """By node id the nearest state on which a test passed and that git still has.

    Only trees of commits that what is checked out contains: a history may name any tree, and its
    code is going to run here.  Without such a pass it is what git says was there before.
    """
    search = _Search(run, evidence, checkout)
    found = search.passes(asked, limit)
    missing = [one.nodeid for one in asked if one.nodeid not in found]
    former = search.former() if missing else None
    if former is not None:
        found |= dict.fromkeys(missing, former)
    elif missing and checkout.shallow:
        return found, [_SHALLOW]
    return found, []


class _Search:
    """Finds states to try tests on; each run is asked about once."""

    def __init__(self, run: Run, evidence: Evidence | None, checkout: Checkout):
        self._run, self._evidence, self._checkout = run, evidence, checkout
        self._found: dict[str, Before | None] = {}
        self._runs: dict[str, Run | None] = {}
        self._now = checkout.files() or {}

    def passes(self, asked: Sequence[Question], limit: int) -> dict[str, Before]:
        """By node id the nearest state on which a test passed."""
        if self._evidence is None or not self._evidence.sources or limit <= 0:
            return {}
        places = [one.nodeid for one in asked if one.place]
        names = [one.nodeid for one in asked]
        past = gather(self._evidence, self._checkout, names, places=places, limit=limit).past
        states = {
            name: (self.of(one, name) for one in past.get(name, ())[:_MOST_PASSES])
            for name in names
        }
        nearest = {name: next(filter(None, some), None) for name, some in states.items()}
        return {name: one for name, one in nearest.items() if one is not None}

    def of(self, past: Past, nodeid: str) -> Before | None:
        """The state of a pass of this test, if it can be tried."""
        head = past.run
        fit = past.outcome is Outcome.PASSED and head.state != self._run.head.state
        if not fit or self._evidence is None or not self._evidence.believes(head, Use.BASELINE):
            return None
        if head.id not in self._found:
            self._found[head.id] = self._state_of(head)
        found, run = self._found[head.id], self._whole(head.id)
        if found is None or run is None or nodeid not in run.suite:
            return found
        return found._replace(company=company_of(run, nodeid))

    def _state_of(self, head: RunHead) -> Before | None:
        checkout = self._checkout
        if head.tree is None or head.commit is None or head.dirty is not False:
            return None
        if head.commit not in checkout.ancestors() or checkout.tree_of(head.commit) != head.tree:
            return None
        return Before(
            tree=head.tree,
            name=head.commit[:7],
            commit=head.commit,
            state=head.state,
            passed=head.started,
            differs=self._differs(head),
            changed=self._changed(head.tree),
            passing=self._passing(self._whole(head.id)),
        )

    def _differs(self, head: RunHead) -> str | None:
        """What else than the project's files is not as it was then."""
        mine = self._run.head
        if head.state != state_key(head.tree, None):
            return "files that git ignores may have been others"
        if head.environment_key != mine.environment_key:
            return "that was another environment"
        if head.environment != mine.environment:
            return "distributions have changed since"
        failures = (one for execution in self._run.executions for one in execution.failures)
        asked = that_matter(asked_for_in(self._checkout).names, any(map(misses, failures)))
        names = changed_variables(head, mine, lambda: asked)
        return f"the variable {names[0]} has changed since" if names else None

    def _changed(self, tree: str) -> frozenset[str]:
        old = self._checkout.files_of(tree) or {}
        return frozenset(one.path for one in differing(old, self._now))

    def _passing(self, run: Run | None) -> frozenset[str]:
        if run is None:
            return frozenset()
        pairs = zip(run.suite, run.outcomes, strict=True)
        return frozenset(one for one, outcome in pairs if outcome == Outcome.PASSED.value)

    def _whole(self, run_id: str) -> Run | None:
        if run_id not in self._runs:
            assert self._evidence is not None
            self._runs[run_id] = self._evidence.load(run_id)
        return self._runs[run_id]

    def former(self) -> Before | None:
        """What git says was there before; no run is known that passed on it."""
        who, tree = self._checkout.former_tree(self._run.head.base_branch)
        if tree is None or state_key(tree, None) == self._run.head.state:
            return None
        name = {"an uncommitted edit": "the last commit"}.get(who, f"the state before {who}")
        return Before(
            tree=tree,
            name=name,
            state=state_key(tree, None),
            differs="no run is known in which it passed there",
            changed=self._changed(tree),
        )
