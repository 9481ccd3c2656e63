"""The benchmark of a history that grows, at its smallest."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from tests.benchmarks.scale import __main__ as scale
from tests.benchmarks.scale.plot import svg
from tests.benchmarks.scale.project import DAY, Size, simulated
from tests.benchmarks.scale.tables import tables
from tests.postgres.server import PostgresServer

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures"


def test_all_is_measured(
    postgres_server: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def running(**_: object) -> Iterator[PostgresServer]:
        yield postgres_server

    monkeypatch.setattr(scale, "running_server", running)
    size = ["--tests", "60", "--runs", "12", "--rounds", "1", "--clones", "90", "--delay", "1"]
    assert scale.main([*size, "--into", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "scale.json").read_text("utf-8"))
    (step,) = found["steps"]
    assert (step["runs"], step["prune, runs"]) == (12, 6)
    assert (step["clone"]["runs"], step["clone of 90 days"]["runs"]) == (20, 32)
    assert step["start, far"][3] == 3
    assert ET.fromstring(svg(found)).tag.endswith("svg")
    assert capsys.readouterr().out == tables(found) + "\n"


def test_a_simulation_is_the_same_each_time() -> None:
    size = Size(tests=300, runs=40, machines=10, days=30)
    whole = list(islice(simulated(size), 45))
    assert list(islice(simulated(size, 30), 15)) == whole[30:]
    starts = [run.head.started for run, _ in whole]
    assert starts == sorted(starts)
    assert size.until - starts[0] == pytest.approx(30 * DAY, rel=0.05)
    assert any(run.head.build for run, _ in whole)
    assert {len(run.suite) for run, _ in whole} == {300}


def test_the_picture_is_made_of_its_numbers() -> None:
    found = json.loads((FIGURES / "scale.json").read_text("utf-8"))
    assert (FIGURES / "scale.svg").read_text("utf-8") == svg(found)
    costs = (FIGURES.parent / "costs.md").read_text("utf-8")
    assert all(line in costs for line in tables(found).splitlines() if line.startswith("| "))
