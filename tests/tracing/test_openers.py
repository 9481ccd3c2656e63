"""Whose code opened a changed data file."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from flakefighters.tracing.audit import Audit
from flakefighters.tracing.lookup import Lookup
from flakefighters.tracing.openers import openers, read_at_import
from flakefighters.tracing.watch import Watch

SITE = "/venv/lib/python3/site-packages"
STDLIB = sysconfig.get_path("stdlib")


@pytest.fixture
def lookup(tmp_path: Path) -> Lookup:
    return Lookup(Watch(base=str(tmp_path)))


def codes(base: Path, *names: str) -> tuple[tuple[str, str], ...]:
    """Files and functions, the innermost first; a file with a slash in front lies elsewhere."""
    found = []
    for name in names:
        file, _, function = name.partition(":")
        found.append((file if file[0] in "/<" else str(base / file), function))
    return tuple(found)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["shop/a.py:load", "tests/test_a.py:test_a"], {"shop/a.py", "tests/test_a.py"}),
        (["tests/test_a.py:test_a"], {"<test>"}),
        ([f"{STDLIB}/pathlib.py:read", "tests/test_a.py:test_a"], {"<test>"}),
        ([f"{SITE}/yaml/__init__.py:load", "shop/a.py:load"], {"shop/a.py"}),
        ([f"{SITE}/plugin.py:load"], {""}),
        ([f"{SITE}/coverage/config.py:read", "tests/conftest.py:f"], {"<settings>"}),
        ([f"{STDLIB}/tomllib.py:load", f"{SITE}/_pytest/config.py:load"], {"<settings>"}),
        (["<frozen importlib>:load", f"{SITE}/coverage/config.py:read"], {"<settings>"}),
        (["shop/a.py:load", f"{SITE}/_pytest/python.py:call"], {"shop/a.py"}),
    ],
)
def test_keepers(tmp_path: Path, lookup: Lookup, names: list[str], expected: set[str]) -> None:
    found = set(openers([("rates.json", codes(tmp_path, *names))], lookup))
    assert found == {("rates.json", file) for file in expected}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["shop/a.py:<module>"], {"shop/a.py"}),
        ([f"{STDLIB}/json.py:load", "shop/a.py:load", "shop/b.py:<module>"], {"shop/b.py"}),
        (["shop/a.py:load", "tests/test_a.py:test_a"], set()),
        ([f"{SITE}/lib.py:<module>"], set()),
    ],
)
def test_modules(tmp_path: Path, lookup: Lookup, names: list[str], expected: set[str]) -> None:
    found = set(read_at_import([("rates.json", codes(tmp_path, *names))], lookup))
    assert found == {("rates.json", file) for file in expected}


def test_the_innermost_is_who_opens(tmp_path: Path, lookup: Lookup) -> None:
    data = tmp_path / "rates.json"
    data.write_text("{}")
    audit = Audit([str(data)], lookup.relative)
    audit.start()
    try:
        data.read_text()
    finally:
        audit.stop()
    ((path, found),) = audit.openers
    assert path == "rates.json"
    mine = [file for file, _ in found if file.startswith(str(Path(__file__).parent))]
    assert found.index((mine[0], "test_the_innermost_is_who_opens")) < 5
    assert "audit.py" not in found[0][0]
