"""A tiny pytest plugin that calls a TraceSession as a real one would, and writes what it says.

``TRACE_DOOR`` names a JSON file: {"watch": ..., "mode": ..., "out": folder}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from flakefighters.tracing import TraceSession, Watch

SETTINGS = json.loads(Path(os.environ["TRACE_DOOR"]).read_text())
OUT = Path(SETTINGS["out"])
PID = os.getpid()
session = TraceSession(Watch.from_json(SETTINGS["watch"]), SETTINGS["mode"])
results: dict[str, list[dict[str, Any]]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, Any, Any]:
    session.start()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: Any) -> Generator[None, Any, Any]:
    if isinstance(collector, pytest.Session | pytest.Directory):
        return (yield)
    return (yield from session.collection(str(collector.path)))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    session.begin()
    result = yield
    session.end()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, Any, Any]:
    session.setup()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
    return (yield from session.fixture_setup(fixturedef, request))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    report = yield
    if SETTINGS["all"] or report.failed:
        touched = session.touched(item, call.excinfo.value if call.excinfo else None)
        value = {"when": call.when, "outcome": report.outcome, **touched.to_json()}
        results.setdefault(item.nodeid, []).append(value)
    return report


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if os.getpid() == PID:
        found = {"way": session.way, "ambient": session.ambient().to_json(), "tests": results}
        session.stop()
        OUT.mkdir(exist_ok=True)
        (OUT / f"{PID}.json").write_text(json.dumps(found))
