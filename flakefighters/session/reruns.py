"""Running tests again within the session; imported only if that was asked for.

pytest's own protocol runs each attempt, with all that other plugins wrap round it (timers, seeds,
warnings).  Here stand the hooks that decide, while an attempt goes on, whether another one follows;
that call its failures "rerun"; and that leave wider fixtures than the test's own alone in between.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from flakefighters.capture.reports import is_subtest
from flakefighters.originals import real
from flakefighters.session.attempts import Choice, Wish
from flakefighters.session.guard import guarded
from flakefighters.session.rerun_items import Fresh, Parents, handled, rest
from flakefighters.session.settings import by_hand
from flakefighters.words import count

if TYPE_CHECKING:
    from flakefighters.session.protocols import SessionView

__all__ = ["Reporter", "Runner", "Wish", "open_reruns", "register"]

#: On reports that were renamed: whether the terminal counts them.
_COUNTS: Final = "_flakefighters_rerun"
_TOLD: Final = "flakefighters_reruns"


def register(config: Any, wish: Wish) -> None:
    """Run tests of this process again."""
    if not by_hand(config):
        runner = Runner(config, Choice(wish, config.rootpath))
        config.pluginmanager.register(runner, "flakefighters-reruns")


def open_reruns(session: SessionView) -> None:
    """Begin, in the process that the user has started."""
    asked, start = session.asked, session.start
    wish = Wish(
        strategy=asked.rerun_strategy,
        most=asked.reruns,
        names=start.rerun_names,
        base=str(start.checkout.base),
        groups=session.names.groups,
    )
    reporter = Reporter(session.config, wish, session.notes)
    session.config.pluginmanager.register(reporter, "flakefighters-rerun-reporter")
    register(session.config, wish)


class _Attempt:
    """One attempt that is going on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun = False
        #: Something failed, and whether another attempt follows.
        self.failing = False
        self.again = False
        self.error: BaseException | None = None
        #: One of its reports was counted as a rerun.
        self.counted = False


class Runner:
    """Decides in the process that runs the tests."""

    trouble: Final = "internal error, no test is run again"

    def __init__(self, config: Any, choice: Choice) -> None:
        self.choice = choice
        self._config = config
        self.broken = False
        self.pid = os.getpid()
        self.notes: list[str] = []
        self._item: Any = None
        self._now = _Attempt(1)
        #: Another plugin runs the test again on its own.
        self._foreign = False
        self._seconds = 0.0
        #: Fixtures wider than a test that failed, by the exception, which pytest keeps and raises
        #: again for each test that asks for them; and how often they were set up anew.
        self._fixtures: dict[int, tuple[BaseException, list[tuple[Any, Any]]]] = {}
        self._anew: dict[Any, int] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Wrap the hooks of all conftest files, which are known by now."""
        if self._config.pluginmanager.get_plugin("flakefighters-attempts") is None:
            self._config.pluginmanager.register(_Hooks(self), "flakefighters-attempts")

    def pytest_sessionfinish(self, session: Any) -> None:
        """Say what was not done."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_TOLD] = self.choice.refused

    # -- one test ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def begin(self, item: Any) -> Iterator[None]:
        """Take a test up."""
        self._item, self._now, self._foreign, self._seconds = item, _Attempt(1), False, 0.0
        self._fresh = Fresh(item)
        try:
            yield
        finally:
            self._item = None

    def concerns(self, item: Any) -> bool:
        """Whether attempts at this test are ours."""
        if self.broken or self._item is not None or real.getpid() != self.pid:
            return False
        try:
            return not handled(item)
        except Exception:  # an odd item of another plugin
            return False

    @property
    def again(self) -> bool:
        """Whether another attempt was promised: then it is made, whatever happens."""
        return self._now.again

    def next(self) -> None:
        """Begin another attempt."""
        self._now = _Attempt(self._now.number + 1)

    @guarded
    def made(self, item: Any, call: Any, report: Any) -> None:
        """A report was made."""
        if item is not self._item:
            return
        if report.when == "setup":
            self._foreign = self._foreign or self._now.begun
            self._now.again = self._now.again and not self._foreign
            self._now.begun = True
        if report.failed:
            self._fails(report, None if call.excinfo is None else call.excinfo.value)

    @guarded
    def logged(self, report: Any) -> None:
        """A report is about to be shown."""
        if self._item is None or report.nodeid != self._item.nodeid:
            return
        now = self._now
        part = is_subtest(report)
        whole = report.when == "call" and not part
        passed = whole and report.passed and not hasattr(report, "wasxfail")
        if report.failed:
            self._fails(report, None)
        elif not part:
            self._passes(report, whole=passed)
        if now.again and (report.failed or passed):
            report.outcome = "rerun"
            setattr(report, _COUNTS, not (part or now.counted))
            now.counted = now.counted or not part

    def _passes(self, report: Any, *, whole: bool) -> None:
        """A phase passed; decide if the test did."""
        now = self._now
        if now.number == 1:
            self._seconds += report.duration
        if whole and not now.failing and not self._stops():
            now.again = self.choice.after_pass(report.nodeid, now.number, self._seconds)

    def _fails(self, report: Any, error: BaseException | None) -> None:
        """Something of this attempt failed: decide once."""
        now, nodeid = self._now, self._item.nodeid
        if now.failing:
            return
        now.failing, now.error = True, error
        hopeless = self._stops() or self._hopeless(report, error)
        now.again = not hopeless and self.choice.after_failure(nodeid, now.number)

    def _stops(self) -> bool:
        session = self._item.session
        return bool(self._foreign or session.shouldstop or session.shouldfail)

    def _hopeless(self, report: Any, error: BaseException | None) -> bool:
        """Whether another attempt would fail in the same way, or is not what is wanted."""
        if str(getattr(report, "longrepr", "")).startswith("[XPASS(strict)]"):
            return True
        stack = getattr(self._item.session._setupstate, "stack", {})
        if any(failed for node, (_, failed) in stack.items() if node is not self._item):
            return True  # a collector could not be set up: pytest keeps the exception
        return any(
            self._anew.get(fixture, 0) >= self.choice.wish.most
            for fixture, _ in self._fixtures.get(id(error), (None, ()))[1]
        )

    # -- fixtures ------------------------------------------------------------------------------

    @guarded
    def fixture_failed(self, fixture: Any, request: Any, error: BaseException) -> None:
        """A fixture could not be set up."""
        if self._item is not None and fixture.scope != "function":
            self._fixtures.setdefault(id(error), (error, []))[1].append((fixture, request))

    @contextlib.contextmanager
    def tearing_down(self, item: Any) -> Iterator[None]:
        """Tear down no more than the test itself as long as other attempts follow."""
        state = item.session._setupstate
        whole = getattr(state, "teardown_exact", None)
        mine = item is self._item and not self.broken and real.getpid() == self.pid
        if not mine or whole is None:
            yield
            return
        self._fresh.keep(item)
        state.teardown_exact = lambda nextitem: self._tear_down(item, whole, nextitem)
        try:
            yield
        finally:
            del state.teardown_exact

    def _tear_down(self, item: Any, whole: Callable[[Any], None], nextitem: Any) -> None:
        now = self._now
        marked = item.get_closest_marker("xfail") is not None  # its errors may be expected
        open_ = not (now.failing or marked or self._stops())
        if not (now.again or (open_ and self.choice.may(item.nodeid, now.number))):
            return whole(nextitem)
        try:
            whole(Parents(item))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if not isinstance(error, pytest.skip.Exception):
                self._fails(None, error)
            if now.again:
                raise
            rest(whole, nextitem, error)
            raise
        return None if now.again else whole(nextitem)

    def renew(self, item: Any) -> None:
        """Make the item and what failed of its wider fixtures as if nothing had been run."""
        for fixture, request in self._fixtures.pop(id(self._now.error), (None, ()))[1]:
            self._anew[fixture] = self._anew.get(fixture, 0) + 1
            with contextlib.suppress(Exception):
                fixture.finish(request)
        with contextlib.suppress(Exception):  # all of it is private to pytest
            self._fresh.restore(item)


