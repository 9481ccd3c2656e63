"""Equal failures are equal, different ones differ, whatever the machine and the options."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.capture.normalise import ELIDED, LIMIT, normalised, shorten_bytes
from flakefighters.capture.signature import from_longrepr, normalise, signature

# -- the stored text -------------------------------------------------------------------------

SETTLED = [
    (
        'File "/usr/lib/python3.11/json/decoder.py", line 3',
        'File "<python>/json/decoder.py", line 3',
    ),
    ("/opt/hostedtoolcache/Python/3.12.1/x64/lib/python3.12/json/x.py", "<python>/json/x.py"),
    (".tox/py311/lib/python3.11/site-packages/attr/x.py:12: in f", "<site>/attr/x.py:12: in f"),
    (r"C:\Python311\Lib\site-packages\attr\x.py", r"<site>/attr\x.py"),
    (r"C:\Python\3.11.9\x64\Lib\json\decoder.py:337", r"<python>/json\decoder.py:337"),
    ("'/tmp/pytest-of-bob/pytest-12/test_x0/y'", "'<tmp>/test_x0/y'"),
    ("/tmp/pytest-of-bob/pytest-12/popen-gw1/test_x0/y", "<tmp>/test_x0/y"),
    ("/private/var/folders/a1/b2/T/pytest-of-bob/pytest-1/t0", "<tmp>/t0"),
    (r"'C:\\Users\\b\\AppData\\Local\\Temp\\pytest-of-b\\pytest-3\\t0'", r"'<tmp>\\t0'"),
    ("/tmp/tmpab12cd_3/x", "<tmp>/x"),
    ("/home/bob/elsewhere/x", "~/elsewhere/x"),
    ("/Users/bob/elsewhere/x", "~/elsewhere/x"),
    ("Command '['/venv/bin/python3.11', '-m', 'x']'", "Command '['<bin>/python', '-m', 'x']'"),
    ("<Foo object at 0x7f3a2b1c0d10>", "<Foo object at 0x...>"),
    ("<Mock name='m' id='140234234234'>", "<Mock name='m' id='...'>"),
    ("killed pid=1234, PID: 12", "killed pid=..., PID: ..."),
    ("[gw1] Thread-12 Task-3", "[gw] Thread-N Task-N"),
    ("done in 0.12s, took 1.5 seconds", "done in ...s, took ... seconds"),
    ("2026-11-22 19:14:03,123 WARNING x", "<time> WARNING x"),
    ("at 2026-11-22T19:14:03.123456+00:00", "at <time>"),
    ("http://localhost:54321/x", "http://localhost:.../x"),
    ("ConnectionError: ('127.0.0.1', 54321)", "ConnectionError: ('127.0.0.1', ...)"),
    ("\x1b[1m\x1b[31mE  x\x1b[0m\x1b]8;;u\x07", "E  x"),
    ("/src/app/tests/x.py:3: in f", "tests/x.py:3: in f"),
    ("rootdir: /src/app", "rootdir: ."),
    (
        "file:///src/other /src/app2/x /mnt/src/app/x",
        "file:///src/other /src/app2/x /mnt/src/app/x",
    ),
]


@pytest.mark.parametrize(("raw", "settled"), SETTLED)
def test_what_varies_is_taken_out(raw: str, settled: str) -> None:
    assert normalised(raw, "/src/app") == settled
    assert normalised(settled, "/src/app") == settled


@pytest.mark.parametrize(
    "text",
    [
        "assert 12 == 13, 0xdeadbeef, 1.5, 'abc'",
        "datetime.datetime(2024, 1, 1) != 2024-01-01 00:00:00",
        "rapid 12, Task-force 3, 12 ms, port 8080 of example.org:54321",
        "E     - /api/v1/users",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    ],
)
def test_what_tells_stays(text: str) -> None:
    assert normalised(text, "/src/app") == text


def test_what_one_rule_uncovers_another_settles() -> None:
    assert normalised("/src/\x1b[0mapp/tests/x.py", "/src/app") == "tests/x.py"


def test_windows_base_in_any_spelling() -> None:
    raw = r"at C:\src\app\tests\x.py and 'C:\\src\\app\\y.py' and C:/src/app/z.py"
    assert normalised(raw, "C:\\src\\app") == r"at tests\x.py and 'y.py' and z.py"


def test_the_middle_of_a_long_text_is_left_out() -> None:
    text = "first\n" + "é line of text\n" * 20_000 + "last"
    shown = normalised(text)
    assert len(shown.encode()) <= LIMIT
    assert len(shown.encode()) > LIMIT * 0.95
    assert shown.startswith("first\n")
    assert shown.endswith("last")
    assert shown.count(f"\n{ELIDED}\n") == 1
    assert normalised(shown) == shown


PIECES = st.sampled_from(
    [raw for raw, _ in SETTLED]
    + ["/src/app", "/src/app/", "/", "\\", "\x1b", "[0m", " at 0x123456", "\r", "\n", "in 0.1", "s"]
    + ["tmp", "/tmp/", "pid 1", "127.0.0.1:", "1", "E   ", "C:", "Lib", "2026-11-22 19:14:03"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_settling_twice_is_settling_once(text: str) -> None:
    once = normalised(text, "/src/app")
    assert normalised(once, "/src/app") == once


@given(st.text(), st.integers(100, 200))
def test_the_limit_holds_for_any_text(text: str, limit: int) -> None:
    shown = shorten_bytes(text * 50, limit)
    assert len(shown.encode("utf-8", "surrogatepass")) <= limit
    assert shown == text * 50 or ELIDED in shown


SLOW = {
    "letters": "a" * 1_000_000,
    "slashes": "/a" * 500_000,
    "sites": ("/a" * 100 + " -packages ") * 5_000,
    "digits": "1" * 1_000_000,
    "pythons": "/x/lib/python3." * 60_000,
    "drives": "C:" * 500_000 + "Lib pytest-of- Temp Users -packages",
    "escapes": "\x1b[" * 500_000,
    "returns": "\r" * 1_000_000 + "\r\n",
    "quotes": "'" * 1_000_000,
    "brackets": "assert " + "[{(" * 300_000,
    "hex": "deadbeef0" * 110_000,
    "bars": " |" * 500_000,
    "lines": "E   x\n" * 160_000,
    "all": "\n".join(raw for raw, _ in SETTLED) * 500,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_time_is_bounded(text: str) -> None:
    started = time.thread_time()
    from_longrepr(text, base="/src/app")
    signature(None, text, ())
    assert time.thread_time() - started < 3


# -- the signature ---------------------------------------------------------------------------

HERE = [("tests/test_tax.py", "test_vat"), ("shop/cart.py", "total"), ("shop/tax.py", "vat")]


def test_it_can_be_read() -> None:
    made = signature(
        "builtins.ValueError",
        "ValueError: invalid amount 12.5 for 'vat'\n\nmore",
        HERE,
        causes=[("KeyError", "KeyError: 'rate'")],
    )
    assert made.splitlines() == [
        "ValueError",
        "invalid amount # for 'vat'",
        "more",
        "in shop/tax.py:vat",
        "in shop/cart.py:total",
        "caused by KeyError: 'rate'",
    ]


EQUAL = [
    ("took 12 of 13", "took 7 of 8"),
    (
        "at 0x7f00aa11 f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "at 0x7f00 0a7ac10b-58cc-4372-a567-0e02b2c3d470",
    ),
    ("key 5d41402abc4b2a76b9719d911017c592", "key 7d793037a0760186574b0282f2f435e7"),
    ("[1, 2, 3] left", "[4, 5] left"),
    ("assert 1 == 2", "assert 3 == 4"),
    ("assert {'a', 'b'} == set()", "assert {'b', 'a'} == set()"),
    ("assert [1, 2, 3, 4, 5, 6, ...] == []", "assert [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] == []"),
    (
        "assert 'aaaaaaaaaaa...bbbbbbbbbbb' == 'x'",
        "assert 'aaaaaaaaaaa and then bbbbbbbbbbb' == 'x'",
    ),
    ("assert 1 == 2\n  more with -vv\n  - x", "assert 1 == 2"),
    ("has no attribute 'tota'. Did you mean: 'total'?", "has no attribute 'tota'"),
    ("timeout after -1.5e-05", "timeout after 3"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal(one: str, other: str) -> None:
    assert signature(None, one, HERE) == signature(None, other, HERE)


DIFFERENT = [
    ("KeyError: 'name'", "KeyError: 'price'"),
    ("assert 404 == 200", "assert 500 == 200"),
    ("status code 404", "status code 503"),
    ("assert 'a' == 'b'", "assert 'a' in 'b'"),
    ("assert [1] == [2]", "assert None == [2]"),
    ("AssertionError: rate\nassert 1 == 2", "AssertionError: price\nassert 1 == 2"),
    ("has no attribute 'total'", "has no attribute 'sum'"),
    ("ValueError: x", "TypeError: x"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str) -> None:
    assert signature(None, one, HERE) != signature(None, other, HERE)


def test_the_test_does_not_count_where_other_code_failed() -> None:
    other = [("tests/test_cart.py", "test_total"), *HERE[1:]]
    assert signature("ValueError", "x", HERE) == signature("ValueError", "x", other)
    assert signature("ValueError", "x", HERE[:1]) != signature("ValueError", "x", other[:1])


def test_an_assertion_is_told_by_its_line() -> None:
    one = signature("AssertionError", "assert False", HERE[:1], source="assert is_open(shop)")
    other = signature("AssertionError", "assert False", HERE[:1], source="assert is_paid(cart)")
    assert one != other


@given(st.text() | PIECES)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text())), st.text())
def test_any_text_makes_a_short_signature(name: str, text: str, frames, source: str) -> None:  # type: ignore[no-untyped-def]
    made = signature(name, text, [(p[:50], f[:50]) for p, f in frames], source=source)
    assert len(made) < 4_000


class Broken:
    def __str__(self) -> str:
        raise OSError("no")


@pytest.mark.parametrize("longrepr", [None, 3, (), ("a", 1, "b"), "", Broken(), b"\xff", object])
def test_anything_can_be_a_longrepr(longrepr: object) -> None:
    text, made = from_longrepr(longrepr, {"exception": "shop.TaxError"})
    assert isinstance(text, str)
    assert made.startswith("TaxError")


def test_secrets_are_out_before_all_else() -> None:
    text, made = from_longrepr(
        "E  x: s3cr3t-12", redact=lambda t: t.replace("s3cr3t-12", "<secret>")
    )
    assert "s3cr3t" not in text + made
    assert "<secret>" in made


# -- with pytest's own reports ---------------------------------------------------------------

SHOP = """\
def vat(x):
    return helper(x)
