"""The key of a failure: the same on another machine, another one with other operands."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.capture.normalise import normalised
from flakefighters.capture.signature import signature
from flakefighters.measures.tracebacks import key, masked

LONG = """\
    def test_cmp():
        a = 1
>       assert total() == 100
E       assert 99 == 100
E        +  where 99 = total()

tests/test_t.py:5: AssertionError"""
SHORT = """\
tests/test_t.py:5: in test_cmp
    assert total() == 100
E   assert 99 == 100
E    +  where 99 = total()"""
NATIVE = """\
Traceback (most recent call last):
  File "<site>/_pytest/runner.py", line 361, in from_call
    result: TResult | None = func()
                             ~~~~^^
  File "tests/test_t.py", line 5, in test_cmp
    assert total() == 100
AssertionError: assert 99 == 100
 +  where 99 = total()"""
LINE = """\
E   assert 99 == 100
     +  where 99 = total()"""
_REST = "5c0f-4c50-a3a1-0242ac12000"
CHAINED = """\
shop/tax.py:4: in vat
    return {"a": 1}[x]
           ^^^^^^^^^^^
E   KeyError: 'b'

The above exception was the direct cause of the following exception:
tests/test_t.py:9: in test_vat
    vat("b")
shop/tax.py:6: in vat
    raise ValueError(
E   ValueError: no rate for 'b'"""
CHAINED_NATIVE = """\
Traceback (most recent call last):
  File "shop/tax.py", line 4, in vat
    return {"a": 1}[x]
           ~~~~~~~~^^^
KeyError: 'b'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "<site>/_pytest/runner.py", line 361, in from_call
    result = func()
  File "shop/tax.py", line 6, in vat
    raise ValueError(
        "no rate for %r" % x
    ) from e
ValueError: no rate for 'b'"""


@pytest.mark.parametrize("text", [LONG, SHORT, NATIVE, LINE])
def test_the_style_of_tracebacks_does_not_matter(text: str) -> None:
    assert key(text, "s") == "s\n\nassert 99 == 100\n +  where 99 = total()"


@pytest.mark.parametrize("text", [CHAINED, CHAINED_NATIVE])
def test_causes_are_part_of_it(text: str) -> None:
    assert key(text, "s") == "s\n\nKeyError: 'b'\n\nValueError: no rate for 'b'"


def test_other_operands_are_another_failure() -> None:
    assert key(LONG, "s") != key(LONG.replace("99", "90"), "s")
    long = "E       assert [0, ...] == [0, ...]\nE         \nE         At index 29 diff: 29 != {}"
    assert key(long.format(7), "s") != key(long.format(8), "s")


@pytest.mark.parametrize(
    "operand", ["'10:30:00'", "'2026-01-02'", "'id 5'", "0x1f2e", "'localhost:4711'", "'3.5 s'"]
)
def test_operands_are_never_masked(operand: str) -> None:
    for text in (f"E       assert {operand} == None", f"E   AssertionError: {operand} != None"):
        assert operand in key(text, "s")


def test_words_before_an_assertion_are_a_message() -> None:
    text = "E   AssertionError: no answer after {} s\nE   assert {}"
    one = key(text.format("1.5", False), "s")
    assert one == key(text.format("2.5", False), "s")
    assert one != key(text.format("1.5", None), "s")


def test_hints_of_pytest_are_no_part() -> None:
    more = LONG.replace("total()\n\n", "total()\nE         \nE         Use -v to get more diff\n\n")
    assert more != LONG
    assert key(more, "s") == key(LONG, "s")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("object at 0x7f11deadbeef is gone", "object at 0x55aa00112233 is gone"),
        (f"no row 6ad2f7b0-{_REST}2", f"no row 11111111-{_REST}1"),
        ("commit 9826683fa1 is unknown", "commit a1b2c3d4e5 is unknown"),
        ("order id 17 is locked", "order id 9 is locked"),
        ("{'order_id': 17}", "{'order_id': 200}"),
        ("process 411 died", "process 9 died"),
        ("db.example.org:5432 refused", "db.example.org:5433 refused"),
        ("port 8080 is in use", "port 41231 is in use"),
        ("('10.0.0.1', 4711)", "('10.0.0.1', 52000)"),
        ("timed out after 3.21 s", "timed out after 14.0 s"),
        ("took 20ms", "took 3ms"),
        ("at 2026-01-02 03:04:05.678", "at 2027-11-12T13:14:15Z"),
        ("since 12:30:00", "since 09:05:59.123"),
        ("stamp 1767225600.25", "stamp 1767225999.5"),
        ("no file '/tmp/abc12/out7.csv'", "no file '/tmp/xyz9/out8.csv'"),
        ("no file <tmp>/test_a0/out.csv", "no file <tmp>/test_a12/out.csv"),
        (r"no file C:\Users\me\Local\Temp\a1\x.csv", r"no file D:\you\Local\Temp\b\x.csv"),
        ("worker 'gw0' crashed", "worker 'gw11' crashed"),
        ("bad token (conf.py, line 3)", "bad token (conf.py, line 44)"),
    ],
)  # fmt: skip
def test_what_differs_from_run_to_run_is_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other) != one
    assert key(f"E   ValueError: {one}", "s") == key(f"E   ValueError: {other}", "s")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no rate for 'b'", "no rate for 'c'"),
        ("expected 3 rows, got 4", "expected 3 rows, got 5"),
        ("line 1 column 2", "line 1 column 3"),
        ("status 404", "status 500"),
        ("no file '/tmp/a/out.csv'", "no file '/tmp/a/in.csv'"),
        ("no file 'shop/a.py'", "no file 'shop/b.py'"),
    ],
)
def test_the_rest_is_not(one: str, other: str) -> None:
    assert key(f"E   ValueError: {one}", "s") != key(f"E   ValueError: {other}", "s")


def test_a_text_without_a_traceback_counts_whole() -> None:
    example = "{} >>> f()\nExpected:\n    1\nGot:\n    {}\n\nshop/a.py:{}: DocTestFailure"
    assert key(example.format("012", 2, 12), "s") == key(example.format("014", 2, 14), "s")
    assert key(example.format("012", 2, 12), "s") != key(example.format("012", 3, 12), "s")
    assert key("worker 'gw0' crashed", "s") == key("worker 'gw3' crashed", "s")


def test_groups_show_their_members() -> None:
    group = """\
  + Exception Group Traceback (most recent call last):
  |   File "tests/test_t.py", line 5, in test_g
  |     raise ExceptionGroup("two", [ValueError(1)])
  | ExceptionGroup: two (1 sub-exception)
  +-+---------------- 1 ----------------
    | ValueError: {}
    +------------------------------------"""
    assert key(group.format(1), "s") == key(group.format(1).replace("line 5", "line 7"), "s")
    assert key(group.format(1), "s") != key(group.format(2), "s")


_MESSAGES = st.text(string.ascii_letters + string.digits + " :.,-_/'\"()[]#=<>\\", max_size=80)
_PARTS = st.sampled_from(
    ["0x7f00aa11", "12:30:00", "2026-01-02", "port 80", ":8080", "3.5 s", "/tmp/a1/b2.txt", "id=5",
     "gw3", "<tmp>/x0", "1767225600.5", "deadbeef01", "<id>", "<port>", "#", "C:\\Temp\\a"]
)  # fmt: skip
_LINES = st.lists(_MESSAGES | _PARTS, max_size=6).map(" ".join)


@given(_LINES)
def test_masking_twice_is_masking_once(line: str) -> None:
    once = masked(line)
    assert masked(once) == once


def _text(
    base: str, site: str, line: int, worker: int, message: str, left: int, *, chained: bool
) -> str:
    """A failure as pytest shows it in the short style, on some machine."""
    cause = f"E   KeyError: {left}\n\nDuring handling of the above exception, another:\n"
    return (
        f"[gw{worker}] linux -- Python 3.13.1 {base}/.venv/bin/python\n"
        f"{base}/tests/test_t.py:{line}: in test_cmp\n    total()\n"
        f"{site}/site-packages/lib/core.py:{line + 9}: in call\n    run()\n"
        f"{base}/shop/tax.py:{line + 3}: in total\n    check({left})\n"
        f"{cause if chained else ''}"
        f"E   AssertionError: {message}\nE   assert {left} == 100"
    )


@given(
    st.sampled_from(["/home/ann/shop", "/builds/7/shop", "/Users/bob/shop", "C:/src/shop"]),
    st.sampled_from(["/usr/lib/python3/dist", "/home/x/.venv/lib/python3.12", "/opt/py"]),
    st.integers(1, 9999),
    st.integers(0, 99),
    st.integers(0, 50),
    st.booleans(),
)
def test_machines_folders_lines_and_workers_do_not_matter(
    base: str, site: str, line: int, worker: int, left: int, chained: bool
) -> None:
    def of(base: str, site: str, line: int, worker: int, left: int) -> str:
        text = _text(base, site, line, worker, "no total", left, chained=chained)
        frames = [
            ("tests/test_t.py", "test_cmp"),
            ("<site>/lib/core.py", "call"),
            ("shop/tax.py", "total"),
        ]
        made = signature("AssertionError", f"no total\nassert {left} == 100", frames)
        return key(normalised(text, base), made)

    here = of(base, site, line, worker, left)
    assert here == of("/srv/shop", "/x/lib", 5, 1, left)
    assert here != of(base, site, line, worker, left + 1)


@given(_LINES, _LINES)
def test_other_operands_of_an_assertion_never_match(one: str, other: str) -> None:
    def of(operand: str) -> str:
        return key(f"E       assert {operand!r} == 1", "s")

    assert (of(one) == of(other)) is (one == other)


@pytest.mark.parametrize(
    "part",
    ["E   ", "E   0x", "12:", "1", "/tmp", "<tmp>/", "C:/a/", "a1", "0", "id ", "|+", "+ ", ":80",
     "Traceback (most recent call last)\n", '  File "a"\n', "- ", "\n", "E\n", "deadbeef", "2026-",
     "'1', ", "assert ", "AssertionError", "x.", "/private/var/folders/"],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", "E   ValueError: "])
def test_long_hostile_texts_take_linear_time(part: str, head: str) -> None:
    text = head + part * (64_000 // len(part))
    began = time.process_time()
    key(text, "s")
    assert time.process_time() - began < 2.0
