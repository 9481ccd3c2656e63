"""Tables fit into the width of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.reports.escape import cells
from flakefighters.reports.page import Column, Span, Table, painted, plain
from flakefighters.reports.widths import Narrow, layout

COLUMNS = (
    Column("RUN"),
    Column("STARTED", least=8),
    Column("TOOK", right=True, leave=1),
    Column("BRANCH", least=6, leave=2),
    Column("NOTES", least=5),
)
ROW = ("f26c", "12 minutes ago", "3.2 s", "feature/a-long-name", "interrupted")


def table(narrow: Narrow) -> Table:
    cells = [Span(text) for text in ROW]
    cells[1] = Span(ROW[1], short="12 min ago")
    return Table(COLUMNS, (tuple(cells),), narrow=narrow)


def test_what_fits_is_left_alone() -> None:
    wide = plain([table("cut")], "terminal")
    assert plain([table("cut")], "terminal", 66) == wide
    assert "12 minutes ago" in wide


def test_short_forms_come_first_then_cuts_then_columns_go() -> None:
    def shown(width: int) -> list[str]:
        return plain([table("cut")], "terminal", width).splitlines()[1].split("  ")

    assert "12 min ago" in shown(60)
    assert "feature/a-long-name" in shown(60)
    assert "inter..." in shown(54)
    assert shown(30)[-1] == "in..."
    assert "3.2 s" not in plain([table("cut")], "terminal", 30)
    assert "feat" not in plain([table("cut")], "terminal", 22)
    assert "f26c" in plain([table("cut")], "terminal", 3)


def test_the_last_column_below() -> None:
    assert plain([table("below")], "terminal", 50).splitlines()[-1] == "    interrupted"


def test_sentences_are_broken_between_words() -> None:
    reason = "ran tax() in shop/tax.py, changed since it last passed (a1b2c3d)"
    page = [Table((Column("RUN"), Column("WHY")), ((Span("f26c"), Span(reason)),), narrow="wrap")]
    lines = plain(page, "terminal", 40).splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert " ".join(" ".join(lines[1:]).split()) == f"f26c {reason}"
    assert lines[2].startswith("      ")


def test_a_row_in_lines_of_its_own_loses_nothing() -> None:
    lines = plain([table("stack")], "terminal", 30).splitlines()
    assert lines[0] == "f26c"
    assert lines[1].split("  ")[2:] == ["started", "12 min ago"]
    assert len(lines) == 5


def test_columns_with_nothing_in_them_go_first() -> None:
    page = Table(
        (Column("A"), Column("LONG TITLE"), Column("B")), ((Span("a"), Span(""), Span("b")),)
    )
    assert plain([page], "terminal", 10) == "A  B\na  b\n"


def test_a_table_without_titles_has_no_first_line() -> None:
    page = Table((Column(""), Column("")), ((Span("run"), Span("f26c")),))
    assert plain([page], "terminal") == "run  f26c\n"


def test_colours_end_where_they_begin() -> None:
    page = Table((Column("A"), Column("B")), ((Span("x", "bad"), Span("", "good")),))
    assert painted([page], "terminal") == "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[31mx\x1b[0m\n"


@given(
    texts=st.lists(st.tuples(*[st.text("ab 日", max_size=30)] * 3), min_size=1, max_size=4),
    width=st.integers(1, 120),
    narrow=st.sampled_from(["cut", "below", "wrap", "stack"]),
)
def test_any_texts_fit_as_far_as_they_may(
    texts: list[tuple[str, str, str]], width: int, narrow: Narrow
) -> None:
    rows = [[(text, None) for text in row] for row in [("ONE", "TWO", "THREE"), *texts]]
    specs = [
        Column("", least=4),
        Column("", right=True, least=4, leave=1),
        Column("", least=5),
    ]
    lines = list(layout(rows, specs, width, narrow))
    assert {number for number, _ in lines} >= set(range(1, len(rows)))
    if narrow == "cut" and width >= 11:
        assert all(cells("".join(text for text, _ in line)) <= width for _, line in lines)


@pytest.mark.parametrize("width", [60, 80])
def test_the_list_of_runs_fits(width: int) -> None:
    from flakefighters.reports.lists import runs_table
    from tests.reports.made import summaries

    for projects in (False, True):
        text = plain([runs_table(summaries(), 10**15, projects=projects)], "terminal", width)
        for line in text.splitlines():
            assert cells(line) <= width, line
        assert "interrupted" in text


@pytest.mark.parametrize("width", [60, 70, 80])
def test_verdicts_are_cut_only_where_nothing_can_be_left_out(width: int) -> None:
    from dataclasses import replace

    from flakefighters.model import Label
    from flakefighters.reports.lists import runs_table
    from tests.reports.made import summaries

    labels = {Label.FLAKY: 1, Label.GENUINE: 2, Label.UNDECIDED: 3}
    rows = [replace(row, labels=labels) for row in summaries()]
    text = plain([runs_table(rows, 10**15)], "terminal", width)
    assert "1 flaky, 2 genu" in text
    whole = "1 flaky, 2 genuine, 3 undecided" in text
    assert whole or not {"BRANCH", "TOOK", "COMMIT", "TESTS"} & set(text.split())


@pytest.mark.parametrize("width", [60, 70, 80])
def test_the_list_of_tests_fits(width: int) -> None:
    from flakefighters.model import Outcome
    from flakefighters.model.rows import Flakiness, TestRow
    from flakefighters.reports.lists import tests_table

    row = TestRow(
        nodeid="tests/test_pay.py::test_retry",
        runs=500,
        passes=360,
        failures=100,
        flips=140,
        mixed=40,
        last=Outcome.MIXED,
        last_run="1" * 32,
        last_failure=10**15 - 59 * 60_000_000,
        flaky=100,
        genuine=20,
        undecided=20,
        flakiness=Flakiness(0.2712, 0.2499, 0.3149, 140, 500),
    )
    for line in plain([tests_table([row], 10**15)], "terminal", width).splitlines():
        assert cells(line) <= width, line
    text = plain([tests_table([row], 10**15)], "terminal", width)
    assert "27%" in text
    assert row.nodeid in text
