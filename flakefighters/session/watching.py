"""Watching what changed: in the only process, or in each xdist worker.

A worker must begin before conftest files are imported, and xdist hands it nothing that early:
the controller leaves the description of the changes in a file whose name both can tell.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flakefighters.capture import wire
from flakefighters.lazy import as_installed
from flakefighters.model import Watch
from flakefighters.session.places import spool_folder, watch_file
from flakefighters.session.worker import TraceHooks, Watcher
from flakefighters.state.anchor import Anchor

if TYPE_CHECKING:
    from flakefighters.tracing.session import TraceSession

__all__ = ["begin_in_worker", "leave_watch", "register", "start_trace"]


def start_trace(watch: Watch) -> TraceSession | None:
    """Begin to watch; None if there is nothing to look for."""
    if watch.empty:
        return None
    with as_installed():
        from flakefighters.tracing.session import TraceSession

    trace = TraceSession(watch)
    trace.start()
    return trace


def register(config: Any, trace: TraceSession | None) -> None:
    """Let the process that runs tests attach what it knows to its reports."""
    config.pluginmanager.register(Watcher(trace), "flakefighters-watcher")
    if trace is not None:
        config.pluginmanager.register(TraceHooks(trace), "flakefighters-trace")
        if trace.each_test:
            with as_installed():
                from flakefighters.session.each_test import Teller
            config.pluginmanager.register(Teller(trace), "flakefighters-teller")
    workerinput = getattr(config, "workerinput", {})
    told = workerinput.get("flakefighters_localise")
    if told is not None:
        with as_installed():
            from flakefighters.session.line_watch import LineWatch
        # Later registered is earlier called: a new attempt is known here before the tracer begins.
        watch = LineWatch(trace, config.rootpath, told)
        config.pluginmanager.register(watch, "flakefighters-lines")
    told = workerinput.get("flakefighters_reruns")
    if told is not None:
        with as_installed():
            from flakefighters.session import reruns
        reruns.register(config, reruns.Wish.read(told))


def leave_watch(spool: Path, testrun: str, watch: Watch) -> Path | None:
    """Tell workers what to watch; returns the file, None if there is nothing to tell."""
    if watch.empty:
        return None
    path = watch_file(spool, testrun)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps(wire.plain(watch))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return None  # without it workers watch nothing, and the verdicts say so
    return path


def begin_in_worker(config: Any) -> TraceSession | None:
    """Begin to watch in an xdist worker, if its controller left word."""
    testrun = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not testrun:
        return None
    anchor = Anchor.from_inipath(config.inipath, config.rootpath)
    path = watch_file(spool_folder(anchor.path), testrun)
    try:
        if path.is_symlink():
            return None
        return start_trace(wire.load(Watch, json.loads(path.read_text("utf-8"))))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
