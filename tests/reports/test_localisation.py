"""What sets failing attempts apart, as people and programs read it."""

from __future__ import annotations

import math

from flakefighters.model.spectra import Localised, Ran, Suspect
from flakefighters.reports.localisation import (
    localised_csv,
    localised_page,
    localised_record,
    session_lines,
)
from flakefighters.reports.page import plain

FAILING = Ran(2, 0)


def suspect(
    line: int, rank: int = 1, score: float = 1.0, ran: Ran = FAILING, path: str = "shop.py"
) -> Suspect:
    spared = Ran(2 - ran.failed, 1 - ran.passed)
    return Suspect(path, line, "tax", ran, spared, score, rank)


def localised(*lines: Suspect, nodeid: str = "t.py::a") -> Localised:
    return Localised(nodeid, "ochiai", 2, 1, lines, lines[:1], ("51be",))


def table(found: Localised, **how: object) -> list[list[str]]:
    page = plain(localised_page(found, **how), "terminal")  # type: ignore[arg-type]
    return [line.split() for line in page.splitlines()[2:]]


def test_lines_that_go_together_are_one_row() -> None:
    both = Ran(2, 1)
    found = localised(
        *(suspect(line) for line in (4, 5, 8)), *(suspect(line, 4, 0.8, both) for line in (2, 7))
    )
    # 6 is a comment; 7 ran, and stands between 5 and 8.
    assert [row[-2] for row in table(found)] == [
        "shop.py:4-5",
        "shop.py:8",
        "shop.py:2",
        "shop.py:7",
    ]
    assert [row[-2] for row in table(found, most=1)] == ["shop.py:4-5"]
    assert [row[-2] for row in table(found, functions=True)] == ["shop.py:4"]


def test_pytest_shows_what_failing_attempts_ran_more_often() -> None:
    alike = suspect(2, 2, 0.8, Ran(2, 1))
    title, _, *rows = session_lines([localised(suspect(4), alike)], str, "terminal")
    assert title == "t.py::a: 2 of 3 attempts failed; lines that set these apart, by ochiai"
    assert [row.split() for row in rows] == [
        ["1", "1.00", "2", "of", "2", "0", "of", "1", "shop.py:4", "tax"],
    ]
    (none,) = session_lines([localised(alike)], str, "terminal")
    assert none == "t.py::a: 2 of 3 attempts failed, and no line sets the failing ones apart"


def test_foreign_text_is_escaped() -> None:
    bad = localised(suspect(4, path="\x1b[31m.py"), nodeid="t.py::\x1b[2J")
    shown = "".join(
        [*session_lines([bad], str, "terminal"), plain(localised_page(bad), "terminal")]
    )
    assert "\x1b" not in shown
    assert "\\x1b[31m.py:4" in shown


def test_rows_for_spreadsheets() -> None:
    infinite = suspect(4, score=math.inf, path="=HYPERLINK(1,2).py")
    assert localised_csv([infinite]).splitlines() == [
        "rank,score,path,line,function,failed,passed,failed_without,passed_without",
        '1,inf,"\'=HYPERLINK(1,2).py",4,tax,2,0,0,1',
    ]


def test_the_record() -> None:
    record = localised_record(localised(suspect(4, score=math.inf)), ["lines"])
    assert record == {
        "nodeid": "t.py::a",
        "metric": "ochiai",
        "runs": ["51be"],
        "failed": 2,
        "passed": 1,
        "lines": [
            {
                "rank": 1,
                "score": None,
                "path": "shop.py",
                "line": 4,
                "function": "tax",
                "failed": 2,
                "passed": 0,
                "failed_without": 0,
                "passed_without": 1,
            }
        ],
    }
