"""The walls of the house: who may import whom, and how light the pytest door is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reading import imported

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "flakefighters"

CORE = {"model", "ids", "words", "errors", "originals", "records"}

#: What each room may import besides itself.  Widening a line here is a decision: write it down.
ALLOWED: dict[str, set[str]] = {
    "model": CORE,
    "originals": set(),
    "lazy": set(),
    "records": set(),
    "ids": {"originals"},
    "words": set(),
    "errors": CORE,
    "hookspecs": CORE,
    "namesake": set(),
    "measures": {"records"},
    "fighters": {"model", "ids", "words", "measures", "originals", "records"},
    "reports": {"model", "ids", "words", "records"},
    "history": CORE,
    "state": CORE,
    "environment": CORE,
    "source": CORE | {"state"},
    "reach": CORE | {"state", "source"},
    "tracing": CORE,
    "capture": CORE,
    "judging": CORE
    | {"capture", "environment", "fighters", "history", "measures", "reach", "source", "state"}
    | {"tracing"},
    "profiles": CORE,
    "checks": CORE | {"capture", "history", "profiles", "session", "state"},
    "sync": CORE | {"history"},
    "importing": CORE | {"capture"},
    "trials": CORE | {"capture", "environment", "session", "state"},
}

#: The doors, and the session that joins the rooms for pytest, import across.
DOORS = ("plugin", "cli", "session", "__main__", "__init__")

HEAVY = (
    "pydantic",
    "pydantic_settings",
    "sqlalchemy",
    "coverage",
    "keyring",
    "psycopg2",
    "rich",
    "typer",
)


def _room(path: Path) -> str:
    """The room that a file of the package belongs to: "history" for history/store.py."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def _is_door(room: str) -> bool:
    return any(room == door or room.startswith(f"{door}_") for door in DOORS)


def _rooms(path: Path, root: Path = ROOT) -> Iterator[tuple[int, str]]:
    """Line and room of every import of ours in a file, wherever in the file it stands."""
    for line, name in imported(path, root):
        parts = name.split(".")
        if parts[0] == PACKAGE.name:
            yield line, parts[1] if len(parts) > 1 else "__init__"


def _trespasses(package: Path = PACKAGE) -> list[str]:
    found = []
    for path in sorted(package.rglob("*.py")):
        room = _room(path)
        if _is_door(room):
            continue
        for line, other in _rooms(path):
            if other != room and other not in {"__version__", *ALLOWED.get(room, set())}:
                found.append(f"{path.relative_to(ROOT)}:{line}: {room} imports {other}")
    return found


def test_rooms_import_only_what_they_may() -> None:
    assert _trespasses() == []


def test_every_room_has_its_rule() -> None:
    rooms = {_room(path) for path in PACKAGE.rglob("*.py")}
    assert {room for room in rooms if not _is_door(room)} <= set(ALLOWED)


def _drawn(text: str) -> list[str]:
    """The names in CONTRIBUTING.md's drawing of the package, in order."""
    drawing = re.search(r"^```text\nflakefighters/\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert drawing is not None, "CONTRIBUTING.md has no drawing that begins with flakefighters/"
    return re.findall(r"^  ([\w.]+/?)(?=\s)", drawing[1], re.MULTILINE)


def test_the_drawing_shows_every_room_and_invents_none() -> None:
    rooms = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    files = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    drawn = _drawn((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    assert sorted(drawn) == sorted(rooms | files)


def test_the_reading_of_the_drawing() -> None:
    text = "# House\n\n```text\nflakefighters/\n  plugin.py   door\n  cli/  door\n    more\n```\n"
    assert _drawn(text) == ["plugin.py", "cli/"]


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("from flakefighters.history import open_history", ["history"]),
        ("from flakefighters import ids", ["ids"]),
        ("import flakefighters.sync.clone", ["sync"]),
        ("from .store import History", ["history"]),
        ("from ..state import git", ["state"]),
        ("def late():\n    from flakefighters.cli import main", ["cli"]),
        ("import os, sqlite3", []),
    ],
)
def test_the_reading_of_imports(source: str, rooms: list[str], tmp_path: Path) -> None:
    path = tmp_path / "flakefighters" / "history" / "rows.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert [room for _, room in _rooms(path, tmp_path)] == rooms


def _loaded_by(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    script = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=environ
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize(
    "module",
    ["plugin", "history", "state", "reach", "capture", "fighters", "reports", "profiles", "sync"],
)
def test_importing_stays_light(module: str) -> None:
    before = _loaded_by("pass")  # an editable install or a .pth may load things of its own
    loaded = _loaded_by(f"import flakefighters.{module}") - before
    assert loaded.isdisjoint(HEAVY), sorted(loaded & set(HEAVY))


def test_the_check_of_lightness_sees_a_heavy_module() -> None:
    assert "rich" in _loaded_by("import rich")


def test_the_places_to_add_something_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    places = text.partition("## Where do I add …")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in places.splitlines() if line.startswith("| a")]
    assert len(rows) >= 8
    for thing, touch in rows:
        paths = re.findall(r"`([\w./-]+/[\w./-]*)`", touch)
        assert paths, thing
        assert [path for path in paths if not (ROOT / path).exists()] == [], thing
        assert len(re.split("; ", touch)) <= 4, f"{thing}: more than four places"
