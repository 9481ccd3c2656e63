"""The plugin object of one session on the controller: thin hooks round the recorder."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from flakefighters.capture.journal import Journal
from flakefighters.capture.nodeids import Names
from flakefighters.capture.recorder import Recorder
from flakefighters.capture.reports import state_env
from flakefighters.capture.signature import from_longrepr
from flakefighters.environment import facts as environment
from flakefighters.judging.baselines import Lookback
from flakefighters.judging.untracked import loaded_files
from flakefighters.model import Completeness, Environment, Flakefighter, Run, RunHead
from flakefighters.plugin import verdicts_key
from flakefighters.reports import junit
from flakefighters.session import printing
from flakefighters.session.ending import end
from flakefighters.session.finish import Finished, Plan
from flakefighters.session.settings import (
    Asked,
    Roots,
    arguments,
    comparable_options,
    plugins,
    redactor_of,
    seeds,
    selection,
)
from flakefighters.session.spool import address
from flakefighters.session.start import Start
from flakefighters.session.watching import leave_watch
from flakefighters.session.world import World

__all__ = ["Session"]

F = TypeVar("F", bound=Callable[..., Any])

TERMINAL_SECONDS: Final = 3.0
CI_SECONDS: Final = 20.0


def guarded(hook: F) -> F:
    """Trouble in a hook of ours is a note, never the end of somebody's test run."""

    @functools.wraps(hook)
    def inner(self: Session, *args: Any, **kwargs: Any) -> Any:
        if self.broken or self.world.getpid() != self.pid:
            return None
        try:
            return hook(self, *args, **kwargs)
        except Exception as error:  # whatever it is: the test run is not ours to end
            self.broken = True
            kind = type(error).__name__
            self.notes.append(f"internal error, this run is not judged: {kind}: {error}"[:300])
            return None

    return inner  # type: ignore[return-value]


