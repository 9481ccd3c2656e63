"""What a function alters that outlives its call, by its text."""

from __future__ import annotations

import ast
import textwrap

import pytest

from flakefighters.reach.alterations import Alterations, Function, alterations

TOPS = {"STATE", "RULES", "Shop", "log"}
IMPORTED = {"rates": "rates", "KNOWN": "TABLE"}


def of(body: str, parameters: str = "") -> Alterations:
    """What a function with such a body alters."""
    text = f"def f({parameters}):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    node = ast.parse(text).body[0]
    assert isinstance(node, Function)
    return alterations(node, TOPS, IMPORTED, {"os", "shop"})


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("global STATE; STATE = 7", {"STATE"}),
        ("STATE = 7", set()),
        ("rates.RATE = 7", {"?RATE"}),
        ("rates.RATE += 7", {"?RATE"}),
        ("del rates.RATE", {"?RATE"}),
        ("for rates.RATE in range(3): pass", {"?RATE"}),
        ("Shop.rate = 7", {"?rate"}),
        ("cls.rate = 7", {".rate"}),
        ("self.__class__.rate = 7", {".rate"}),
        ("setattr(rates, 'RATE', 7)", {"?RATE"}),
        ("import shop; shop.RATE = 7", {"?RATE"}),
        ("found = rates; found.RATE = 7", {"?RATE"}),
        ("patch('shop.rates.RATE', 7).start()", {"?RATE"}),
        ("x = 1\nx.y = 2", set()),
        ("shop.rates.RATE = 7", {"?RATE"}),
        ("of_an_outer_function.RATE = 7", set()),
        ("shop = Shop(); shop.rate = 7", set()),
        ("def g(): rates.RATE = 7", set()),
        ("print(rates.RATE)", set()),
        ("type(self).rate = 7", {".rate"}),
        ("conf().rate = 7", {"?rate"}),
        ("Shop().rate = 7", set()),
        ("p = patch('shop.rates.RATE', 7); p.start()", {"?RATE"}),
        ("self.p = patch('shop.rates.RATE', 7); self.p.start()", {"?RATE"}),
        ("MonkeyPatch().setattr(rates, 'RATE', 7)", {"?RATE"}),
        ("m = pytest.MonkeyPatch(); m.setattr(rates, 'RATE', 7)", {"?RATE"}),
        ("app = shared_app(); app.rate = 7", set()),
        ("from shop import get_shop; app = get_shop(); app.rate = 7", {"?rate"}),
        ("app = get_other(); app.rate = 7", set()),
    ],
)
def test_values(body: str, names: set[str]) -> None:
    found = of(body, "self, cls")
    assert found.names == names
    assert not found.contents
    assert not found.process


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("STATE['a'] = 7", {"STATE"}),
        ("del STATE['a']", {"STATE"}),
        ("KNOWN['a'] = 7", {"?TABLE"}),
        ("from shop import STATE as s; s['a'] = 7", {"?STATE"}),
        ("RULES.append(7)", {"RULES"}),
        ("x = RULES.pop()", {"RULES"}),
        ("next(RULES)", {"RULES"}),
        ("rates.RULES.append(7)", {"?RULES"}),
        ("rules = rates.RULES; rules.append(7)", {"?RULES"}),
        ("import os; os.remove('a')", set()),
        ("log.info('a')", set()),
        ("RULES.index(7)", set()),
        ("[].append(7)", set()),
        ("rules = list(RULES); rules.append(7)", set()),
    ],
)
def test_contents(body: str, names: set[str]) -> None:
    found = of(body)
    assert found.contents == names
    assert not found.names
    assert not found.process


@pytest.mark.parametrize(
    "body",
    [
        "import os; os.chdir('a')",
        "import sys; sys.path.insert(0, 'a')",
        "import sys; del sys.modules['a']",
        "import sys; sys.modules['a'] = 1",
        "import random; random.seed(1)",
        "import os; os.environ['A'] = 'b'",
        "import logging; logging.getLogger('a').setLevel(1)",
        "import decimal; decimal.getcontext().prec = 1",
        "import importlib; importlib.reload(rates)",
        "import mimetypes; mimetypes.add_type('a', 'b')",
        "import gc; gc.disable()",
        "import csv; csv.field_size_limit(1)",
        "import numpy as np; np.random.seed(1)",
        "from os import umask; umask(1)",
        "from locale import setlocale as s; s(1)",
        "t = Thread(target=run); t.start()",
    ],
)
def test_what_the_process_has_once(body: str) -> None:
    assert of(body).process


@pytest.mark.parametrize(
    "body",
    [
        "import mimetypes; mimetypes.guess_type('a')",
        "import operator; operator.setitem({}, 1, 2)",
        "import rates; rates.set_up(1)",
        "gc.disable()",
        "umask(1)",
        "t = Thread(target=run); t.start(); t.join()",
        "rng = Random(); rng.seed(1)",
        "import xml; xml.etree.ElementTree.register(1)",
    ],
)
def test_what_leaves_the_process_alone(body: str) -> None:
    assert not of(body).process


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("db['a'] = 1", {"db"}),
        ("db.add(1)", {"db"}),
        ("db.rate = 1", {"db"}),
        ("db.get(1)", set()),
        ("monkeypatch.setattr(db, 'a', 1)", set()),
        ("rows = db.rows(); rows['a'] = 1", {"db"}),
        ("db.rows()['a'] = 1", {"db"}),
        ("for row in db.rows: row.rate = 1", {"db"}),
        ("for row in db.rows(): print(row)", set()),
        ("rows = other(db); rows['a'] = 1", set()),
        ("self.rate = 1", set()),
    ],
)
def test_parameters(body: str, expected: set[str]) -> None:
    assert of(body, "self, db, monkeypatch").parameters == expected


def test_calls() -> None:
    assert of("set_rate(7); Shop().reset(1)").called == {"set_rate", "Shop", "reset"}


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("return RULES", {"RULES"}),
        ("return dict(RULES)", set()),
        ("self.rules = mine or RULES", {"RULES"}),
        ("rules = RULES", set()),
        ("return KNOWN", {"?TABLE"}),
        ("yield db", {"@db"}),
        ("RULES = {}; return RULES", set()),
    ],
)
def test_what_is_given_away_uncopied(body: str, given: set[str]) -> None:
    assert of(body, "self, db").given == given
