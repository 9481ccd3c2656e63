"""What a changed function leaves behind, and who may find it."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from flakefighters.model import Change, ChangeKind, Effect
from flakefighters.reach.leavings import Leavings
from flakefighters.reach.project import Sources
from flakefighters.source.units import compare

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


ACCOUNT = """import pytest
class Account:
    def __init__(self): self.balance = 100
    def withdraw(self, net): self.balance -= net
    def shown(self): return self.balance
account = Account()
@pytest.fixture(scope="{}")
def wide(): return Account()
"""


@pytest.mark.parametrize(
    ("scope", "before", "now", "expected"),
    [
        ("session", "wide.shown()", "wide.withdraw(1)", {"test_b"}),
        ("session", "wide.withdraw(1)", "wide.withdraw(2)", {"test_b"}),
        ("session", "wide.withdraw(1)", "wide.withdraw(1); print()", set()),
        ("session", "wide.withdraw(1)", "wide.shown()", set()),
        ("function", "wide.shown()", "wide.withdraw(1)", set()),
    ],
)
def test_a_method_that_alters_its_object(
    scope: str, before: str, now: str, expected: set[str]
) -> None:
    effect = left(
        f"def test_a(wide): {now}\n",
        before=f"def test_a(wide): {before}\n",
        state=ACCOUNT.format(scope),
        other="def test_b(wide): assert wide.shown()\n",
    )
    assert found_by(effect) == expected


def test_a_method_of_an_object_of_a_module() -> None:
    now = "from shop.state import account\ndef test_a(): account.{}\n"
    other = "from shop.state import account\ndef test_b(): assert account.balance\n"
    state = ACCOUNT.format("session")
    assert found_by(left(now.format("withdraw(1)"), state=state, other=other)) == {"test_b"}
    assert not found_by(left(now.format("shown()"), state=state, other=other))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("db.execute('delete from rates')", {"test_b"}),
        ("db.close()", {"test_b"}),
        ("os.remove(db / 'rates')", {"test_b"}),
        ("shutil.rmtree(str(db))", {"test_b"}),
        ("(db / 'rates').unlink()", {"test_b"}),
        ("db.execute('select * from rates')", set()),
        ("db.execute(text(' SELECT * from rates'))", set()),
        ("db.execute(f'select * from {rates}')", set()),
        ("print(db)", set()),
    ],
)
def test_a_connection_that_is_used_up(line: str, expected: set[str]) -> None:
    state = "import pytest\n@pytest.fixture(scope='session')\ndef db(): return connect()\n"
    other = "def test_b(db): assert db\n"
    found = left(f"import os, shutil\ndef test_a(db): {line}\n", state=state, other=other)
    assert found_by(found) == expected


def test_what_a_helper_two_calls_down_takes_away() -> None:
    state = "RULES = [1]\ndef _wipe():\n    RULES.{}\ndef restart():\n    _wipe()\n"
    now = "from shop import state\ndef test_a(): state.restart()\n"
    other = "from shop import state\ndef test_b(): assert state.RULES\n"
    assert found_by(left(now, state=state.format("clear()"), other=other)) == {"test_b"}
    assert not found_by(left(now, state=state.format("index(1)"), other=other))


@pytest.mark.parametrize(
    ("body", "argument", "expected"),
    [
        ("rates.sort()", "state.RATES", {"test_b"}),
        ("rates['a'] = 1", "RATES", {"test_b"}),
        ("sorted(rates)", "RATES", set()),
        ("rates.sort()", "[1]", set()),
    ],
)
def test_what_it_is_handed(body: str, argument: str, expected: set[str]) -> None:
    effect = left(
        f"def lowest(rates): {body}\n",
        before="def lowest(rates): pass\n",
        state="RATES = [2, 1]\n",
        other=f"""
            from shop import state
            from shop.state import RATES
            def test_b(): assert RATES
            def test_c(): lowest({argument})
            """,
        unit="lowest",
    )
    assert found_by(effect) - {"test_c"} == expected


@pytest.mark.parametrize(
    ("before", "lasting", "expected"),
    [
        ("return self.rate", "a = A()\n", {"test_b"}),
        ("self.rate = 7", "a = A()\n", set()),
        ("return self.rate", "", set()),
    ],
)
def test_a_method_that_sets_another_attribute_now(
    before: str, lasting: str, expected: set[str]
) -> None:
    text = "class A:\n    def f(self):\n        {}\n"
    effect = left(
        text.format("self.rate = 7") + lasting,
        before=text.format(before) + lasting,
        other="def test_b(): assert thing.rate\n",
        unit="A.f",
    )
    assert found_by(effect) == expected


def test_a_patch_that_nobody_stops_any_more() -> None:
    text = """
        from unittest import mock
        class TestA:
            def setUp(self):
                self.patcher = mock.patch("shop.state.RATE", 7)
                self.patcher.start()
            def tearDown(self):
                self.patcher.{}()
        """
    before, other = text.format("stop"), "from shop.state import RATE\ndef test_b(): assert RATE\n"
    for now in (text.format("show"), text.rpartition("    def")[0]):
        how = "changed" if "tearDown" in now else "removed"
        effect = left(now, before=before, other=other, unit="TestA.tearDown", how=how)
        assert found_by(effect) == {"test_b"}
    assert not found_by(left(before, before=before, other=other, unit="TestA.tearDown"))


def test_a_logger_of_the_module() -> None:
    text = "import logging\nLOG = logging.getLogger('shop')\ndef test_a(): LOG.disabled = True\n"
    assert left(text).left_to_all
    assert not left(text.replace("LOG.disabled = True", "LOG.info('a')")).left_to_all


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
