"""The end of a session: judge, save, and keep what could not be saved."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import field
from typing import TYPE_CHECKING

from flakefighters.errors import FlakefightersError, UnreachableError
from flakefighters.history import Evidence, Reader, came
from flakefighters.history.intake import Saved
from flakefighters.history.unreadable import unreadable_note
from flakefighters.judging.results import Judged, Session, failing, without_traces
from flakefighters.judging.retries import late_proofs
from flakefighters.judging.untracked import asked_for_in
from flakefighters.lazy import as_installed
from flakefighters.model import Came, Trust
from flakefighters.originals import real
from flakefighters.records import record
from flakefighters.session.open_history import open_checked
from flakefighters.session.places import address, journals_in
from flakefighters.words import trouble

if TYPE_CHECKING:
    from flakefighters.history import History
    from flakefighters.model import Run, Target, Verdict
    from flakefighters.model.choice import Choice
    from flakefighters.model.decisions import Event
    from flakefighters.session.places import Spool
    from flakefighters.session.trials import OnTrial
    from flakefighters.state.checkout import Checkout
    from flakefighters.trials.bench import Bench

__all__ = ["Finished", "Plan", "finish"]


@record
class Plan:
    """What is to be done with a run."""

    #: Where to read evidence, and where to record.
    target: Target
    record_to: Target
    #: Which flakefighters to ask, None for all, with their defaults.
    choice: Choice | None = None
    save: bool = True
    #: Seconds for all of it.
    seconds: float = 3.0
    session: Session = field(default_factory=Session)
    #: Folders with the journals of earlier runs.
    spools: Sequence[Spool] = ()
    #: Runs that could not be read when looking back, and why.
    unreadable: Mapping[str, str] = field(default_factory=dict)
    #: How to run failing tests again; None if that was not asked for.
    bench: Bench | None = None


@record
class Finished:
    """What came of it."""

    judged: Judged = field(default_factory=Judged)
    #: Whether the run is in the history now.
    saved: bool = False
    notes: list[str] = field(default_factory=list)
    #: Verdicts on failures of earlier runs, which this run proves flaky.
    proved: list[Verdict] = field(default_factory=list)
    #: What people decided on tests that failed, and on their failures.
    decisions: list[Event] = field(default_factory=list)
    #: The run as it was, or would have been, saved.
    run: Run | None = None
    #: How many failures were put on trial, and how many of them were settled.
    tried: int = 0
    settled: int = 0


def finish(
    run: Run,
    checkout: Checkout,
    plan: Plan,
    say: Callable[[str], None] = lambda _: None,
) -> Finished:
    """Judge the run by its history, and save it; then put failures on trial, if that was asked for.

    Trouble of ours ends up in ``notes``; ``say`` tells what takes long.
    """
    end = real.monotonic() + plan.seconds
    done = Finished(run=run)
    with ExitStack() as stack:
        same = plan.target == plan.record_to
        found = _open(plan.target, checkout, done, stack, plan.save and same, plan.seconds)
        whole = not done.notes
        into = found
        if not same:
            # What runs of a read-only profile are recorded in is evidence as well.
            left = max(0.5, end - real.monotonic())
            into = _open(plan.record_to, checkout, done, stack, plan.save, left)
        trust = Trust.LOCAL if into is None else into.trust
        sources = {id(one): one for one in (found, into) if one is not None}.values()
        evidence = Evidence(
            judged=run.head._replace(trust=trust),
            sources=[(one, came(one, plan.record_to)) for one in sources],
            whole=whole,
            commits=checkout.ancestors,
        )
        gone = _judge(run._replace(head=evidence.judged), evidence, checkout, plan, done)
        trial = _trial(run, evidence, checkout, plan, done)
        done.run = run = run._replace(seen=done.judged.basis)
        if plan.save and into is not None and into not in gone:
            _save(run, into, checkout, plan, done)
        damaged = [one.unreadable.runs for one in sources]
        note = unreadable_note(dict(ChainMap(*damaged, dict(plan.unreadable))))
        if note is not None:
            done.notes.insert(0, note)
    if trial is not None:  # no connection is open while tests run
        _try(trial, checkout, plan, done, say)
    return done


def _trial(
    run: Run, evidence: Evidence, checkout: Checkout, plan: Plan, done: Finished
) -> OnTrial | None:
    """What is to be put on trial, if that was asked for."""
    if plan.bench is None or not done.judged.joint:
        return None
    with as_installed():
        from flakefighters.session.trials import prepare_trials
    try:
        return prepare_trials(
            run,
            done.judged.joint,
            evidence,
            checkout,
            plan.bench,
            marks=plan.session.ignored,
            limit=plan.session.history_runs,
        )
    except FlakefightersError as error:
        done.notes.append(f"nothing was put on trial: {error.message}")
        return None


def _try(
    trial: OnTrial, checkout: Checkout, plan: Plan, done: Finished, say: Callable[[str], None]
) -> None:
    """Run the trials; what they prove joins what was read, here and in the history."""
    try:
        found = trial.conduct(checkout, say)
    except Exception as error:  # the run is judged and saved: nothing of it is lost
        done.notes.append(f"the trials ended early: {trouble(error)}")
        return
    done.notes += found.notes
    done.tried, done.settled = len(found.verdicts), found.settled
    new = {one.place: one for one in found.verdicts}
    joint = done.judged.joint
    joint[:] = [new.get(one.place, one) for one in joint]
    if not (done.saved and found.verdicts):
        return
    try:
        with open_checked(plan.record_to, checkout, create=False, deadline=plan.seconds) as history:
            history.add_verdicts(found.verdicts)
    except FlakefightersError as error:
        done.notes.append(f"what the trials found was not saved: {error.message}")


def _judge(
    run: Run, evidence: Evidence, checkout: Checkout, plan: Plan, done: Finished
) -> list[History]:
    """Judge by all that can be read; returns the servers that went away meanwhile."""
    if not failing(run):
        return []
    with as_installed():  # reading sources takes a third of our modules: only now
        from flakefighters.fighters.registry import choose
        from flakefighters.judging.judge import judge
        from flakefighters.model.choice import Choice

        choice = plan.choice or Choice()
        fighters = choose(choice, done.notes.append)
    # A history that is not there yet is an empty one, not an unreadable one.
    absent = not evidence.sources and not done.notes
    gone: list[History] = []
    while True:
        try:
            done.decisions = _decisions(run, evidence, done)
            done.judged = judge(
                run,
                evidence if evidence.sources else None,
                checkout,
                fighters,
                plan.session,
                now=real.time_ns() // 1000,
                absent=absent,
                marks=done.decisions,
                statistics=choice.statistics,
            )
        except FlakefightersError as error:
            if not evidence.sources:
                raise
            done.notes.append(str(error))
            history, _ = evidence.sources.pop(0)
            evidence.whole = False
            if isinstance(error, UnreachableError):
                history.close()  # the line is down: one trouble, and the run waits
                gone.append(history)
        else:
            return gone


def _decisions(run: Run, evidence: Evidence, done: Finished) -> list[Event]:
    """What people decided on what failed: one question to each history.

    A file of unknown origin is not asked: anybody may have decided in it.
    """
    failed = failing(run)
    with as_installed():
        from flakefighters.model.decisions import NO_MARK, OFF, standing, targets_of
    targets = {
        target
        for one in failed
        for failure in one.failures
        for target in targets_of(one.nodeid, failure.signature)
    }
    found: dict[str, Event] = {}
    for history, how in evidence.sources:
        if how is Came.FILE:
            continue
        try:
            found |= {one.id: one for one in history.events(run.project.identity, targets)}
        except UnreachableError:
            raise
        except FlakefightersError as error:
            done.notes.append(f"{error.message}, so marks and quarantine are not known")
    stand = standing(found.values()).values()
    return [one for one in stand if one.state not in (OFF, NO_MARK)]


def _open(
    target: Target,
    checkout: Checkout,
    done: Finished,
    stack: ExitStack,
    create: bool,
    seconds: float,
) -> History | None:
    if not create and target.path is not None and not os.path.lexists(target.path):
        return None
    try:
        return stack.enter_context(open_checked(target, checkout, create=create, deadline=seconds))
    except FlakefightersError as error:
        done.notes.append(str(error))
        return None


def _save(run: Run, history: History, checkout: Checkout, plan: Plan, done: Finished) -> None:
    try:
        if run.state is not None and not history.has_state_files(
            run.state.id, Reader(judged=run.head._replace(trust=history.trust))
        ):
            files = checkout.files()
            done.run = run = run._replace(state=run.state._replace(files=files or None))
        how = history.save(without_traces(run), [*done.judged.joint, *done.judged.said])
        if how in (Saved.BEYOND, Saved.PURGED):  # a clock that is far behind, for example
            done.notes.append(f"the run was not recorded: it is {how.value}")
            return
        done.saved = True
    except FlakefightersError as error:
        done.notes.append(str(error))
        return
    try:
        if any(set(journals_in(one.path)) - {f"{run.head.id}.jsonl"} for one in plan.spools):
            with as_installed():
                from flakefighters.session.spool import deliver_leftovers
            to = address(plan.record_to)
            done.notes += deliver_leftovers(
                history, plan.spools, to=to, seconds=1.0, proved=done.proved
            )[1]
        # A pass proves something of earlier failures on this state; it is no proof of this one.
        with as_installed():
            later = late_proofs(
                run, history, lambda: asked_for_in(checkout).names, now=real.time_ns() // 1000
            )
        if later and history.add_verdicts(later):
            done.proved += later
    except FlakefightersError as error:
        done.notes.append(f"{error.message}, after this run was saved")
