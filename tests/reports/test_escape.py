"""Foreign text stays text wherever it is shown."""

from __future__ import annotations

import csv
import html
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.reports.escape import cells, escape, shorten

ANY = st.text() | st.text(
    st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn", "Lo"])
)
NASTY = st.lists(
    st.sampled_from(
        [":", "::", "#", "##", "[", "vso[", "VSO[", "teamcity[", "%", "0A", "25", " ", "\n"]
    )
).map("".join)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("tests/test_x.py::test_y[a-1]", "tests/test_x.py::test_y[a-1]"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\nb\r\tc\x00\x7f\x85\x9b", "a\\nb\\r\\tc\\x00\\x7f\\x85\\x9b"),
        ("user\u202egpj.exe\u2066", "user\\u202egpj.exe\\u2066"),
        ("a\u200bb\ufeffc\u00add\u2028e", "a\\u200bb\\ufeffc\\xadd\\u2028e"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("\u3164", "\\u3164"),
        ("café 日本語 🎉 e\u0301\u00a0ü", "café 日本語 🎉 e\u0301\u00a0ü"),
        (r"C:\new\table \d+", r"C:\new\table \d+"),
    ],
)
def test_terminal(raw: str, shown: str) -> None:
    assert escape(raw, "terminal") == shown


@given(ANY)
def test_nothing_hidden_reaches_a_terminal(text: str) -> None:
    shown = escape(text, "terminal")
    assert not any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in shown)
    assert len(shown.splitlines()) <= 1
    assert escape(shown, "terminal") == shown
    shown.encode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("::error::x", "\\x3a:error::x"),
        ("  ::set-env name=A::b", "  \\x3a:set-env name=A::b"),
        ("x\n::error::y", "x\\n::error::y"),
        ("##vso[task.setvariable]", "\\x23#vso[task.setvariable]"),
        ("x ##[error]y", "x \\x23#[error]y"),
        ("x ##TeamCity[a]", "x \\x23#TeamCity[a]"),
        ("###[x]", "#\\x23#[x]"),
        ("a%0A::error::b", "a%250A::error::b"),
        ("a%0d%3A%25", "a%250d%253A%2525"),
        ("100 % of 5%, # 1 ## 2", "100 % of 5%, # 1 ## 2"),
        ("tests/test_x.py::test_y", "tests/test_x.py::test_y"),
    ],
)
def test_ci(raw: str, shown: str) -> None:
    assert escape(raw, "ci") == shown


@given(ANY | NASTY)
def test_no_command_reaches_a_runner(text: str) -> None:
    shown = escape(text, "ci")
    assert len(shown.splitlines()) <= 1
    assert not shown.strip().startswith("::")
    for command in ("##[", "##vso[", "##teamcity["):
        assert command not in shown.lower()
    decoded = shown
    for code, plain in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):  # as the runner does it
        decoded = decoded.replace(code, plain).replace(code.lower(), plain)
    assert "\n" not in decoded
    assert "\r" not in decoded


@given(ANY)
def test_html(text: str) -> None:
    shown = escape(text, "html")
    assert not set(shown) & set("<>\"'")
    assert html.unescape(shown).replace("\n", "\\n").replace("\t", "\\t") == escape(
        text, "terminal"
    )


def test_html_keeps_lines() -> None:
    assert escape("a <b>\n\t&amp;\x1b", "html") == "a &lt;b&gt;\n\t&amp;amp;\\x1b"


@pytest.mark.parametrize(
    "raw", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|x", "%x", "\uff1d1", "\n=1"]
)
def test_csv_formula(raw: str) -> None:
    assert escape(raw, "csv").startswith("'")


@given(ANY)
def test_csv_is_one_cell(text: str) -> None:
    shown = escape(text, "csv")
    assert not shown.lstrip().startswith(tuple("=+-@\t\r"))
    file = io.StringIO()
    csv.writer(file).writerow([shown, "x"])
    assert next(iter(csv.reader([file.getvalue()]))) == [shown, "x"]


def test_ordinary_cells_stay() -> None:
    assert escape("tests/test_x.py::test_y, 1-2=3", "csv") == "tests/test_x.py::test_y, 1-2=3"


def test_an_unknown_place_is_refused() -> None:
    with pytest.raises(ValueError, match="'log'"):
        escape("x", "log")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "ab..."),
        ("abcdef", 2, ".."),
        ("abcdef", 0, ""),
        ("abcdef", -1, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日..."),
        ("日本語", 4, "..."),
        ("e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301" * 4),
        ("e\u0301xxxx", 4, "e\u0301..."),
    ],
)
def test_shorten(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown


@given(st.text(), st.integers(0, 30))
def test_shortened_text_fits(text: str, width: int) -> None:
    shown = shorten(escape(text, "terminal"), width)
    assert cells(shown) <= width
    assert shorten(shown, width) == shown
