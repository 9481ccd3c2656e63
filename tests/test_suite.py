"""The suite itself: how it is started, and what its quick subset leaves out."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.conftest import SLOW

ROOT = Path(__file__).resolve().parent.parent


def test_what_is_slow_is_there() -> None:
    assert [name for name in sorted(SLOW) if not (ROOT / "tests" / name).exists()] == []


def test_the_documents_say_how_to_run_it() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        commands = re.findall(r"python -m pytest[^`\n]*", (ROOT / name).read_text("utf-8"))
        assert "python -m pytest -n 3" in commands, name
        assert 'python -m pytest -n 3 -m "not slow"' in commands, name


def test_a_pytest_that_a_test_starts_is_no_worker() -> None:
    assert [name for name in os.environ if name.startswith("PYTEST_XDIST")] == []
