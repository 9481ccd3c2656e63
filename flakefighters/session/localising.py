"""``--flakefighters-localise`` in the process that the user has started; imported only with it.

What attempts ran comes with their reports, see :mod:`flakefighters.session.line_watch`.  It is
summed up here, becomes part of the run, and is ranked for those tests that failed and passed.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pytest

from flakefighters.history.spectra import KEY
from flakefighters.judging.localise import Tally, bounded, localise
from flakefighters.session.guard import guarded
from flakefighters.session.line_watch import LINES, TOLD, LineWatch
from flakefighters.state.disk import Disk, Hasher
from flakefighters.words import count

if TYPE_CHECKING:
    from flakefighters.session.hooks import Session
    from flakefighters.tracing.session import TraceSession

__all__ = ["Localiser", "open_localising"]

#: Lines and functions of each test that are told to programs.
_TOLD: int = 100


def open_localising(session: Session, trace: TraceSession | None) -> None:
    """Begin, or say why not."""
    config, checkout = session.config, session.start.checkout
    reason = None
    if not hasattr(sys, "monitoring"):
        version = ".".join(platform.python_version_tuple()[:2])
        reason = f"neither lines nor functions can be watched on Python {version} (3.12 can)"
    elif session.asked.trace == "off":
        reason = "--flakefighters-trace=off leaves nothing to be watched"
    if reason is not None:
        session.notes.append(f"nothing is localised: {reason}")
        return
    told = LineWatch.told(
        session.start.flaky_names,
        checkout.base,
        groups=session.names.groups,
    )
    watch = LineWatch(trace, config.rootpath, told)
    config.pluginmanager.register(watch, "flakefighters-lines")
    config.pluginmanager.register(Localiser(session, watch, told), "flakefighters-localise")


class Localiser:
    """Sums up what attempts ran."""

    trouble: Final = "nothing is localised"

    def __init__(self, session: Session, watch: LineWatch, told: Mapping[str, Any]) -> None:
        self._session, self._watch, self._told = session, watch, told
        self._tallies: dict[str, Tally] = {}
        self._said: list[Mapping[str, Any]] = []
        self.broken, self.pid, self.notes = False, session.pid, session.notes

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Workers are told that lines are to be watched, and of which tests."""
        node.workerinput[TOLD] = self._told

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker is done, and tells of its troubles."""
        output = getattr(node, "workeroutput", None) or {}
        if TOLD in output:
            self._said.append(output[TOLD])

    @pytest.hookimpl(trylast=True)
    @guarded
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take in what came with a report; pytest keeps reports, and need not keep this."""
        for attempt in vars(report).pop(LINES, ()):
            tally = self._tallies.setdefault(str(attempt["test"]), Tally())
            tally.add(bool(attempt["failed"]), attempt["ran"])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        """Before the session's own plugin judges and saves: what ran is part of the run."""
        self._finish()
        return (yield)

    @guarded
    def _finish(self) -> None:
        session = self._session
        said = [*self._said, self._watch.said()]
        session.notes += _troubles(said)
        base = str(session.start.checkout.base)
        hasher, blobs = Hasher(Disk(), text=True), dict[str, str | None]()

        def blob(path: str) -> str | None:
            if path not in blobs:
                blobs[path] = hasher.name(os.path.join(base, path))  # noqa: PTH118
            return blobs[path]

        spectra = {
            session.names(nodeid): tally.spectrum(blob) for nodeid, tally in self._tallies.items()
        }
        kept, out = bounded(spectra)
        if kept:
            extra = {**session.head.extra, KEY: kept}
            session.head = session.head._replace(extra=extra)
        if out:
            session.notes.append(f"what {count(len(out), 'test')} ran is not recorded: too much")
        mixed = {name: one for name, one in spectra.items() if one.failed and one.passed}
        order = {session.names(nodeid): at for at, nodeid in enumerate(session.recorder.suite)}
        session.localised = [
            localise(name, {session.head.id: mixed[name]}, session.asked.metric, most=_TOLD)
            for name in sorted(mixed, key=lambda name: order.get(name, 0))
        ]


def _troubles(said: Sequence[Mapping[str, Any]]) -> list[str]:
    """What went wrong, in one line each."""
    troubles = dict.fromkeys(one["trouble"] for one in said if one["trouble"])
    left = sum(one["left"] for one in said)
    if left:
        troubles[f"what {count(left, 'attempt')} ran is not known: too many, or too much"] = None
    return [f"not all is localised: {trouble}" for trouble in troubles]