class _Hooks:
    """The hooks round an attempt, registered last so that they stand round all others."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> Generator[None, Any, Any]:
        runner = self._runner
        if not runner.concerns(item):
            return (yield)
        with runner.begin(item):
            result = yield
            while runner.again:
                runner.renew(item)
                runner.next()
                started = real.monotonic()
                protocol = item.config.hook.pytest_runtest_protocol
                result = protocol(item=item, nextitem=nextitem)
                runner.choice.seconds += real.monotonic() - started
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, Any]:
        report = yield
        self._runner.made(item, call, report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        self._runner.logged(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        try:
            return (yield)
        except BaseException as error:
            self._runner.fixture_failed(fixturedef, request, error)
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: Any) -> Generator[None, Any, Any]:
        with self._runner.tearing_down(item):
            return (yield)


class Reporter:
    """Shows reruns, and tells workers what to do; in the process with the terminal."""

    def __init__(self, config: Any, wish: Wish, notes: list[str]) -> None:
        self._config, self._wish, self._notes = config, wish, notes
        self._refused = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        workers = int(node.workerinput.get("workercount", 1))
        node.workerinput[_TOLD] = self._wish.plain(workers)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", None) or {}
        self._refused += int(output.get(_TOLD, 0))

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, Any] | None:
        if report.outcome != "rerun":
            return None
        if not getattr(report, _COUNTS, True):
            return "", "", ""
        return "rerun", "R", ("RERUN", {"yellow": True})

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take back what the terminal counted before an attempt failed."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or not hasattr(report, _COUNTS):
            return
        for kind in ("passed", "subtests passed"):
            shown = terminal.stats.get(kind)
            if shown:
                shown[:] = [one for one in shown if one.nodeid != report.nodeid]
                if not shown:
                    del terminal.stats[kind]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Say that a cap was reached."""
        runner = self._config.pluginmanager.get_plugin("flakefighters-reruns")
        refused = self._refused + (0 if runner is None else runner.choice.refused)
        self._notes += [] if runner is None else runner.notes
        if refused:
            self._notes.append(
                f"{count(refused, 'test')} not run again: a session has at most"
                f" {self._wish.session} further attempts, in at most ten minutes"
            )