def helper(x):
    raise ValueError(f"bad {x!r}")
def rec(n):
    return rec2(n + 1)
def rec2(n):
    return rec(n)
"""

TESTS = """\
import unittest
import pytest
import shop

@pytest.fixture
def broken():
    shop.vat("fix")

@pytest.mark.parametrize("a", [1, 2])
def test_call(a):
    assert shop.vat(a) == 1

def test_chain():
    try:
        shop.vat(1)
    except ValueError as e:
        raise KeyError("x") from e

def test_during():
    try:
        shop.vat(1)
    except ValueError:
        raise KeyError("x")

def test_group():
    errors = []
    for x in (1, 2):
        try:
            shop.vat(x)
        except ValueError as e:
            errors.append(e)
    raise ExceptionGroup("many", errors)

def test_recursion():
    shop.rec(0)

def test_recursion_here():
    def f():
        f()
    f()

def test_lists(number):
    assert [*range(15)] == [*range(14), number]

def test_message(number):
    assert 1 == number, f"rate {number}"

def test_comprehension():
    return [shop.vat(x) for x in (1, 2)]

def test_two_lines(number):
    assert (
        number
        == 0
    )

def test_setup(broken):
    pass

def test_lookup(no_such):
    pass

def test_fail():
    pytest.fail("x y", pytrace=False)

