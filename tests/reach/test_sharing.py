"""Where tests leave something for later ones."""

from __future__ import annotations

import pytest

from flakefighters.reach.keepers import keepers
from flakefighters.reach.project import Sources
from flakefighters.reach.sharing import kept_for_tests, wide_fixtures

CONFTEST = """
import pytest
from shop.app import app

@pytest.fixture(scope="session")
def db():
    return {}

@pytest.fixture
def rows(db):
    return db

@pytest.fixture
def client():
    return app

@pytest.fixture
def cart():
    return {}

@pytest.fixture(scope="function")
def order(cart):
    yield cart
"""


def sources(**files: str) -> Sources:
    contents = {f"tests/{name}.py": text.encode() for name, text in files.items()}
    return Sources(dict.fromkeys(contents, ""), contents.get)


def test_fixtures_that_give_what_lives_longer_than_a_test() -> None:
    assert wide_fixtures(sources(conftest=CONFTEST)) == {b"db", b"rows", b"client"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("db['a'] = 1", b"db"),
        ("db.rate = 1", b"db"),
        ("db.tables['a'] = 1", b"db"),
        ("order = db.orders.create(1)", b"db"),
        ("(db / 'a').write_text('b')", b"db"),
        ("db.execute('insert into a values (1)')", b"db"),
        ("pytest.order = 1", b"order"),
        ("request.config.order = 1", b"order"),
        ("os.environ['A'] = 'b'", b"environ"),
        ("assert db['a'] == 1", None),
        ("db.execute('select 1')", None),
        ("cart['a'] = 1", None),
        ("row = db.get('a')", None),
        ("monkeypatch.setenv('A', 'b')", None),
    ],
)
def test_what_is_left(line: str, name: bytes | None) -> None:
    text = f"def test_a(db, cart):\n    {line}\n"
    assert [one[0] for one in kept_for_tests(text.encode(), {b"db"})] == [name] * (name is not None)


def test_those_who_have_the_fixture_read_it() -> None:
    a = "def test_a(db):\n    db['a'] = 1\n"
    b = "def test_b(db):\n    assert db\n\ndef test_c(cart):\n    assert not cart\n"
    found = keepers(sources(conftest=CONFTEST, test_a=a, test_b=b))
    readers = [one.readers for one in found if one.unit[0] == "tests/test_a.py"]
    assert len(readers) == 1
    units = {place.unit for place in readers[0] or ()}
    assert {("tests/test_a.py", "test_a at 1"), ("tests/test_b.py", "test_b at 1")} <= units
    assert ("tests/test_b.py", "test_c at 4") not in units
