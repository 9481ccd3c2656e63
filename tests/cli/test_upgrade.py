"""``flakefighters upgrade``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flakefighters.cli import main
from flakefighters.history import migrations
from flakefighters.history.steps import Step


def test_a_history_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"--database-url=sqlite:///{tmp_path}/history.db"
    assert main(["upgrade", url]) == 0
    made = (tmp_path / "history.db").read_bytes()
    assert "schema version 1" in capsys.readouterr().err
    assert main(["upgrade", url, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["schema_version"], said["before"], said["steps"]) == (1, 1, [])
    assert main(["upgrade", url, "--dry-run"]) == 0
    assert "schema version 1" in capsys.readouterr().err
    assert (tmp_path / "history.db").read_bytes() == made


def test_what_is_no_history_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.db").write_text("something else")
    assert main(["upgrade", f"--database-url=sqlite:///{tmp_path}/other.db"]) == 3
    assert (tmp_path / "other.db").read_text() == "something else"


def test_a_dry_run_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["upgrade", "--dry-run", f"--database-url=sqlite:///{tmp_path}/history.db"]) == 3
    assert "does not exist" in capsys.readouterr().err
    assert not (tmp_path / "history.db").exists()


def test_what_was_done_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    step = Step(version=2, oldest_reader=1, what="runs have a mood", sqlite=(), postgresql=())
    steps = (step,)
    own = migrations.upgrade
    monkeypatch.setattr(
        migrations, "upgrade", lambda *args, **more: own(*args, **more, steps=steps)
    )
    url = f"--database-url=sqlite:///{tmp_path}/history.db"
    assert main(["upgrade", url]) == 0
    assert "went on to version 2: runs have a mood" in capsys.readouterr().err
    assert main(["upgrade", url]) == 3
    assert "this flakefighters knows up to 1" in capsys.readouterr().err
