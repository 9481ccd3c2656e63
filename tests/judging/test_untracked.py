"""Loaded code that no state tells of, and that somebody edited."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flakefighters.environment import distributions
from flakefighters.judging.untracked import edits, loaded_files
from tests.fighters.cases import case

SINCE = 1_700_000_000_000_000


def put(path: Path, seconds: int) -> str:
    """A file edited so many seconds after SINCE."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    at = SINCE * 1000 + seconds * 1_000_000_000
    os.utime(path, ns=(at, at))
    return str(path)


def found(tmp_path: Path, *files: str, lasting: bool = True) -> list[str]:
    base = tmp_path / "project"
    known = {"shop/tax.py"}
    return [name for name, _ in edits(files, base, lambda: known, SINCE, lasting=lasting)]


@pytest.mark.parametrize(
    ("place", "seconds", "expected"),
    [
        ("project/shop/tax.py", 5, []),  # the state tells of it
        ("project/shop/_version.py", 5, ["shop/_version.py"]),
        ("project/shop/_version.py", -5, []),
        ("library/rates.py", 5, ["library/rates.py"]),
        ("library/rates.py", -5, []),
    ],
)
def test_what_lies_in_folders(
    tmp_path: Path, place: str, seconds: int, expected: list[str]
) -> None:
    file = put(tmp_path / place, seconds)
    assert found(tmp_path, file, str(tmp_path / "gone.py"), "\0") == expected
    assert found(tmp_path, file, lasting=False) == []


@pytest.mark.parametrize(("edited", "expected"), [(5, []), (9, ["vatlib.py"])])
def test_what_is_installed(tmp_path: Path, edited: int, expected: list[str]) -> None:
    site = tmp_path / "lib/site-packages"
    for name, text in (("METADATA", ""), ("top_level.txt", "vatlib\n")):
        put(site / "vatlib-1.0.dist-info" / name, 7)
        (site / "vatlib-1.0.dist-info" / name).write_text(text)
        put(site / "other-1.0.dist-info" / name, 99)
    (site / "vatlib-1.0.dist-info/top_level.txt").write_text("vatlib\n")
    at = SINCE * 1000 + 7_000_000_000
    for path in (*site.glob("vatlib*/*"), site / "vatlib-1.0.dist-info"):
        os.utime(path, ns=(at, at))
    file = put(site / "vatlib.py", edited)
    assert found(tmp_path, file) == expected
    assert found(tmp_path, file, lasting=False) == expected


def test_the_newest_comes_first(tmp_path: Path) -> None:
    files = [put(tmp_path / f"library/{name}.py", at) for name, at in (("a", 3), ("b", 9))]
    assert found(tmp_path, *files) == ["library/b.py", "library/a.py"]


def test_loaded_files() -> None:
    failed = case().execution
    assert __file__ in loaded_files([failed])
    assert loaded_files([]) == ()


def test_what_is_installed_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of files are loaded in a large environment."""
    asked: list[object] = []

    def owners(path: object) -> dict[str, tuple[str, ...]]:
        asked.append(path)
        return {}

    monkeypatch.setattr(distributions, "owners", owners)
    site = tmp_path / "lib/site-packages"
    files = [put(site / f"package_{number}/code.py", 5) for number in range(50)]
    assert len(found(tmp_path, *files)) == 50
    assert len(asked) == 1
