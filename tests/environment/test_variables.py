"""Which variables of the environment have another value."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from flakefighters.environment.variables import (
    as_started,
    asked_for,
    misses,
    names_to_keep,
    noted,
    other_values,
    that_matter,
)
from flakefighters.model import Failure, Phase

THEN = {"MODE": "dev", "TOKEN": "hunter2", "GITHUB_SHA": "a", "UNSET_LATER": "1", "HOME": "/a"}
NOW = {"MODE": "prod", "TOKEN": "hunter2", "GITHUB_SHA": "b", "NEW": "1", "HOME": "/b"}


def test_nothing_can_be_read() -> None:
    text = noted(THEN, "p")
    assert text == noted(THEN, "p")
    assert text != noted(THEN, "q")
    assert set(text) <= set("0123456789abcdef")
    assert len(text) == 4 * 12  # what is another one in each run is left out
    assert len(noted({**THEN, "CI": "1"}, "p")) == 4 * 12  # and so is what a service says


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["MODE", "TOKEN"], ("MODE",)),
        (["NEW", "UNSET_LATER"], ("NEW", "UNSET_LATER")),
        (["HOME", "ABSENT"], ()),
        ([], ()),
    ],
)
def test_what_differs(names: list[str], found: tuple[str, ...]) -> None:
    assert other_values(noted(THEN, "p"), noted(NOW, "p"), "p", names) == found


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import os\nMODE = os.environ.get('MODE', 'dev')", "MODE"),
        ("NAME = 'TO_KEN'\nos.getenv(NAME)", "TO_KEN"),
        ("class Config(BaseSettings):\n    mode: str = 'dev'", "MODE"),
        ("class Config(BaseSettings):\n    mode: str\n    env_prefix = 'APP_'", "APP_MODE"),
        ("class Config(BaseSettings):\n    mode: str", "mode"),
        ("from decouple import config\nMODE = config('MODE')", "MODE"),
        ("env = environ.Env()\nMODE = env.str('MODE')", "MODE"),
        ("MODE = os.environ[f'{PREFIX}MODE']\nPREFIX = 'APP_'", "APP_MODE"),
        ("MODE = {**defaults, **os.environ}['MODE']", "MODE"),
        ("from shop import setting\nMODE = setting('MODE')", "MODE"),
        ("#!/bin/sh\nexec server --mode ${MODE:-dev}", "MODE"),
        ("", "DJANGO_SETTINGS_MODULE"),
    ],
)
def test_names_in_code(code: str, name: str) -> None:
    assert name in asked_for([code.encode()]).names


def test_other_words_are_no_names() -> None:
    assert not {"mode", "MODE"} & asked_for([b"mode = 'dev'  # an environment\n"]).names


def test_what_is_kept_is_no_secret() -> None:
    asked = asked_for([b"os.getenv('TO_KEN', 'hunter2')\nos.environ[MODE]"])
    assert names_to_keep(asked, "p", [noted(THEN, "p")]) == ["MODE", "TO_KEN"]


def test_how_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, programs = str(tmp_path), tmp_path / ".venv" / "bin"
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setattr(sys, "warnoptions", [])
    path = [str(programs), "", base, str(tmp_path / "src"), "/usr/lib", f"{base}/x/site-packages"]
    plain = as_started({"A": "1"}, base, path[:1], base)
    assert plain == {"A": "1"}
    assert len(noted({"PATH": "/bin", "HOME": "/a"}, "p")) == 12
    monkeypatch.setattr(sys, "warnoptions", ["error", "ignore::ResourceWarning"])
    below = as_started({"A": "1"}, str(tmp_path / "tests"), path, base)
    assert below["os.getcwd"] == "tests"
    assert below["sys.path"].replace(";", ":") == "tests:.:src"
    assert below["PYTHONWARNINGS"] == "error,ignore::ResourceWarning"
    assert as_started({}, "/usr", [], base)["os.getcwd"] == "elsewhere"
    odd: Any = [None, b"/bytes", 7, str(tmp_path / "src")]
    assert as_started({}, base, odd, base)["sys.path"] == "src"
    changed = other_values(noted(plain, "p"), noted(below, "p"), "p", asked_for([]).names)
    assert changed == ("PYTHONWARNINGS", "os.getcwd", "sys.path")


@pytest.mark.parametrize(
    ("exception", "text", "missing"),
    [
        ("FileNotFoundError", "[Errno 2] ...", True),
        ("CollectError", "ModuleNotFoundError: No module named 'shop'", True),
        ("sqlite3.OperationalError", "unable to open database file", True),
        ("AssertionError", "assert 1 == 2", False),
        (None, "", False),
    ],
)
def test_where_it_was_started_matters_to_what_is_missing(
    exception: str | None, text: str, missing: bool
) -> None:
    failure = Failure(phase=Phase.CALL, exception=exception, text=text)
    assert misses(failure) == missing
    found = that_matter(asked_for([]).names, misses(failure))
    assert found.issuperset({"sys.path", "PATH"}) == missing
    assert "HTTPS_PROXY" in found
