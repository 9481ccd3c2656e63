"""The demonstration of the README shows what it says, whatever the caller's environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.requirements import need_installed, need_program

DEMO = Path(__file__).resolve().parent.parent / "docs" / "demo.py"

#: An environment that would change everything if it reached the children.
HOSTILE = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": "0" * 40,
    "FLAKEFIGHTERS": "0",
    "FLAKEFIGHTERS_PROFILE": "nobody",
    "GIT_DIR": "/nowhere",
    "PYTEST_ADDOPTS": "--collect-only",
    "PYTEST_CURRENT_TEST": "a_test_of_the_caller",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}


def test_both_failures_are_called_by_their_names() -> None:
    need_installed()
    need_program("git")
    done = subprocess.run(
        [sys.executable, str(DEMO)],
        env={**os.environ, **HOSTILE},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n$ pytest\n") == 3
    assert "\nFLAKY tests/test_pay.py::test_pay - passed on the same state" in done.stdout
    genuine = done.stdout.partition("\nGENUINE ")[2].partition("\n")[0]
    assert genuine.startswith("tests/test_tax.py::test_vat - ")
    # Python 3.11 cannot tell which functions ran.
    how = r"ran tax\(\) in" if sys.version_info >= (3, 12) else "imports"
    assert re.search(rf"{how} shop/tax.py, changed in \w{{7}} 'Raise the tax'$", genuine)
