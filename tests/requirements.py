"""What a test asks of the machine: skipped without it, but failed where CI promises to have it.

``.ci/run`` sets ``FFTEST_REQUIRE=1``.  The variable is not called ``FLAKEFIGHTERS_…`` because
those names belong to the product, which complains of one that it does not know.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil

import pytest

__all__ = ["VARIABLE", "lack", "need_installed", "need_module", "need_program"]

VARIABLE = "FFTEST_REQUIRE"


def lack(what: str) -> None:
    """Skip the test for lack of ``what``; fail it where the variable is set."""
    if os.environ.get(VARIABLE, "") not in ("", "0"):
        pytest.fail(f"{VARIABLE} is set, but there is no {what} here", pytrace=False)
    pytest.skip(f"no {what} here")


def need_program(name: str) -> str:
    """Return the path of a program on PATH, or skip (or fail) the test."""
    path = shutil.which(name)
    if path is None:
        lack(f"program {name}")
    assert path is not None
    return path


def need_module(name: str) -> None:
    """Go on if a module can be imported (it is not), else skip (or fail) the test."""
    top = name.partition(".")[0]
    if importlib.util.find_spec(top) is None or importlib.util.find_spec(name) is None:
        lack(f"module {name}")


def need_installed() -> None:
    """Go on if the package is installed with its entry points, else skip (or fail) the test.

    ``pytest`` finds the plugin of itself only then; a checkout on ``sys.path`` is not enough.
    """
    plugins = importlib.metadata.entry_points(group="pytest11")
    if not any(plugin.name == "flakefighters" for plugin in plugins):
        lack("installed flakefighters")
