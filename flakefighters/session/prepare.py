"""Prepare a session before conftest files are read, and open it when pytest is configured.

:func:`prepare` comes before any conftest is imported: it finds the history, looks back, and
begins to watch what changed.  :func:`open_session` comes when pytest is configured: it registers
the plugin that records.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flakefighters.errors import ConfigError, FlakefightersError
from flakefighters.history import Evidence, came
from flakefighters.judging.baselines import Lookback, first_look, look_back
from flakefighters.lazy import as_installed
from flakefighters.model import Came, Trust, Watch
from flakefighters.records import NamedTuple
from flakefighters.session import printing
from flakefighters.session.hooks import Session
from flakefighters.session.open_history import open_checked
from flakefighters.session.places import address, journals_in
from flakefighters.session.process_pollution import World
from flakefighters.session.settings import asked, without_url
from flakefighters.session.start import begin
from flakefighters.session.watching import register, start_trace
from flakefighters.words import trouble

if TYPE_CHECKING:
    from flakefighters.history import History
    from flakefighters.model.choice import Choice
    from flakefighters.profiles.resolution import Settings
    from flakefighters.session.each_test import Listener
    from flakefighters.session.settings import Asked
    from flakefighters.session.start import Start
    from flakefighters.tracing.session import TraceSession

__all__ = ["Prepared", "Unprepared", "open_session", "prepare"]

#: Seconds for all questions to the history before the tests start.
_LOOKING: float = 5.0
#: pytest options that ask for a report of ours, or for another one in which we have a section.
_REPORTS = ("flakefighters_json", "json_report", "htmlpath")


class Prepared(NamedTuple):
    """What is known before conftest files are imported."""

    asked: Asked
    start: Start
    choice: Choice | None
    world: World
    lookback: Lookback
    #: What each test ran, if a flakefighter asks for it.
    ran: Listener | None
    trace: TraceSession | None


class Unprepared(NamedTuple):
    """Why there is nothing."""

    why: str
    #: The user asked for what cannot be had; else it is trouble of ours, and the tests run without.
    refused: bool = False


def prepare(config: Any, option: Any = None) -> Prepared | Unprepared:
    """Find out all of it; never raises."""
    try:
        return _prepared(config, option)
    except ConfigError as error:
        return Unprepared(str(error), refused=True)
    except Exception as error:  # ours to mend, not the user's to suffer
        return Unprepared(f"not active: {trouble(error)}")


def _prepared(config: Any, option: Any) -> Prepared:
    wishes = asked(config, option)
    if wishes.fighters is not None:
        refuse_unknown(wishes.fighters)
    world = World()
    start = begin(wishes, config.inipath, config.rootpath)
    choice = chosen(wishes, start.resolution.settings)
    lookback, ran = _look_back(start, wishes), None
    if choice is not None and _needs_coverage(choice):
        # Every function is watched, though nothing changed.
        with as_installed():
            from flakefighters.session.each_test import Listener, watched
        ran = Listener(wishes.trace)
        lookback = watched(lookback, start.checkout, ran)
    if wishes.localise and hasattr(sys, "monitoring"):
        lookback = lookback._replace(watch=lookback.watch._replace(lines=True))
    trace = None if wishes.trace == "off" else start_trace(lookback.watch)
    return Prepared(wishes, start, choice, world, lookback, ran, trace)


def _needs_coverage(choice: Choice) -> bool:
    from flakefighters.fighters.registry import needed
    from flakefighters.model import Need

    return needed(choice, Need.COVERAGE)


def open_session(config: Any, ready: Prepared | Unprepared) -> None:
    """Register the session's plugin; UsageError for what was asked for and cannot be had."""
    if isinstance(ready, Unprepared) and ready.refused:
        raise pytest.UsageError(f"flakefighters: {ready.why}")
    if getattr(config.option, "dist", "no") != "no":
        _hide_url(config)
    if isinstance(ready, Unprepared):
        _say(config, ready.why)
        return
    try:
        session = Session(
            config, ready.asked, ready.start, ready.choice, ready.world, ready.lookback
        )
    except Exception as error:  # as above
        _say(config, f"not active: {trouble(error)}")
        return
    _decide_exit_code(session)
    if getattr(config.option, "xmlpath", None):
        from flakefighters.session.other_reports import JUnitReport

        # Earlier registered is later called: at the end the verdicts are there.
        config.pluginmanager.register(JUnitReport(session), "flakefighters-junit")
    config.pluginmanager.register(session, "flakefighters-session")
    if ready.ran is not None:
        session.ran = ready.ran
        config.pluginmanager.register(ready.ran, "flakefighters-listener")
    if any(getattr(config.option, name, None) for name in _REPORTS):
        from flakefighters.session.other_reports import register_reports

        register_reports(config, session)
    if ready.start.resolution.ci is not None and ready.asked.ci != "off":
        from flakefighters.session.ci_surfaces import register_surfaces

        register_surfaces(session)
    # Later registered is earlier called: what it attaches to reports is there for the session.
    register(config, ready.trace)
    if ready.asked.localise:
        with as_installed():
            from flakefighters.session import localising
        localising.open_localising(session, ready.trace)
    if ready.asked.reruns:
        with as_installed():
            from flakefighters.session import reruns
        reruns.open_reruns(session)


