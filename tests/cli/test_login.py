"""The commands ``login`` and ``logout``."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import types
from pathlib import Path

import pytest

from flakefighters.model import Secret, Target
from flakefighters.profiles import keyring
from tests.cli.conftest import Command, Shop
from tests.profiles.test_keyring import bus, needs_service, service

__all__ = ["bus", "service"]

ROOT = Path(__file__).parents[2]
SECRET = "pässword: 50% \"of\" 'it'"
TEAM = """\
[profiles.shared]
url = "postgresql://reader@127.0.0.1:1/flakes"

[profiles.nobody]
url = "postgresql://127.0.0.1/flakes"
"""
PLACE = "reader@127.0.0.1:1/flakes"
#: A keyring that is a file.
BACKEND = """
import json, os, pathlib
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 1
    path = pathlib.Path(os.environ["HOME"], "keyring.json")
    def all(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}
    def get_password(self, service, username):
        return self.all().get(f"{username} at {service}")
    def set_password(self, service, username, password):
        self.path.write_text(json.dumps(self.all() | {f"{username} at {service}": password}))
    def delete_password(self, service, username):
        left = self.all()
        if left.pop(f"{username} at {service}", None) is None:
            from keyring.errors import PasswordDeleteError
            raise PasswordDeleteError("not found")
        self.path.write_text(json.dumps(left))
"""


@pytest.fixture
def file_keyring(empty_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file_keyring.py").write_text(BACKEND)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(ROOT))))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "file_keyring.Keyring")
    (empty_shop.path / "profiles.toml").write_text(TEAM)


def pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Let stdin be a pipe with this in it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def known() -> Secret | None:
    place = Target(backend="postgresql", host="127.0.0.1", port=1, user="reader", database="flakes")
    return keyring.lookup(place, deadline=60).secret


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_in_and_out(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    pipe(monkeypatch, (SECRET + end).encode())
    said = command("login", "shared", "--password-stdin", "--no-check")
    assert (said.code, said.out) == (0, "")
    assert "set in profiles.toml:2" in said.err
    assert f"stored in the keyring, for {PLACE} only" in said.err
    assert "`flakefighters check shared`" in said.err
    assert SECRET not in said.err
    assert known() == Secret(SECRET)
    if end:
        return
    out = command("logout", "shared")
    assert out.code == 0
    assert PLACE in out.err
    assert known() is None
    again = command("logout", "shared")
    assert again.code == 1
    assert "[not-found]" in again.err


def test_check_says_where_the_password_is_from(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, SECRET.encode())
    assert command("login", "shared", "--password-stdin", "--no-check").code == 0
    said = command("check", "shared")
    assert f"ok      password   from keyring, for {PLACE}" in said.out
    assert "FAILED  network" in said.out
    assert SECRET not in said.out + said.err
    listed = command("profiles", "--json")
    [shared] = [one for one in listed.json if one["name"] == "shared"]
    assert shared["password_from"] == "keyring"


def test_a_login_that_cannot_be_tried_stores_nothing(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, SECRET.encode())
    said = command("login", "shared", "--password-stdin")
    assert said.code == 3  # nobody listens there
    assert "the password was not stored" in said.err
    assert "--no-check" in said.err
    assert SECRET not in said.err
    assert known() is None


@pytest.mark.parametrize(
    ("arguments", "content", "words"),
    [
        (("local",), SECRET, "SQLite file, which needs no password"),
        (("shred",), SECRET, "did you mean shared?"),
        (("ci",), SECRET, "has no URL"),
        (("nobody",), SECRET, "names no user"),
        (("shared",), "", "is empty"),
        (("shared",), "\n", "is empty"),
        (("shared",), "two\nlines\n", "that is no password"),
        (("shared",), "nul\0", "that is no password"),
        (("shared",), "x" * 5000, "that is no password"),
    ],
)
def test_what_is_refused(
    file_keyring: None,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    content: str,
    words: str,
) -> None:
    pipe(monkeypatch, content.encode())
    said = command("login", *arguments, "--password-stdin")
    assert said.code == 2
    assert words in said.err
    assert not content.strip() or content.strip() not in said.err
    assert not (Path(os.environ["HOME"]) / "keyring.json").exists()


def test_bytes_that_are_no_text(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, b"\xff\xfe")
    assert "not UTF-8" in command("login", "shared", "--password-stdin").err


def test_nobody_is_asked_without_a_terminal(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, SECRET.encode())
    said = command("login", "shared")
    assert said.code == 2
    assert "no terminal to ask" in said.err
    assert "--password-stdin" in said.err
    assert known() is None


def test_never_in_ci(file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, SECRET.encode())
    monkeypatch.setenv("CI", "true")
    said = command("login", "shared", "--password-stdin")
    assert said.code == 2
    assert "set FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD" in said.err


def test_another_password_that_comes_first_is_named(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, SECRET.encode())
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD", "another-one")
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD_HOST", PLACE)
    said = command("login", "shared", "--password-stdin", "--no-check")
    assert "FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD comes first" in said.err
    assert "another-one" not in said.err
    assert "still one in" in command("logout", "shared").err


def test_a_keyring_that_keeps_nothing(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    pipe(monkeypatch, SECRET.encode())
    said = command("login", "shared", "--password-stdin", "--no-check")
    assert said.code == 2
    assert "keeps nothing; the password was not stored" in said.err


def test_a_terminal_is_asked_without_an_echo(file_keyring: None, empty_shop: Shop) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "flakefighters", "login", "shared", "--no-check"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    ) as child:
        os.close(follower)
        seen = b""
        while f"Password for {PLACE}: ".encode() not in seen:
            seen += os.read(leader, 4096)
        os.write(leader, SECRET.encode() + b"\n")
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # Linux's way to say that the other side has closed
                break
            if not part:
                break
            seen += part
        assert child.wait(60) == 0
    os.close(leader)
    assert b"50%" not in seen
    assert b"stored in the keyring" in seen
    assert known() == Secret(SECRET)


def test_a_terminal_that_would_show_it_is_not_asked(
    file_keyring: None, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import getpass
    import warnings

    def shown(prompt: str, stream: object = None) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return SECRET

    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(getpass, "getpass", shown)
    said = command("login", "shared")
    assert said.code == 2
    assert "would show the password" in said.err
    assert known() is None


@needs_service
def test_with_a_real_keyring(
    service: dict[str, str],
    empty_shop: Shop,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    for name, value in service.items():
        if name != "HOME":
            monkeypatch.setenv(name, value)
    pipe(monkeypatch, SECRET.encode())
    assert command("login", "shared", "--password-stdin", "--no-check").code == 0
    assert known() == Secret(SECRET)
    assert command("logout", "shared").code == 0
    assert command("logout", "shared").code == 1
