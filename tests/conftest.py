"""Which tests are slow: those that start programs, servers and whole pytest runs."""

from __future__ import annotations

from pathlib import Path

import pytest

_TESTS = Path(__file__).resolve().parent

#: Folders and files whose tests ``-m "not slow"`` leaves out.
SLOW = frozenset(
    {
        "cli/test_check_server.py",
        "e2e",
        "postgres",
        "scenarios",
        "sync",
        "tracing",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(_TESTS).as_posix()
        if place in SLOW or place.partition("/")[0] in SLOW:
            item.add_marker(pytest.mark.slow)
