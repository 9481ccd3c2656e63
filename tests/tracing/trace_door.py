"""A tiny pytest plugin that calls a TraceSession as a real one would, and writes what it says.

``TRACE_DOOR`` names a JSON file: {"watch": ..., "out": folder, "all": bool}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from flakefighters.capture import wire
from flakefighters.model import Watch
from flakefighters.session.worker import TraceHooks
from flakefighters.tracing.session import TraceSession

SETTINGS = json.loads(Path(os.environ["TRACE_DOOR"]).read_text())
OUT = Path(SETTINGS["out"])
PID = os.getpid()
session = TraceSession(wire.load(Watch, SETTINGS["watch"]))
results: list[dict[str, Any]] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, Any, Any]:
    session.start()
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(TraceHooks(session))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    report = yield
    if SETTINGS["all"] or report.failed:
        raw = session.attach(item, call.excinfo.value if call.excinfo else None)
        results.append({"nodeid": item.nodeid, "when": call.when, "raw": raw})
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    if os.getpid() == PID:
        last = session.attach(None)
        session.stop()
        OUT.mkdir(exist_ok=True)
        found = {"way": session.way, "results": results, "last": last}
        (OUT / f"{PID}.json").write_text(json.dumps(found))
