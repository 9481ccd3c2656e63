"""The originals stay what they were, whatever tests replace."""

from __future__ import annotations

import ast
import os
import time
from pathlib import Path

import pytest

from flakefighters.originals import real
from tests.requirements import need_module

PACKAGE = Path(__file__).resolve().parent.parent / "flakefighters"

#: What runs within tests binds for speed as well, and replaces some of these itself.
ELSEWHERE = ("reach/", "session/worker.py", "tracing/")

FUNCTIONS = {
    "time": {"time", "time_ns", "monotonic", "sleep"},
    "threading": {"Thread", "Event"},
    "json": {"dumps"},
    "subprocess": {"Popen"},
    "os": {
        *("open", "read", "write", "close", "lstat", "readlink", "scandir", "unlink", "getcwd"),
        *("umask", "getpid", "kill", "killpg", "pipe", "waitpid", "posix_spawn"),
    },
}


def test_replaced_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: -1.0)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert real.monotonic() > 0
    assert real.getpid() > 0


def test_a_frozen_clock() -> None:
    need_module("freezegun")
    from freezegun import freeze_time

    with freeze_time("2012-01-14"):
        assert time.time() < real.time() - 10**8
        assert time.time_ns() < real.time_ns() - 10**17


def test_a_fake_file_system(tmp_path: Path) -> None:
    need_module("pyfakefs")
    from pyfakefs.fake_filesystem_unittest import Patcher

    path = tmp_path / "here"
    path.write_text("yes")
    with Patcher():
        assert not os.path.exists(path)  # noqa: PTH110 - what is faked
        assert real.lstat(path).st_size == 3
        with real.open(path) as stream:
            assert stream.read() == "yes"


def _copies(path: Path) -> list[str]:
    """Where a module or an object keeps a copy of one of these functions."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Assign):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            found += [
                f"{path.name}:{value.lineno}"
                for value in values
                if isinstance(value, ast.Attribute)
                and isinstance(value.value, ast.Name)
                and value.attr in FUNCTIONS.get(value.value.id, ())
            ]
    return found


def test_there_is_one_place_for_them() -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path.name != "originals.py"]
    assert [
        copy
        for path in paths
        if not path.relative_to(PACKAGE).as_posix().startswith(ELSEWHERE)
        for copy in _copies(path)
    ] == []


def test_the_search_sees_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text("import time\n_monotonic, _sleep = time.monotonic, time.sleep\n")
    assert len(_copies(path)) == 2
