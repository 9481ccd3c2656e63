"""Tells when ``pytest-flakefighters``, another plugin, is installed as well.

Both are called ``flakefighters``, and pytest silently loads only one plugin of a name.  This module
is an entry point of its own, so that it can speak whichever of the two was taken.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from importlib.util import find_spec

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str]
) -> Generator[None, None, None]:
    """Print one line, before options of the plugin that was not taken become an error."""
    _tell(early_config, args)  # what is printed while conftests are loaded is captured
    return (yield)


def _tell(early_config: pytest.Config, args: list[str]) -> None:
    taken = early_config.pluginmanager.get_plugin("flakefighters")
    nested = {"PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER"} & os.environ.keys()
    if taken is None or nested or "--no-flakefighters" in args:
        return
    if find_spec("pytest_flakefighters") is None:
        return
    ours = getattr(taken, "__name__", "") == "flakefighters.plugin"
    which = "this one" if ours else "that one, so this one is not active"
    print(
        "flakefighters: warning: pytest-flakefighters is installed too, and pytest loads only one"
        f" plugin called flakefighters: {which} (keep one, pip uninstall the other)",
        file=sys.stderr,
    )
