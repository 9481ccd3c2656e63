"""What a changed function leaves behind, and who may find it."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from flakefighters.changes.leavings import Leavings
from flakefighters.changes.sources import Sources
from flakefighters.changes.units import compare
from flakefighters.model import Change, ChangeKind, Effect

STATE = "shop/state.py"
TEST = "tests/test_a.py"
OTHER = "tests/test_b.py"


def left(
    now: str,
    *,
    before: str = "",
    state: str = "RATE = 20\nRULES = []\n",
    other: str = "from shop import state\ndef test_b(): assert state.RATE\n",
    unit: str | None = "test_a",
    how: str = "changed",
) -> Effect:
    """The effect of a change in tests/test_a.py."""
    files = {STATE: state, TEST: now, OTHER: other}
    texts = {path: textwrap.dedent(text).encode() for path, text in files.items()}
    kind = ChangeKind.FUNCTION if unit else ChangeKind.FILE
    effect = Effect(change=Change(kind=kind, path=TEST, unit=unit, how=how))
    leavings = Leavings(Sources(texts, texts.get), lambda: False)
    return leavings.add(effect, textwrap.dedent(before).encode())


def found_by(effect: Effect) -> set[str]:
    return {name for path, name in effect.left_to if path == OTHER}


def test_who_reads_what_it_sets() -> None:
    effect = left("from shop import state\ndef test_a(): state.RATE = 7\n")
    assert effect.leavers == {(TEST, "test_a")}
    assert found_by(effect) == {"test_b"}
    assert not effect.left_to_all


@pytest.mark.parametrize(
    "now",
    [
        "from shop import state\ndef test_a(): assert state.RATE\n",
        "from shop import state\ndef test_a(): state.OTHER = 7\n",
        "from shop import state\ndef test_a(monkeypatch): monkeypatch.setattr(state, 'RATE', 7)\n",
    ],
)
def test_nobody_reads_it(now: str) -> None:
    assert not found_by(left(now))


def test_a_setter_that_it_calls() -> None:
    state = "RATE = 20\ndef set_rate(x):\n    global RATE\n    RATE = x\n"
    now = "from shop import state\ndef test_a(): state.set_rate(7)\n"
    assert found_by(left(now, state=state)) == {"test_b"}


def test_a_cache_that_is_filled_on_the_way() -> None:
    state = "RATE = {}\ndef rate(x):\n    RATE[x] = x\n"
    now = "from shop import state\ndef test_a(): state.{}(7)\n"
    assert not found_by(left(now.format("rate"), state=state))
    more = state.replace("def rate", "def register")
    assert found_by(left(now.format("register"), state=more)) == {"test_b"}


def test_what_is_not_put_back_any_more() -> None:
    before = """
        from shop import state
        def test_a():
            old = state.RATE
            state.RATE = old
        """
    effect = left("from shop import state\ndef test_a(): pass\n", before=before)
    assert found_by(effect) == {"test_b"}


@pytest.mark.parametrize(("name", "expected"), [("teardown_module", {"test_b"}), ("help", set())])
def test_a_function_that_is_gone(name: str, expected: set[str]) -> None:
    before = f"from shop import state\ndef {name}(): state.RATE = 20\n"
    effect = left("def test_a(): pass\n", before=before, unit=name, how="removed")
    assert found_by(effect) == expected
    assert not effect.leavers


def test_a_file_of_which_only_that_it_differs_is_known() -> None:
    now = "from shop import state\ndef test_a(): state.RATE = 7\ndef test_c(): pass\n"
    effect = left(now, unit=None)
    assert effect.leavers == {(TEST, "test_a")}
    assert found_by(effect) == {"test_b"}


@pytest.mark.parametrize(("scope", "expected"), [("session", {"test_b"}), ("function", set())])
def test_a_fixture(scope: str, expected: set[str]) -> None:
    state = f"import pytest\n@pytest.fixture(scope='{scope}')\ndef db(): return []\n"
    now = "def test_a(db): db.append(1)\n"
    assert found_by(left(now, state=state, other="def test_b(db): assert db\n")) == expected


def test_what_the_process_has_once() -> None:
    assert left("import os\ndef test_a(): os.chdir('x')\n").left_to_all


def test_what_is_no_change_of_behaviour() -> None:
    now = "from shop import state\ndef test_a(): state.RATE = 7\n"
    texts = {TEST: now.encode()}
    change = Change(kind=ChangeKind.FUNCTION, path=TEST, unit="test_a", by_run=False)
    effect = Effect(change=change)
    leavings = Leavings(Sources(texts, texts.get), lambda: False)
    assert leavings.add(effect, b"") == effect
    late = Leavings(Sources(texts, texts.get), lambda: True)
    run = Effect(change=replace(change, by_run=True))
    assert late.add(run, b"") == run


SETTER = "RATE = 20\ndef set_rate(rate):\n    global RATE\n    RATE = rate\n"


@pytest.mark.parametrize("how", ["added", "removed"])
@pytest.mark.parametrize(
    ("line", "expected", "everybody"),
    [
        ("state.RATE = 7", {"test_b"}, False),
        ("state.set_rate(7)", {"test_b"}, False),
        ("print(state.RATE)", set(), False),
        ("sys.modules['shop.rates'] = 7", set(), True),
    ],
)
def test_a_statement_of_a_module(line: str, how: str, expected: set[str], everybody: bool) -> None:
    head = b"import sys\nfrom shop import state\n"
    old, new = head, head + line.encode() + b"\n"
    if how == "removed":
        old, new = new, old
    other = b"from shop import state\ndef test_b(): assert state.RATE\n"
    texts = {STATE: SETTER.encode(), TEST: new, OTHER: other}
    (change,) = compare(TEST, old, new)
    assert change.how == how
    effect = Leavings(Sources(texts, texts.get), lambda: False).add(Effect(change=change), old)
    assert found_by(effect) == expected
    assert effect.left_to_all is everybody
    assert effect.leaves_at_import is bool(expected or everybody)
