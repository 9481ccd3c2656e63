"""The house is clean: linted, formatted, typed, and made of pieces that one can take in.

The tools are asked only where they are installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.debts import CIRCLES, FILES, FUNCTIONS
from tests.reading import circles, functions, import_graph
from tests.requirements import need_module

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "flakefighters"

FILE_LINES = 400
FUNCTION_LINES = 60
BRANCHES = 15


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check"], id="ruff-check"),
        pytest.param(["ruff", "format", "--check"], id="ruff-format"),
        pytest.param(["mypy"], id="mypy"),
    ],
)
def test_tool(command: list[str]) -> None:
    tool, *arguments = command
    need_module(tool)
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def large_files(package: Path) -> dict[str, int]:
    """Files that are too long, and their lines."""
    lines = {
        path.relative_to(package).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sorted(package.rglob("*.py"))
    }
    return {name: count for name, count in lines.items() if count > FILE_LINES}


def large_functions(package: Path) -> dict[str, tuple[int, int]]:
    """Functions that are too long or have too many branches: lines and branches."""
    return {
        one.name: (one.lines, one.branches)
        for one in functions(package)
        if one.lines > FUNCTION_LINES or one.branches > BRANCHES
    }


def test_files_are_short() -> None:
    grown = {name: n for name, n in large_files(PACKAGE).items() if n > FILES.get(name, 0)}
    assert grown == {}, f"files of more than {FILE_LINES} lines: divide them"


def test_functions_are_short_and_straight() -> None:
    grown = {
        name: size
        for name, size in large_functions(PACKAGE).items()
        if size[0] > max(FUNCTION_LINES, FUNCTIONS.get(name, (0, 0))[0])
        or size[1] > max(BRANCHES, FUNCTIONS.get(name, (0, 0))[1])
    }
    message = f"(lines, branches) over {FUNCTION_LINES} or {BRANCHES}: divide these functions"
    assert grown == {}, message


def test_imports_go_in_no_circle() -> None:
    new = [
        sorted(circle)
        for circle in circles(import_graph(PACKAGE))
        if not any(circle <= known for known in CIRCLES)
    ]
    assert new == [], "these modules import each other"


def test_debts_that_are_paid_leave_the_list() -> None:
    large = {*large_files(PACKAGE), *large_functions(PACKAGE)}
    paid = [name for name in (*FILES, *FUNCTIONS) if name not in large]
    now = circles(import_graph(PACKAGE))
    paid += [str(sorted(known)) for known in CIRCLES if not any(one <= known for one in now)]
    assert paid == [], "take these out of tests/debts.py"


def test_what_is_large_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "long.py").write_text("\n" * (FILE_LINES + 1))
    (package / "fits.py").write_text("\n" * FILE_LINES)
    body = "        pass\n"
    (package / "lines.py").write_text(
        f"class House:\n    def fits(self):\n{body * (FUNCTION_LINES - 1)}"
        f"    def long(self):\n{body * FUNCTION_LINES}"
    )
    forks = "    a = b or c and d\n    e = [f for f in g if f]\n    h = i if j else k\n"
    loop = "    while l:\n        pass\n" * (BRANCHES - 6)
    inner = "    def inner():\n        return a or b\n"
    (package / "forks.py").write_text(
        f"def fits():\n{forks}{loop}{inner}async def forked():\n{forks}{loop}    return m or n\n"
    )
    assert large_files(package) == {"long.py": FILE_LINES + 1}
    assert large_functions(package) == {
        "lines.py::House.long": (FUNCTION_LINES + 1, 1),
        "forks.py::forked": (4 + 2 * (BRANCHES - 6) + 1, BRANCHES + 1),
    }


@pytest.mark.parametrize(
    ("back", "found"),
    [
        ("import house.a", True),
        ("from house import a", True),
        ("from .a import name", True),
        ("def late():\n    from house.a import name", True),
        ("from house.other import name", False),
    ],
)
def test_circles_are_seen(back: str, found: bool, tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "a": "from house.b import name",
        "b": "from house.c import name",
        "c": back,
        "other": "from house.a import name" if not found else "",
    }.items():
        (package / f"{name}.py").write_text(text)
    expected = {"house.a", "house.b", "house.c"} | (set() if found else {"house.other"})
    assert circles(import_graph(package)) == [frozenset(expected)]
