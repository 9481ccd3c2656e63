"""``flakefighters upgrade``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flakefighters.cli import main


def test_a_history_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"--database-url=sqlite:///{tmp_path}/history.db"
    assert main(["upgrade", url]) == 0
    made = (tmp_path / "history.db").read_bytes()
    assert "schema version 1" in capsys.readouterr().err
    assert main(["upgrade", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema_version"] == 1
    assert (tmp_path / "history.db").read_bytes() == made


def test_what_is_no_history_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.db").write_text("something else")
    assert main(["upgrade", f"--database-url=sqlite:///{tmp_path}/other.db"]) == 3
    assert (tmp_path / "other.db").read_text() == "something else"
