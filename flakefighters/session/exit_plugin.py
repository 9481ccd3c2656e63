"""Ends a session with the exit code that its verdicts allow.  Registered only if asked for."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

import pytest

from flakefighters.model import Outcome
from flakefighters.model.decisions import MARK, ON, QUARANTINE, in_force, targets_of
from flakefighters.originals import real
from flakefighters.reports.decisions import day
from flakefighters.reports.escape import escape
from flakefighters.session.exit_code import Decision, Ending, Failing, Policy, decide
from flakefighters.words import trouble

if TYPE_CHECKING:
    from flakefighters.model import Failure, Verdict
    from flakefighters.model.decisions import Event
    from flakefighters.session.protocols import SessionView

__all__ = ["ExitCode"]


class ExitCode:
    """Counts what fails as pytest does, and decides when all others have had their say.

    The sentence stands in our closing line.  The exit code is set at the very end; whatever changed
    it in between is left alone, and said.
    """

    def __init__(self, session: SessionView, policy: Policy) -> None:
        self._ours, self._policy = session, policy
        self._pytests: Any = None
        #: Failing reports by node id.
        self._met: Counter[str] = Counter()
        self._crashed = False
        self._stopped = ""

    def pytest_sessionstart(self, session: Any) -> None:
        """pytest's session holds the exit code."""
        self._pytests = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count the same reports as pytest does."""
        if report.failed and not hasattr(report, "wasxfail"):
            self._met[report.nodeid] += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: Any) -> None:
        """A worker that ended by itself has no error."""
        self._crashed = self._crashed or bool(error)

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Ctrl-C, ``pytest.exit`` with any exit code, and the like."""
        self._stopped = str(excinfo.value) or type(excinfo.value).__name__

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, exitstatus: int) -> Generator[None, Any, Any]:
        """After the summaries of the others, before ours is shown."""
        result = yield
        if (decision := self._decide(int(exitstatus))) is not None:
            self._ours.ending = decision.sentence
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> Generator[None, Any, Any]:
        """Set the exit code when everybody is done."""
        result = yield
        decision = self._decide(int(exitstatus))
        if decision is None:
            return result
        if decision.code != int(session.exitstatus):
            session.exitstatus = pytest.ExitCode(decision.code)
        terminal = self._ours.config.pluginmanager.getplugin("terminalreporter")
        hidden = getattr(terminal, "no_summary", terminal is None)
        if decision.sentence and (hidden or decision.sentence != self._ours.ending):
            line = escape(f"flakefighters: {decision.sentence}", self._ours.where)
            if terminal is None:
                print(line, file=sys.stderr)
            else:
                terminal.line(line)
        return result

    def _decide(self, told: int) -> Decision | None:
        """Decide by what is known now; None, and a note, if that fails: the exit code stays."""
        ours = self._ours
        if real.getpid() != ours.pid:
            return None
        try:
            return decide(self._ending(told), self._policy)
        except Exception as error:  # trouble of ours changes no exit code
            ours.notes.append(f"the exit code stays: {trouble(error)}")
            return None

    def _ending(self, told: int) -> Ending:
        session, recorder = self._pytests, self._ours.recorder
        unfinished = (Outcome.NOT_RUN.value, Outcome.UNFINISHED.value)
        return Ending(
            code=int(session.exitstatus),
            told=told,
            failing=self._failing(),
            counted=session.testsfailed,
            met=self._met.total(),
            unreported=sum(map(recorder.outcomes.count, unfinished)),
            uncollected=len(recorder.collection_errors),
            crashed=self._crashed or recorder.crashed,
            stopped=str(session.shouldfail or session.shouldstop or self._stopped or ""),
            warnings=_too_many_warnings(self._ours.config),
        )

    def _failing(self) -> list[Failing]:
        """The failures that stand behind the failing reports.

        Of a test with several attempts the last ones count: as many as there are failing reports.
        """
        ours = self._ours
        finished = ours.finished
        judged = [] if finished is None else finished.judged.joint
        decided = [] if finished is None else in_force(finished.decisions, day(ours.world.now()))
        verdicts = {one.place: one for one in judged}
        found = []
        for nodeid, reports in self._met.items():
            based = ours.names(nodeid)
            attempts = [one for one in ours.recorder.executions if one.nodeid == nodeid]
            failed = [one for one in attempts if one.failures][-reports:]
            if not failed:
                found.append(Failing(None))
            found += [
                _decided(verdicts.get((based, one.attempt, index)), based, failure, decided)
                for one in failed
                for index, failure in enumerate(one.failures)
            ]
        return found


def _decided(
    verdict: Verdict | None, nodeid: str, failure: Failure, decisions: Iterable[Event]
) -> Failing:
    """A failure with its verdict and what people decided on it."""
    targets = targets_of(nodeid, failure.signature)
    said = {(one.kind, one.state) for one in decisions if one.target in targets}
    return Failing(verdict, (QUARANTINE, ON) in said, (MARK, "genuine") in said)


def _too_many_warnings(config: Any) -> bool:
    """Whether pytest would end with another code for them, had no test failed."""
    most = getattr(config.option, "max_warnings", None)
    if most is None:
        try:
            most = config.getini("max_warnings")
        except ValueError:  # this pytest knows no such limit
            return False
    terminal = config.pluginmanager.getplugin("terminalreporter")
    known = getattr(terminal, "stats", {}).get("warnings", ())
    return most not in (None, "") and len(known) > int(most)
