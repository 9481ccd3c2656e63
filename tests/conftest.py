"""How the suite runs in parallel, and which of its tests are slow."""

from __future__ import annotations

import compileall
import copyreg
import os
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

_TESTS = Path(__file__).resolve().parent

#: What xdist tells its workers.  A pytest that a test starts is none of them.
_WORKER = ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID")

#: Folders and files whose tests start servers and whole pytest runs; left out by ``-m "not slow"``.
SLOW = frozenset(
    {
        "cli/test_check_server.py",
        "e2e",
        "history/test_properties.py",
        "postgres",
        "scenarios",
        "sync",
        "test_demo.py",
        "tracing",
    }
)


def _as_dict(one: MappingProxyType[Any, Any]) -> Any:
    return dict, (dict(one),)


# Tests hand nouns to processes of their own; their empty mappings cannot be pickled.
copyreg.pickle(MappingProxyType, _as_dict)


def pytest_configure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        # Hundreds of short runs import the package; where no bytecode is written, each compiles it.
        compileall.compile_dir(_TESTS.parent / "flakefighters", quiet=2)
    for name in _WORKER:
        os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(_TESTS).as_posix()
        if place in SLOW or place.partition("/")[0] in SLOW:
            item.add_marker(pytest.mark.slow)
