"""The plugin object of one session on the controller: thin hooks round the recorder."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from flakefighters.capture.journal import Journal
from flakefighters.capture.nodeids import Names
from flakefighters.capture.recorder import Recorder
from flakefighters.capture.reports import state_env, worker_of
from flakefighters.environment import facts as environment
from flakefighters.environment.variables import as_started, noted
from flakefighters.hookspecs import verdicts_key
from flakefighters.judging.results import Session as Known
from flakefighters.judging.untracked import loaded_files
from flakefighters.lazy import as_installed
from flakefighters.model import Completeness, Run
from flakefighters.originals import real
from flakefighters.profiles.ci import runner
from flakefighters.reports.escape import escape
from flakefighters.session import printing, settings
from flakefighters.session.finish import Plan
from flakefighters.session.finish_safely import end
from flakefighters.session.guard import guarded
from flakefighters.session.places import address
from flakefighters.session.process_pollution import top_level_modules
from flakefighters.session.watching import leave_watch
from flakefighters.words import trouble

if TYPE_CHECKING:
    from flakefighters.capture.recorder import Closed
    from flakefighters.judging.baselines import Lookback
    from flakefighters.model import Environment, RunHead
    from flakefighters.model.choice import Choice
    from flakefighters.model.spectra import Localised
    from flakefighters.session.each_test import Listener
    from flakefighters.session.finish import Finished
    from flakefighters.session.process_pollution import World
    from flakefighters.session.settings import (
        Asked,
    )
    from flakefighters.session.start import Start

__all__ = ["Session"]

TERMINAL_SECONDS: Final = 3.0
CI_SECONDS: Final = 20.0


class Session:
    """Records one session, and judges and saves it at its end."""

    trouble: Final = "internal error, this run is not judged"

    def __init__(
        self,
        config: Any,
        asked: Asked,
        start: Start,
        choice: Choice | None,
        world: World,
        lookback: Lookback,
    ) -> None:
        self.config, self.asked, self.start = config, asked, start
        self.world = world
        self.lookback = lookback
        self._watch_file: Path | None = None
        self.pid = os.getpid()
        self.broken = False
        self.notes: list[str] = list(start.notes)
        self.choice = choice
        redactor = self.redactor = settings.redactor_of(start.resolution)
        base = start.checkout.base
        self.recorder = Recorder(
            self._described,
            redactor,
            output=start.resolution.settings.store_output == "failures",
        )
        rootdir = config.rootpath
        self.names = Names(
            rootdir,
            base,
            settings.arguments(config),
            redactor.known,
            groups=getattr(config.option, "dist", None) == "loadgroup",
        )
        self.roots = settings.Roots(base)
        self._state_env: set[str] = set()
        self.journal = Journal(start.spool, start.head.id)
        self.environment: Environment = self._environment()
        self.head: RunHead = start.head._replace(
            environment=self.environment.id, environment_key=self.environment.key
        )
        self.deselected = 0
        self.finished: Finished | None = None
        #: What each test ran, if a flakefighter asks for it.
        self.ran: Listener | None = None
        self.localised: Sequence[Localised] = ()
        #: Commands for the CI service, to be read from the log.
        self.annotations: Sequence[str] = ()
        self.interrupted = False
        self._begun = False
        self._suite_told = 0
        self._uncollected: list[Closed] = []
        self._shown, self.ending = False, ""
        ci = start.resolution.ci is not None
        self.where = "ci" if ci else "terminal"
        self.seconds = CI_SECONDS if ci else TERMINAL_SECONDS

    def _described(self, longrepr: Any, known: Mapping[str, Any]) -> tuple[str, str]:
        """The text and signature of a failure."""
        with as_installed():
            from flakefighters.capture.signature import from_longrepr
        base, cwd = str(self.start.checkout.base), str(self.config.invocation_params.dir)
        return from_longrepr(longrepr, known, base, cwd=cwd, redact=self.redactor)

    # -- start -----------------------------------------------------------------------------

    def _environment(self) -> Environment:
        """Where this is, with the variables that settings and markers declare part of it."""
        resolution = self.start.resolution
        ci = resolution.ci
        return environment.read(
            environment.Inputs(
                options=self.redactor.values(settings.comparable_options(self.config)),
                ci={} if ci is None else ci.key(),
                runner=runner(self.world.environ),
                own=self.start.own_distributions,
                state_env={
                    name: self.world.environ.get(name)
                    for name in {*resolution.settings.state_env, *self._state_env}
                },
            )
        )

    def pytest_report_header(self) -> str:
        """One line: which history, and why."""
        start = self.start
        line = f"flakefighters: {start.resolution.header()} [project {start.project}]"
        if start.anchor.path != self.config.rootpath:
            line += f" [anchor {start.anchor.path}]"
        return escape(line, self.where)

    @guarded
    def pytest_deselected(self, items: Sequence[Any]) -> None:
        """Part of the suite was not asked for."""
        self.deselected += len(items)

    @guarded
    def pytest_collectreport(self, report: Any) -> None:
        """What could not be collected is a failure; the journal begins when the suite is known."""
        if report.failed:
            self._uncollected.extend(self.recorder.not_collected(report))

    @guarded
    def pytest_collection_finish(self, session: Any) -> None:
        """The suite of a session without workers is known."""
        if session.items:
            self._depends_on(state_env(session.items))
            self._collected([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    @guarded
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """A worker knows its suite."""
        self._collected(ids)

    @pytest.hookimpl(optionalhook=True)
    @guarded
    def pytest_configure_node(self, node: Any) -> None:
        """Workers are told that the plugin is on; never the database's address."""
        node.workerinput["flakefighters"] = True
        node.workerinput["mainargv"] = settings.without_url(node.workerinput.get("mainargv", ()))
        if self._watch_file is None and self.asked.trace != "off":
            testrun = str(node.workerinput.get("testrunuid", ""))
            self._watch_file = leave_watch(self.start.spool, testrun, self.lookback.watch)

    @pytest.hookimpl(optionalhook=True)
    @guarded
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker is done and tells which variables its tests depend on."""
        output = getattr(node, "workeroutput", None) or {}
        self._depends_on(output.get("flakefighters_state_env", ()))

    def _depends_on(self, names: Iterable[str]) -> None:
        new = set(names) - self._state_env
        if new:
            self._state_env |= new
            self.environment = found = self._environment()
            self.head = self.head._replace(environment=found.id, environment_key=found.key)

    def _collected(self, nodeids: Sequence[str]) -> None:
        self.recorder.collected(nodeids)
        self.names.learn(nodeids)
        self.roots.look()
        if not self._begun:
            self._head_is_known()
        new = self.recorder.suite[self._suite_told :]
        self._suite_told += len(new)
        self.journal.suite([self.names(nodeid) for nodeid in new])
        self._closed(self._uncollected)
        self._uncollected.clear()

    def _head_is_known(self) -> None:
        self._begun = True
        context = dict(self.head.context)
        found = settings.seeds(self.config)
        if found:
            context["seeds"] = found
        context["variables"] = noted(self._started(), self.start.project.identity)
        if settings.by_hand(self.config):
            context["debugger"] = True
        chosen = self.redactor.values(settings.selection(self.config, self.deselected, self.names))
        self.head = self.head._replace(context=context, selection=chosen)
        if self.asked.save:
            start = self.start
            to = address(start.resolution.record_to)
            self.journal.begin(self.head, start.project, start.checkout.state, self.environment, to)

    def _started(self) -> dict[str, str]:
        folder, base = self.config.invocation_params.dir, self.start.anchor.path
        return as_started(self.world.environ, str(folder), self.world.path, str(base))

    # -- tests -----------------------------------------------------------------------------

    @guarded
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Between two tests: what is known goes to disk."""
        self.journal.started(self.recorder.started(nodeid))
        if self._journalling:
            self.journal.flush()

    @pytest.hookimpl(tryfirst=True)
    @guarded
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take a report in.  Nothing touches the disk here: a test may be going on."""
        self._closed(self.recorder.report(report, worker_of(report)))

    @guarded
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The test is over."""
        self._closed(self.recorder.ended(nodeid))

    def _closed(self, attempts: Sequence[Closed]) -> None:
        renamed = []
        for position, durations, execution in attempts:
            if execution is not None:
                execution = execution._replace(nodeid=self.names(execution.nodeid))
            renamed.append((position, durations, execution))
        self.journal.closed(renamed)

    @property
    def _journalling(self) -> bool:
        return self.asked.save and self._begun

    # -- end -------------------------------------------------------------------------------

    @guarded
    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Ctrl-C; ways to stop come here as well: ``pytest.exit``, errors of collection."""
        # pytest's and xdist's own ways to stop (-x, --maxfail) are subclasses.
        self.interrupted = type(excinfo.value) is KeyboardInterrupt

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> Generator[None, Any, Any]:
        """Judge and save before anybody writes a report, whoever was registered first."""
        self._finish(exitstatus)
        return (yield)

    @guarded
    def _finish(self, exitstatus: int) -> None:
        if self._watch_file is not None:
            self.world.remove(str(self._watch_file))
        if not self.recorder.suite:
            return  # there was nothing to do
        self._collected(())
        context = {**self.head.context, "exit_status": int(exitstatus)}
        self.head = self.head._replace(context=context)
        # From here on nothing of ours is interrupted by Ctrl-C in a half-done state: the journal
        # is complete first.
        self._closed(self.recorder.unfinished("the run ended during this test"))
        run = self.run()
        if self._journalling:
            self.journal.end(self.head, self.environment, run.state, {}, run.order, ())
        self.finished = end(self, run)
        self.finished.proved[:0] = self.start.proved
        self.notes.extend(self.finished.notes)
        self._told(self.finished)

    def run(self) -> Run:
        """The run as it is known now."""
        recorder = self.recorder
        completeness = Completeness.COMPLETE
        if not recorder.complete:
            broken_off = self.interrupted or recorder.crashed
            completeness = Completeness.INTERRUPTED if broken_off else Completeness.PARTIAL
        context = dict(self.head.context)
        if recorder.collection_errors:
            context["collection_errors"] = [self.names(one) for one in recorder.collection_errors]
        self.head = self.head._replace(
            ended=self.world.now(),
            completeness=completeness,
            context=context,
        )
        return Run(
            head=self.head,
            project=self.start.project,
            state=self.start.checkout.state,
            environment=self.environment,
            suite=[self.names(nodeid) for nodeid in recorder.suite],
            outcomes=recorder.outcomes,
            durations=recorder.durations,
            order=recorder.order,
            executions=[one._replace(nodeid=self.names(one.nodeid)) for one in recorder.executions],
        )

    def plan(self) -> Plan:
        """What the end of the session needs."""
        self.roots.look()
        return Plan(
            target=self.start.resolution.target,
            record_to=self.start.resolution.record_to,
            choice=self.choice,
            save=self.asked.save,
            seconds=self.seconds,
            spools=self.start.spools,
            session=Known(
                roots=list(self.roots.found),
                plugins=settings.plugins(self.config),
                plugin_files=settings.plugin_files(self.config, self.start.checkout.base),
                lookback=self.lookback,
                modules=frozenset(top_level_modules()),
                loaded=loaded_files(self.recorder.executions),
                ignored={self.names(one): marks for one, marks in self.recorder.marks.items()},
                history_runs=self.asked.history_runs,
                coverage=None if self.ran is None else self.ran.coverage(self),
            ),
            unreadable=self.start.unreadable,
        )

    def _told(self, finished: Finished) -> None:
        """Tell the verdicts to those who asked for them."""
        self.config.stash[verdicts_key] = list(finished.judged.joint)
        for verdict in finished.judged.joint:
            try:
                self.config.hook.pytest_flakefighters_verdict(config=self.config, verdict=verdict)
            except Exception as error:  # a hook of the user's: not ours, and not pytest's to die of
                self.notes.append(f"pytest_flakefighters_verdict failed: {trouble(error)}")
                break

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, Any, Any]:
        """Our section, after pytest's short summary."""
        result = yield
        if not getattr(terminalreporter, "no_summary", False):
            self._show(terminalreporter)
        return result

    def pytest_unconfigure(self) -> None:
        """Whatever could not be said in the summary, since there was none."""
        if real.getpid() != self.pid or self._shown:
            return
        terminal = self.config.pluginmanager.getplugin("terminalreporter")
        if terminal is None:
            return
        if self.finished is not None and not getattr(terminal, "no_summary", False):
            self._show(terminal)  # pytest was told to exit, or fell
            return
        for note in dict.fromkeys(self.notes):
            print(printing.warning(self.redactor(note), self.where), file=sys.stderr)

    def _show(self, terminalreporter: Any) -> None:
        if self._shown or real.getpid() != self.pid:
            return
        self._shown = True
        try:
            printing.show(self, terminalreporter)
        except Exception as error:  # whatever the terminal is: the summary goes on
            terminalreporter.write_line(f"flakefighters: cannot show verdicts: {error!r}"[:200])