class Session:
    """Records one session, and judges and saves it at its end."""

    def __init__(
        self,
        config: Any,
        asked: Asked,
        start: Start,
        fighters: Sequence[Flakefighter],
        world: World,
        lookback: Lookback | None = None,
    ) -> None:
        self.config, self.asked, self.start = config, asked, start
        self.world = world
        self.lookback = lookback
        self._watch_file: Path | None = None
        self.pid = os.getpid()
        self.broken = False
        self.notes: list[str] = list(start.notes)
        self.fighters = fighters
        redactor = self.redactor = redactor_of(start.resolution.settings)
        base = start.checkout.base
        self.recorder = Recorder(
            lambda longrepr, known: from_longrepr(
                longrepr,
                known.get("exception"),
                str(base),
                cwd=str(config.invocation_params.dir),
                redact=redactor,
                frames=[(str(path), str(name)) for path, name in known.get("frames", ())],
            ),
            redactor,
            output=start.resolution.settings.store_output == "failures",
        )
        rootdir = config.rootpath
        self.names = Names(
            rootdir,
            base,
            arguments(config),
            redactor.known,
            groups=getattr(config.option, "dist", None) == "loadgroup",
        )
        self.roots = Roots(base)
        self._state_env: set[str] = set()
        self.journal = Journal(start.spool, start.head.id)
        self.environment: Environment = self._environment()
        self.head: RunHead = replace(
            start.head, environment=self.environment.id, environment_key=self.environment.key
        )
        self.deselected = 0
        self.finished: Finished | None = None
        self.interrupted = False
        self._begun = False
        self._suite_told = 0
        self._shown = False
        self.xml = junit.Properties(config)
        ci = start.resolution.ci is not None
        self.where = "ci" if ci else "terminal"
        self.seconds = CI_SECONDS if ci else TERMINAL_SECONDS

    # -- start -----------------------------------------------------------------------------

    def _environment(self) -> Environment:
        """Where this is, with the variables that settings and markers declare part of it."""
        resolution = self.start.resolution
        ci = resolution.ci
        known = {} if ci is None else {"vendor": ci.vendor, "workflow": ci.workflow, "job": ci.job}
        return environment.read(
            environment.Inputs(
                options=self._clean(comparable_options(self.config)),
                ci={name: value for name, value in known.items() if value},
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
        return printing.escaped(line, self.where)

    @guarded
    def pytest_deselected(self, items: Sequence[Any]) -> None:
        """Part of the suite was not asked for."""
        self.deselected += len(items)

    @guarded
    def pytest_collectreport(self, report: Any) -> None:
        """Remember what could not be collected."""
        if report.failed:
            self.recorder.collection_errors.append(report.nodeid)

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
        if self._watch_file is None and self.lookback is not None:
            testrun = str(node.workerinput.get("testrunuid", ""))
            self._watch_file = leave_watch(
                self.start.spool, testrun, self.lookback.watch, self.asked.trace
            )

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
            self.head = replace(self.head, environment=found.id, environment_key=found.key)

    def _collected(self, nodeids: Sequence[str]) -> None:
        self.recorder.collected(nodeids)
        self.names.learn(nodeids)
        self.roots.look()
        if not self._begun:
            self._head_is_known()
        new = self.recorder.suite[self._suite_told :]
        self._suite_told += len(new)
        self.journal.suite([self._based(nodeid) for nodeid in new])

    def _head_is_known(self) -> None:
        self._begun = True
        context = dict(self.head.context)
        found = seeds(self.config)
        if found:
            context["seeds"] = found
        option = self.config.option
        if getattr(option, "usepdb", False) or getattr(option, "trace", False):
            context["debugger"] = True
        chosen = selection(self.config, self.deselected, self._based)
        chosen = {key: self._clean(value) for key, value in chosen.items()}
        self.head = replace(self.head, context=context, selection=chosen)
        if self.asked.save:
            start = self.start
            to = address(start.resolution.record_to)
            self.journal.begin(self.head, start.project, start.checkout.state, self.environment, to)

    def _clean(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._clean(member) for member in value]
        if isinstance(value, dict):
            return {name: self._clean(member) for name, member in value.items()}
        return self.redactor(value) if isinstance(value, str) else value

    def _based(self, nodeid: str) -> str:
        return self.names(nodeid)

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
        if report.outcome != "passed":
            self.xml.failed(report)
        self._closed(self.recorder.report(report, _worker(report)))

    @guarded
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The test is over."""
        self._closed(self.recorder.ended(nodeid))

    def _closed(self, attempts: Sequence[Any]) -> None:
        renamed = []
        for position, durations, execution in attempts:
            if execution is not None:
                execution = replace(execution, nodeid=self._based(execution.nodeid))
            renamed.append((position, durations, execution))
        self.journal.closed(renamed)

    @property
    def _journalling(self) -> bool:
        return self.asked.save and self._begun

    # -- end -------------------------------------------------------------------------------

    @guarded
    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Ctrl-C; ways to stop come here as well: ``pytest.exit``, errors of collection."""
        stops = (pytest.exit.Exception, pytest.Session.Interrupted)
        self.interrupted = not isinstance(excinfo.value, stops)

    @pytest.hookimpl(tryfirst=True)
    @guarded
    def pytest_sessionfinish(self) -> None:
        """Judge and save, before reports are written."""
        if self._watch_file is not None:
            self.world.remove(str(self._watch_file))
        if not self.recorder.suite:
            if not self.recorder.collection_errors:
                return  # there was nothing to do
            self._head_is_known()
        # From here on nothing of ours is interrupted by Ctrl-C in a half-done state: the journal
        # is complete first.
        self._closed(self.recorder.unfinished("the run ended during this test"))
        run = self.run()
        if self._journalling:
            self.journal.end(self.head, self.environment, run.state, {}, run.order, ())
        self.finished = end(self, run)
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
            context["collection_errors"] = [self._based(one) for one in recorder.collection_errors]
        self.head = replace(
            self.head,
            ended=self.world.time_ns() // 1000,
            completeness=completeness,
            context=context,
        )
        return Run(
            head=self.head,
            project=self.start.project,
            state=self.start.checkout.state,
            environment=self.environment,
            suite=[self._based(nodeid) for nodeid in recorder.suite],
            outcomes=recorder.outcomes,
            durations=recorder.durations,
            order=recorder.order,
            executions=[
                replace(one, nodeid=self._based(one.nodeid)) for one in recorder.executions
            ],
        )

    def plan(self) -> Plan:
        """What the end of the session needs."""
        self.roots.look()
        return Plan(
            target=self.start.resolution.target,
            record_to=self.start.resolution.record_to,
            fighters=self.fighters,
            save=self.asked.save,
            history_runs=self.asked.history_runs,
            seconds=self.seconds,
            roots=list(self.roots.found),
            plugins=plugins(self.config),
            ignored={self._based(one): marks for one, marks in self.recorder.marks.items()},
            spool=self.start.spool,
            lookback=self.lookback,
            modules=frozenset(name for name in list(sys.modules) if "." not in name),
            loaded=loaded_files(self.recorder.executions),
            unreadable=self.start.unreadable,
        )

    def _told(self, finished: Finished) -> None:
        """Tell the verdicts to those who asked for them."""
        self.config.stash[verdicts_key] = list(finished.judged.joint)
        self.xml.write(finished.judged.joint, self.names.pytests)
        for verdict in finished.judged.joint:
            try:
                self.config.hook.pytest_flakefighters_verdict(config=self.config, verdict=verdict)
            except Exception as error:  # a hook of the user's: not ours, and not pytest's to die of
                self.notes.append(
                    f"pytest_flakefighters_verdict failed: {type(error).__name__}: {error}"
                )
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
        if self.world.getpid() != self.pid or self._shown:
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
        if self._shown or self.world.getpid() != self.pid:
            return
        self._shown = True
        try:
            printing.show(self, terminalreporter)
        except Exception as error:  # whatever the terminal is: the summary goes on
            terminalreporter.write_line(f"flakefighters: cannot show verdicts: {error!r}"[:200])


def _worker(report: Any) -> str | None:
    gateway = getattr(getattr(report, "node", None), "gateway", None)
    return str(getattr(gateway, "id", "")) or None
