"""Which history a name means, and whose password is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.cli.sides import find_sides
from tests.cli.conftest import Command, Shop

TEAM = """\
[profiles.ci]
url = "postgresql://ci_writer@db.example.org/flakes"

[profiles.shared]
url = "postgresql://reader@db.example.org/flakes"
"""


@pytest.fixture
def team(empty_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    (empty_shop.path / "profiles.toml").write_text(TEAM)
    return empty_shop


def test_nobody_is_told_to_store_the_password_of_ci(
    team: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_sides(str(team.path)).remote(None, "--from").user == "reader"
    said = capsys.readouterr().err
    assert "flakefighters login shared" in said
    assert "ci" not in said.replace("reader", "")


def test_who_writes_needs_the_profile_that_may(
    team: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_sides(str(team.path)).remote(None, "--to", writing=True)
    assert found.user == "ci_writer"
    assert "login shared" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("login",),
        ("runs", "--profile"),
        ("runs", "--project"),
        ("show",),
    ],
)
def test_a_url_in_the_wrong_place_shows_no_password(
    team: Shop, command: Command, arguments: tuple[str, ...]
) -> None:
    said = command(*arguments, "postgresql://u:hunter2hunter2@127.0.0.1:1/d")
    assert "hunter2" not in said.out + said.err


def test_a_file_is_named_by_its_path(
    shop: Shop, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copies" / "other history.db"
    copy.parent.mkdir()
    (shop.path / "flakefighters.db").rename(copy)
    monkeypatch.chdir(copy.parent)
    said = command("pull", "--rootdir", str(shop.path), "--from", copy.name)
    assert f"from sqlite:///{copy}" in said.out, said.err
    said = command("pull", "--rootdir", str(shop.path), "--from", "copies/none.db")
    assert said.code == 2
    assert "copies/none.db is neither a profile nor a file" in said.err