def _decide_exit_code(session: Session) -> None:
    """If asked to, let verdicts have a say in the exit code."""
    suppress, quarantine = session.asked.suppress, session.asked.quarantine == "enforce"
    if not (suppress or quarantine):
        return
    with as_installed():
        from flakefighters.session.exit_code import Policy
        from flakefighters.session.exit_plugin import ExitCode

    # Registered before the session's plugin, it comes later: the verdicts are there.
    undecided = session.start.resolution.settings.quarantine_undecided == "pass"
    plugin = ExitCode(session, Policy(suppress, quarantine, undecided))
    session.config.pluginmanager.register(plugin, "flakefighters-exit-code")


def chosen(wishes: Asked, settings: Settings) -> Choice | None:
    """Which flakefighters to ask; None if nobody said anything about them."""
    if wishes.fighters is None and not settings.fighters and settings.statistics == "any":
        return None
    from flakefighters.model.choice import Choice

    return Choice(wishes.fighters, settings.fighters, settings.statistics)


def refuse_unknown(names: Sequence[str]) -> None:
    """ConfigError for the name of a flakefighter that is not there."""
    from flakefighters.fighters.registry import known

    there = {entry.name for entry in known(lambda _: None, names)}
    for name in names:
        if name not in there:
            raise ConfigError(
                f"unknown flakefighter {name!r}",
                origin="--flakefighters-fighters",
                remedy=f"known are {', '.join(sorted(there))}",
            )


def _hide_url(config: Any) -> None:
    """xdist hands its workers pytest's own arguments: ours may hold a password."""
    if config.option.flakefighters_database_url is not None:
        kept = tuple(without_url(config.invocation_params.args))
        config.invocation_params = replace(config.invocation_params, args=kept)


def _look_back(start: Start, wishes: Asked) -> Lookback:
    """Deliver what earlier runs left behind, and see what changed since tests last passed."""
    nothing = Lookback(Watch(base=str(start.checkout.base)))
    record_to, own = start.resolution.record_to, start.own_distributions
    try:
        with ExitStack() as stack:
            found = _histories(start, wishes, stack)
            here = next((one for one in found if came(one, record_to) is Came.HERE), None)
            if here is not None and _leftovers(start, wishes) and not here.database.read_only:
                from flakefighters.session.spool import deliver_leftovers

                to = address(record_to)
                start.notes.extend(
                    deliver_leftovers(here, start.spools, to=to, proved=start.proved)[1]
                )
            if wishes.history_runs <= 0:
                return nothing
            if not found:
                return first_look(start.head, start.checkout, own)
            evidence = Evidence(
                judged=start.head._replace(trust=here.trust if here else Trust.LOCAL),
                sources=[(one, came(one, record_to)) for one in found],
                commits=start.checkout.ancestors,
            )
            limit = wishes.history_runs
            lookback = look_back(evidence, start.checkout, limit=limit, own=own)
            start.unreadable.update(evidence.unreadable)
            _ask_for_names(evidence, wishes, start)
            return lookback
    except FlakefightersError as error:
        if start.resolution.settings.on_error == "fail":
            raise ConfigError(str(error), remedy='on_error = "fail" forbids to go on') from None
        return nothing  # said at the end, when this run meets the same trouble
    except OSError:
        return nothing
    except Exception as error:  # a damaged history or odd repository costs the tracing, no more
        start.notes.append(f"nothing is watched: {trouble(error)}")
    return nothing


def _ask_for_names(evidence: Evidence, wishes: Asked, start: Start) -> None:
    """The tests by which reruns go, and those whose passed attempts count."""
    strategy = wishes.rerun_strategy
    if wishes.reruns and strategy != "failed":
        without = "no reruns, since the history cannot be asked"
        start.rerun_names = _names_for(strategy, evidence, wishes, start, without)
    if wishes.localise:
        without = "earlier flaky tests are not known"
        known = _names_for("previously-flaky", evidence, wishes, start, without)
        start.flaky_names = known or frozenset()


def _names_for(
    strategy: str, evidence: Evidence, wishes: Asked, start: Start, without: str
) -> frozenset[str] | None:
    """The names of tests that the history knows; a note if it cannot tell, which costs no more."""
    from flakefighters.judging.tried import names_for

    try:
        return names_for(strategy, evidence, wishes.history_runs)
    except FlakefightersError as error:
        start.notes.append(f"{without}: {error.message}")
        return None


def _leftovers(start: Start, wishes: Asked) -> bool:
    """Whether journals may wait for the file that runs are recorded in."""
    record_to = start.resolution.record_to
    return (
        wishes.save
        and record_to.backend == "sqlite"
        and any(journals_in(one.path) for one in start.spools)
    )


def _histories(start: Start, wishes: Asked, stack: ExitStack) -> list[History]:
    """Open what can be read now: the profile's history, and the one that is recorded in.

    If they are two, the first may be away.
    """
    target, record_to = start.resolution.target, start.resolution.record_to
    left, looking = _leftovers(start, wishes), wishes.history_runs > 0
    found: list[History] = []
    for one in [record_to] if target == record_to else [target, record_to]:
        mine = one == record_to
        delivers = mine and left
        there = one.path is None or os.path.lexists(one.path)
        if not (delivers or (looking and there)):
            continue
        create = wishes.save and (delivers or (mine and target == record_to))
        deadline = 2.0 if delivers else _LOOKING
        try:
            opened = open_checked(one, start.checkout, create=create, deadline=deadline)
            found.append(stack.enter_context(opened))
        except FlakefightersError:
            if mine or start.resolution.settings.on_error == "fail":
                raise
    return found


def _say(config: Any, note: str) -> None:
    """One line, also where pytest shows no header."""

    class Trouble:
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, Any, Any]:
            result = yield
            terminalreporter.line(printing.warning(note, "terminal"), yellow=True)
            return result

    config.pluginmanager.register(Trouble(), "flakefighters-trouble")
