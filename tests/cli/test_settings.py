"""The commands ``init``, ``profiles`` and ``config``."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Shop

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "flakefighters" / "profiles" / "example.toml").read_text("utf-8")
TEAM = """\
default_profile = "local"

[profiles.ci]
url = "postgresql://ci_writer@db.example.org:5432/flakes"

[profiles.shared]
url = "postgresql://reader@db.example.org:5432/flakes"
"""
PASSWORD = "s3cret-s3cret-s3cret"


def ignored(shop: Shop) -> bytes:
    return (shop.path / ".gitignore").read_bytes()


# -- init -----------------------------------------------------------------------------------------


def test_init_writes_the_example_at_the_anchor(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(empty_shop.path / "tests")
    said = command("init")
    assert (said.code, said.out) == (0, "")
    path = empty_shop.path / "profiles.toml"
    assert path.read_text("utf-8") == EXAMPLE
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert str(path) in said.err
    assert command("init").code == 0  # the same text is no reason to complain
    assert sorted(each.name for each in empty_shop.path.iterdir()) == [
        ".git",
        "profiles.toml",
        "pytest.ini",
        "tests",
    ]


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def test_init_writes_over_nothing_unasked(empty_shop: Shop, command: Command) -> None:
    path = empty_shop.path / "profiles.toml"
    path.write_text(TEAM)
    path.chmod(0o640)
    said = command("init", "--yes")
    assert said.code == 2
    assert "--force" in said.err
    assert path.read_text() == TEAM
    assert not (empty_shop.path / ".gitignore").exists()
    assert command("init", "--force").code == 0
    assert path.read_text() == EXAMPLE
    assert path.stat().st_mode & 0o777 == 0o640


def test_init_follows_no_dangling_link(empty_shop: Shop, command: Command, tmp_path: Path) -> None:
    path = empty_shop.path / "profiles.toml"
    path.symlink_to(tmp_path / "elsewhere")
    assert command("init").code == 2
    assert command("init", "--force").code == 0
    assert not (tmp_path / "elsewhere").exists()
    assert not path.is_symlink()


def test_nothing_is_ignored_unasked_but_it_is_said(empty_shop: Shop, command: Command) -> None:
    said = command("init")
    assert (
        "git does not ignore the history yet: add /flakefighters.db* and /.flakefighters/ to"
        in said.err
    )
    assert not (empty_shop.path / ".gitignore").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b"/flakefighters.db*\n/.flakefighters/\n"),
        (b"*.log", b"*.log\n/flakefighters.db*\n/.flakefighters/\n"),
        (b"*.log\r\n", b"*.log\r\n/flakefighters.db*\r\n/.flakefighters/\r\n"),
        (b"\xff\n/.flakefighters/ \n", b"\xff\n/.flakefighters/ \n/flakefighters.db*\n"),
        (
            b"# x\n /flakefighters.db*\n",  # to git, that is a name with a blank in front
            b"# x\n /flakefighters.db*\n/flakefighters.db*\n/.flakefighters/\n",
        ),
    ],
    ids=["absent", "no line end", "of another system", "half of it", "indented"],
)
def test_yes_ignores_once(
    empty_shop: Shop, command: Command, before: bytes | None, after: bytes
) -> None:
    if before is not None:
        (empty_shop.path / ".gitignore").write_bytes(before)
    assert "added" in command("init", "--yes").err
    assert ignored(empty_shop) == after
    assert "already" in command("init", "--yes").err
    assert ignored(empty_shop) == after
    for name in ("flakefighters.db", "flakefighters.db-wal", ".flakefighters/spool/x.jsonl"):
        asked = ["git", "-C", str(empty_shop.path), "check-ignore", "-q", name]
        assert subprocess.run(asked, check=False).returncode == 0, name


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("*.db*\n.flakefighters/\n", ""),
        ("flakefighters.db\n.flakefighters\n", "/flakefighters.db*"),
    ],
    ids=["by other lines", "not its log"],
)
def test_git_says_what_it_ignores(
    empty_shop: Shop, command: Command, text: str, missing: str
) -> None:
    (empty_shop.path / ".gitignore").write_text(text)
    said = command("init").err
    if missing:
        assert f"git does not ignore the history yet: add {missing} to" in said
    else:
        assert "git ignores the history already" in said


def test_a_gitignore_that_is_a_link_is_left_alone(
    empty_shop: Shop, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "theirs").write_text("mine\n")
    (empty_shop.path / ".gitignore").symlink_to(tmp_path / "theirs")
    assert command("init", "--yes").code == 2
    assert (tmp_path / "theirs").read_text() == "mine\n"


def test_without_git_there_is_nothing_to_ignore(
    calm_world: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    (tmp_path / "plain").mkdir()
    monkeypatch.chdir(tmp_path / "plain")
    assert command("init", "--yes").code == 0
    assert [each.name for each in (tmp_path / "plain").iterdir()] == ["profiles.toml"]


@pytest.mark.parametrize(("answer", "done"), [(b"\n", True), (b"n\n", False)])
def test_on_a_terminal_init_asks(empty_shop: Shop, answer: bytes, done: bool) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "flakefighters", "init"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        os.close(follower)
        seen = b""
        while b"[Y/n]" not in seen:
            seen += os.read(leader, 4096)
        os.write(leader, answer)
        assert child.wait(30) == 0
    os.close(leader)
    assert (empty_shop.path / ".gitignore").exists() is done


def test_init_where_nothing_can_be_written(
    empty_shop: Shop, command: Command, tmp_path: Path
) -> None:
    (empty_shop.path / "profiles.toml").mkdir()
    said = command("init", "--force")
    assert said.code == 2
    assert "Traceback" not in said.err
    assert [each.name for each in empty_shop.path.glob(".profiles*")] == []


# -- profiles -------------------------------------------------------------------------------------


def test_profiles_tell_which_is_active_and_why(empty_shop: Shop, command: Command) -> None:
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    said = command("profiles")
    assert said.code == 0
    rows = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    assert "local" in rows["*"]
    assert "postgresql://db.example.org/flakes" in rows["ci"]
    assert "profiles.toml:4" in rows["ci"]
    assert " read " in rows["shared"]
    assert "used here: profile local (default_profile in profiles.toml:1)" in said.out


def test_profiles_tell_what_ci_makes_of_a_missing_secret(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    monkeypatch.setenv("CI", "true")
    said = command("profiles")
    (active,) = [line for line in said.out.splitlines() if line.startswith("*")]
    assert " ci " in active
    assert "used here: profile local (CI detected: variable CI, but ci has no password)" in said.out
    assert "no password for ci_writer@db.example.org:5432/flakes" in said.err


def test_profiles_as_json(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD", PASSWORD)
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD_HOST", "db.example.org")
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILE", "shared")
    said = command("profiles", "--json")
    assert PASSWORD not in said.out + said.err
    shared = {one["name"]: one for one in said.json}["shared"]
    assert shared == {
        "name": "shared",
        "active": True,
        "reason": "FLAKEFIGHTERS_PROFILE",
        "database": "postgresql://db.example.org/flakes",
        "read_only": True,
        "password_from": "FLAKEFIGHTERS_PROFILES__SHARED__PASSWORD",
        "origin": "profiles.toml:7",
        "problem": None,
    }


def test_an_unknown_profile_is_shown_beside_the_known_ones(
    empty_shop: Shop, command: Command
) -> None:
    said = command("profiles", "-p", "shred")
    assert said.code == 2
    assert "shared" in said.out
    assert "did you mean shared?" in said.err


# -- config ---------------------------------------------------------------------------------------


def test_config_tells_value_origin_and_what_lost(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__SHARED__CONNECT_TIMEOUT", "3")
    own = f"postgresql://reader:{PASSWORD}@other.example.org/flakes"
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__SHARED__URL", own)
    said = command("config", "-p", "shared")
    assert said.code == 0
    assert PASSWORD not in said.out + said.err
    rows = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    url = rows["profiles.shared.url"]
    assert "postgresql://reader@other.example.org/flakes" in url
    assert "FLAKEFIGHTERS_PROFILES__SHARED__URL" in url
    assert "postgresql://reader@db.example.org:5432/flakes in profiles.toml:7" in url
    assert "***" in rows["profiles.shared.password"]
    assert " 3 " in rows["profiles.shared.connect_timeout"]
    assert "not set" in rows["profiles.shared.sslrootcert"]
    for path in (empty_shop.path / "profiles.toml", empty_shop.path / "pyproject.toml"):
        assert str(path) in said.out
    assert "absent" in said.out


def test_config_as_json(empty_shop: Shop, command: Command) -> None:
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    known = command("config", "--json").json
    url = {one["name"]: one for one in known["settings"]}["profiles.ci.url"]
    assert url == {
        "name": "profiles.ci.url",
        "value": "postgresql://ci_writer@db.example.org:5432/flakes",
        "origin": "profiles.toml:4",
        "variable": "FLAKEFIGHTERS_PROFILES__CI__URL",
        "default": "none",
        "overrides": [],
    }
    assert known["files"][0] == {
        "path": str(empty_shop.path / "profiles.toml"),
        "status": "read",
    }
    assert known["notes"] == []


def test_config_shows_what_it_can_of_a_broken_file(empty_shop: Shop, command: Command) -> None:
    (empty_shop.path / "profiles.toml").write_text(f'[profiles.ci]\npassword = "{PASSWORD}')
    said = command("config")
    assert said.code == 0
    assert "profiles.local.url" in said.out
    assert "is not valid TOML" in said.out
    assert said.err.count("is not valid TOML") == 1
    assert PASSWORD not in said.out + said.err


def test_a_misspelt_variable_is_named(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__CI__URI", "sqlite:///x.db")
    said = command("config")
    assert said.code == 0
    assert said.err.count("FLAKEFIGHTERS_PROFILES__CI__URI") == 1
    assert "did you mean url?" in said.err
