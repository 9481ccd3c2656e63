"""How the suite runs in parallel, and which of its tests are slow."""

from __future__ import annotations

import compileall
import copyreg
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

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
        "reports/test_browser.py",
        "scenarios",
        "sync",
        "test_demo.py",
        "test_packages.py",
        "test_site.py",
        "test_warm.py",
        "test_why_flaky.py",
        "tracing",
    }
)


def _as_dict(one: MappingProxyType[Any, Any]) -> Any:
    return dict, (dict(one),)


# Tests hand nouns to processes of their own; their empty mappings cannot be pickled.
copyreg.pickle(MappingProxyType, _as_dict)


# How long an example takes says how busy the machine is, no more.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("numprocesses", None) and _WORKER[0] not in os.environ:
        _compile()
    for name in _WORKER:
        os.environ.pop(name, None)


def _compile() -> None:
    """Write bytecode of the package, and of plugins as pytest rewrites them.

    Hundreds of short runs need it, and write none: without it, each of them would compile anew.
    """
    compileall.compile_dir(_TESTS.parent / "flakefighters", quiet=2)
    variables = ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    subprocess.run(
        [sys.executable, "-m", "pytest", "--help"],
        cwd=tempfile.gettempdir(),
        env={name: value for name, value in os.environ.items() if name not in variables},
        capture_output=True,
        check=False,
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(_TESTS).as_posix()
        if place in SLOW or place.partition("/")[0] in SLOW:
            item.add_marker(pytest.mark.slow)
