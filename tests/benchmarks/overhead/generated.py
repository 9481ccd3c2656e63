"""Projects that are made up: each shows one cost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.benchmarks.overhead.branches import commit_all, git

__all__ = ["GENERATED", "make"]

_INI = "[pytest]\npythonpath = .\n"
_README = "The peer compares with the commit before.\n"

#: Paths and texts of a project, and of the commit whose state is measured.
Files = Mapping[str, str]
Maker = Callable[[], tuple[Files, Files]]


def _trivial(files: int, tests: int) -> tuple[Files, Files]:
    made = {}
    for file in range(files):
        code = [f"def test_{test}():\n    assert {test} >= 0\n" for test in range(tests)]
        made[f"test_{file}.py"] = "\n\n".join(code)
    return made, {"README": _README}


def _module(number: int, functions: int, imports: str = "") -> str:
    code = [
        f"def step_{one}(value):\n"
        f"    total = value + {number}\n"
        f"    for one in range({one % 7}):\n"
        f"        total += one\n"
        f"    if total > {one * 10}:\n"
        f"        return total - {one}\n"
        f"    return total\n"
        for one in range(functions)
    ]
    return f"{imports}\nLIMIT = {number}\n\n\n" + "\n\n".join(code)


#: Of another length: bytecode of a file that changes within a second is told by its size alone.
BROKEN: Final = "def rate():\n    return 1 + 1\n"


def _failing(files: int, each: int) -> tuple[Files, Files]:
    """All tests call one function, which breaks."""
    made = {"shop/__init__.py": "", "shop/rates.py": "def rate():\n    return 1\n"}
    for file in range(files):
        tests = [
            f"def test_{one}():\n    assert rates.rate() + {one} == {one + 1}\n"
            for one in range(each)
        ]
        made[f"tests/test_{file}.py"] = "from shop import rates\n\n\n" + "\n\n".join(tests)
    return made, {"shop/rates.py": BROKEN}


def _twenty() -> tuple[Files, Files]:
    """200 modules of 500 lines, a test file for each; a commit breaks what 20 of them call."""
    made = {"shop/__init__.py": "", "shop/rates.py": "def rate():\n    return 1\n"}
    for number in range(200):
        imports = f"from shop import module_{number - 1}\n" if number % 10 else ""
        if number % 10 == 0:
            imports = "from shop import rates\n"
        text = _module(number, 55, imports)
        called = "rates.rate()" if number % 10 == 0 else f"module_{number - 1}.LIMIT"
        made[f"shop/module_{number}.py"] = f"{text}\n\ndef first():\n    return {called}\n"
        expected = 1 if number % 10 == 0 else number - 1
        made[f"tests/test_{number}.py"] = (
            f"from shop import module_{number} as module\n\n\n"
            f"def test_first():\n    assert module.first() == {expected}\n\n\n"
            f"def test_steps():\n    assert module.step_1(1) >= 0 <= module.step_9(2)\n"
        )
    return made, {"shop/rates.py": BROKEN}


def _many() -> tuple[Files, Files]:
    """20,000 tests, each of which runs ten of 1,000 functions; another function changes."""
    made = {"shop/__init__.py": "", "shop/rates.py": "def rate():\n    return 1\n"}
    for number in range(20):
        made[f"shop/module_{number}.py"] = _module(number, 50, "from shop import rates\n")
    for file in range(200):
        tests = [
            f"def test_{one}():\n    for step in STEPS[{one % 5}::5]:\n        step({one})\n"
            for one in range(100)
        ]
        steps = "STEPS = [value for name, value in vars(module).items() if name[:5] == 'step_']"
        made[f"tests/test_{file}.py"] = (
            f"from shop import module_{file % 20} as module\n\n{steps}\n\n\n" + "\n\n".join(tests)
        )
    return made, {"shop/rates.py": BROKEN}


def _large_module() -> tuple[Files, Files]:
    """A module of 20,000 lines, of which one function differs and no test fails."""
    text = _module(1, 2200)
    tests = [
        f"def test_{one}():\n    assert large.step_{one}(3) > -{one + 1}\n" for one in range(100)
    ]
    made = {
        "shop/__init__.py": "",
        "shop/large.py": text,
        "tests/test_large.py": "from shop import large\n\n\n" + "\n\n".join(tests),
    }
    changed = text.replace("def step_9(value):\n", "def step_9(value):\n    value = value + 0\n")
    return made, {"shop/large.py": changed}


#: By the slug of the row that runs it.
GENERATED: Mapping[str, Maker] = {
    "one-failing": lambda: _failing(1, 1),
    "twenty-failing": _twenty,
    "8000-failing": lambda: _failing(80, 100),
    "large-module": _large_module,
    "20000-tests": _many,
    "2000-tests": lambda: _trivial(20, 100),
    "collect-empty": lambda: _trivial(0, 0),
    "one-test": lambda: _trivial(1, 1),
}


def make(slug: str, folder: Path) -> None:
    """Write the project of a row as a git repository: branch ``base``, then ``last``."""
    before, after = GENERATED[slug]()
    shutil.rmtree(folder, ignore_errors=True)
    _write(folder, {"pytest.ini": _INI, **before})
    commit_all(folder, "Project")
    git(folder, "checkout", "-q", "-b", "last")
    _write(folder, after)
    commit_all(folder, "Change")


def _write(folder: Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
