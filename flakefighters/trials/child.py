"""The program of one trial: runs pytest as its order says, and writes down what came of it.

``python child.py ORDER RESULT``: both are files with JSON.  It is started by its path, since the
project's own copy of this package may come first on ``sys.path``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def main(order_file: str, result_file: str) -> None:
    """Do what the order says."""
    own = os.getpid()
    order = json.loads(Path(order_file).read_text("utf-8"))
    sys.path[:] = order["path"]
    # Before pytest: our own modules come later, when pytest has its import hook in place.
    import pytest

    _map_editable(order["moved"])
    os.chdir(order["cwd"])
    sys.argv = ["pytest", *order["arguments"]]
    loader = Loader(order)
    try:
        pytest.main(order["arguments"], plugins=[loader])
    finally:
        if os.getpid() == own and loader.recording is not None:  # a test may have forked
            part = f"{result_file}.part"
            Path(part).write_text(json.dumps(loader.recording.results()), "utf-8")
            os.replace(part, result_file)  # noqa: PTH105


class Loader:
    """Registers what records the results, when pytest is configured."""

    def __init__(self, order: Mapping[str, Any]):
        self._order = order
        self.recording: Any = None

    def pytest_configure(self, config: Any) -> None:
        """Import our modules from where this file lies, whatever the project has on the path."""
        home, order = str(Path(__file__).resolve().parents[2]), self._order
        sys.path.insert(0, home)
        try:
            from flakefighters.capture.redact import Redactor
            from flakefighters.session.worker import Watcher
            from flakefighters.trials.recording import Recording
        finally:
            sys.path.remove(home)
        secrets = [os.environ.get(name, "") for name in order["secret_env"]]
        redactor = Redactor(os.environ, values=secrets)
        cwd = str(config.invocation_params.dir)
        self.recording = Recording(order["tests"], order["base"], cwd, redactor)
        config.pluginmanager.register(self.recording, "flakefighters-recording")
        config.pluginmanager.register(Watcher(), "flakefighters-watcher")


def _map_editable(moved: list[list[str]]) -> None:
    """Let the finders of editable installs (setuptools) look into the copy."""
    for name, module in list(sys.modules.items()):
        mapping: Any = getattr(module, "MAPPING", None)
        if not (name.startswith("__editable__") and isinstance(mapping, dict)):
            continue
        for package, place in mapping.items():
            for old, new in moved:
                if isinstance(place, str) and (place + os.sep).startswith(old + os.sep):
                    mapping[package] = new + place[len(old) :]


if __name__ == "__main__":
    main(*sys.argv[1:3])