@pytest.mark.xfail(strict=True)
def test_xpass():
    pass

class TestUnit(unittest.TestCase):
    def test_equal(self):
        self.assertEqual([1], [2])
"""

CONFTEST = """\
import json, os, random, sys
import pytest
from flakefighters.capture.signature import frames_of, from_longrepr

OUT = {}

@pytest.fixture
def number():
    return random.randrange(100, 999)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.excinfo:
        report._frames = frames_of(call.excinfo.tb)
        report._kind = f"{call.excinfo.type.__module__}.{call.excinfo.type.__qualname__}"
    return report

def pytest_runtest_logreport(report):
    if report.failed:
        base, cwd = os.environ["BASE"], os.environ["STARTED"]
        kind = getattr(report, "_kind", None)
        given = {"frames": getattr(report, "_frames", ())}
        known = from_longrepr(report.longrepr, {**given, "exception": kind}, base, cwd=cwd)
        guessed = from_longrepr(report.longrepr, given, base, cwd=cwd)
        name = report.nodeid.rpartition("/")[2]
        OUT[name] = [*known, guessed[1]]

def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        with open(os.environ["OUT"], "w") as file:
            json.dump(OUT, file)
"""

DOC = '''\
def add(a, b):
    """
    >>> add(1, 2)
    4
    >>> add(1, None)
    3
    """
    return a + b
'''


def run(base: Path, *arguments: str, where: str = ".") -> dict[str, list[str]]:
    """Text, signature, and signature without the known exception, by test."""
    (base / "sub" / "tests").mkdir(parents=True, exist_ok=True)
    for name, content in {
        "pytest.ini": "[pytest]\npythonpath = .\n",
        "shop.py": SHOP,
        "doc.py": DOC,
        "conftest.py": CONFTEST,
        "sub/tests/test_shop.py": TESTS,
    }.items():
        (base / name).write_text(content)
    started = (base / where).resolve()
    out = base / "out.json"
    paths = [str(base / "sub"), str(base / "doc.py")]
    options = ["-q", "--doctest-modules", f"--rootdir={base}", "-c", str(base / "pytest.ini")]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", *arguments, *paths],
        cwd=started,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "OUT": str(out),
            "BASE": str(base),
            "STARTED": str(started),
        },
        capture_output=True,
        check=False,
    )
    made: dict[str, list[str]] = json.loads(out.read_text())
    return made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return run(tmp_path_factory.mktemp("plain"))


VARIATIONS = {
    "again": ((), "."),
    "workers": (("-p", "xdist", "-n", "1"), "."),
    "elsewhere": ((), "sub"),
    "short": (("--tb=short",), "."),
    "native": (("--tb=native",), "."),
    "none": (("--tb=no",), "."),
    "verbose": (("-vv", "-l"), "."),
    "full": (("--full-trace",), "."),
}


#: Tests whose failures show a random number, or where in a cycle the stack ended.
RANDOM = ("test_lists", "test_message", "test_two_lines", "test_recursion")


@pytest.mark.parametrize("variation", VARIATIONS)
def test_real_reports(variation: str, plain: dict[str, list[str]], tmp_path: Path) -> None:
    arguments, where = VARIATIONS[variation]
    base = tmp_path / "another place" / "of another name"
    base.mkdir(parents=True)
    made = run(base, *arguments, where=where)
    assert made.keys() == plain.keys()
    assert len(made) == 17
    for name, one in made.items():
        expected = plain[name][1].split("\n")
        if variation == "none" and "doc.add" not in name:  # the line that failed is not known
            expected = [line for line in expected if not line.startswith("at ")]
        if variation == "full" and "test_recursion" in name:
            continue  # pytest takes its own hooks for the recursion and cuts there
        assert one[1].split("\n") == expected
    for text, _, _ in made.values():
        assert str(base) not in text
    if variation in ("again", "workers"):
        texts = {name: one[0] for name, one in made.items() if not name.endswith(RANDOM)}
        assert texts == {name: one[0] for name, one in plain.items() if name in texts}


def test_real_signatures(plain: dict[str, list[str]]) -> None:
    def of(name: str) -> list[str]:
        return next(one for key, one in plain.items() if key.endswith(name))[1].split("\n")

    in_shop = ["in shop.py:helper", "in shop.py:vat"]
    assert of("test_call[1]") == ["ValueError", "bad #", *in_shop]
    assert of("test_call[2]") == of("test_call[1]")
    assert of("test_comprehension") == of("test_call[1]")
    assert of("test_chain") == [
        "KeyError",
        "'x'",
        "in sub/tests/test_shop.py:test_chain",
        "caused by ValueError: bad #",
    ]
    assert of("test_during")[-1] == "caused by ValueError: bad #"
    assert of("test_group") == [
        "ExceptionGroup",
        "many (# sub-exceptions)",
        "in sub/tests/test_shop.py:test_group",
        "with ValueError: bad # in shop.py:helper",
    ]
    assert of("test_recursion") == [
        "RecursionError",
        "maximum recursion depth exceeded",
        "in shop.py:rec",
        "in shop.py:rec2",
    ]
    assert of("test_recursion_here")[-1] == "in sub/tests/test_shop.py:f"
    assert of("test_lists") == [
        "AssertionError",
        "assert [*] == [*]",
        "at assert [*range(15)] == [*range(14), number]",
        "in sub/tests/test_shop.py:test_lists",
    ]
    assert of("test_message")[1:3] == ["rate #", "assert # == #"]
    assert of("test_setup") == [
        "ValueError",
        "bad 'fix'",
        "in shop.py:helper",
        "in shop.py:vat",
        "in sub/tests/test_shop.py:broken",
    ]
    assert of("test_lookup")[:2] == ["FixtureLookupError", "fixture 'no_such' not found"]
    assert of("test_fail") == ["Failed", "x y", "in sub/tests/test_shop.py:test_fail"]
    assert of("test_xpass") == ["[XPASS(strict)]"]
    assert of("test_equal")[:2] == ["AssertionError", "Lists differ: [#] != [#]"]
    assert of("doc.add") == ["DocTestFailure", "at add(1, 2)", "in doc.py"]


def test_the_exception_need_not_be_known(plain: dict[str, list[str]]) -> None:
    for name, (_, known, guessed) in plain.items():
        if not name.endswith("test_lookup"):  # the text does not name FixtureLookupError
            assert known == guessed
