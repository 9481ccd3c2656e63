"""Pages as text."""

from __future__ import annotations

from flakefighters.reports.page import Column, Line, Span, Table, line, lines, plain

TABLE = Table(
    (Column("NAME"), Column("SIZE", right=True), Column("WHERE")),
    (
        (Span("a"), Span("5"), Span("tests/a.py")),
        (Span("日本", "bad"), Span("12345"), Span("")),
    ),
)


def test_columns_stand_under_each_other() -> None:
    assert plain([TABLE], "terminal").splitlines() == [
        "NAME   SIZE  WHERE",
        "a         5  tests/a.py",
        "日本  12345",
    ]


def test_nothing_is_cut_off() -> None:
    long = "x" * 5000
    table = Table((Column("A"), Column("B")), ((Span(long), Span(long)),))
    assert plain([table], "terminal").count("x") == 10000


def test_lines_and_empty_lines() -> None:
    assert plain([line("a ", Span("b", "bad")), Line(), line("c")], "terminal") == "a b\n\nc\n"
    assert plain([], "terminal") == ""


def test_whatever_is_in_a_page_is_escaped() -> None:
    table = Table((Column("A"),), ((Span("\x1b[2J\n"),),))
    text = plain([table, line("\x07", Span("\u202e"))], "terminal")
    assert text == "A\n\\x1b[2J\\n\n\\x07\\u202e\n"


def test_a_line_is_no_command_of_a_ci_service() -> None:
    page = [line("    ", "::error::x"), line("::error::x"), line("##vso[task.complete]")]
    for text in plain(page, "ci").splitlines():
        assert not text.lstrip().startswith("::")
        assert "##vso[" not in text


def test_tones_survive() -> None:
    spans = [span for spans in lines([TABLE], "terminal") for span in spans]
    assert Span("日本", "bad") in spans
    assert Span("NAME", "strong") in spans
