"""What sets failing attempts at a test apart: the table, the record, the rows for spreadsheets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from flakefighters.model.spectra import Localised, Suspect
from flakefighters.reports.escape import escape
from flakefighters.reports.page import Block, Column, Span, Table, line, plain
from flakefighters.reports.records import Record
from flakefighters.reports.report_csv import table
from flakefighters.words import count

__all__ = ["localised_csv", "localised_page", "localised_record", "session_lines"]

#: Rows of a test on pytest's terminal.
_FEW: Final = 5


def session_lines(
    found: Sequence[Localised], pytests: Callable[[str], str], where: str
) -> Iterator[str]:
    """For pytest's terminal: for each test the first lines that failing attempts ran more often."""
    for one in found:
        shown = one._replace(nodeid=pytests(one.nodeid))
        if not any(map(_tells, one.lines)):
            text = f"{shown.nodeid}: {_tried(one)}, and no line sets the failing ones apart"
            yield escape(text, where)
            continue
        title, *rows = plain(localised_page(shown, most=_FEW, telling=True), where).splitlines()
        yield title
        yield from (f"  {row}" for row in rows)


def _tells(suspect: Suspect) -> bool:
    """Whether failing attempts ran it more often than passing ones."""
    (ef, ep), (nf, np) = suspect.ran, suspect.spared
    return ef * (ep + np) > ep * (ef + nf)


def _tried(found: Localised) -> str:
    attempts = count(found.failed + found.passed, "attempt")
    return f"{found.failed} of {attempts} failed"


def localised_page(
    found: Localised,
    *,
    functions: bool = False,
    most: int | None = None,
    telling: bool = False,
) -> list[Block]:
    """A title, and a table of lines or functions; lines that go together are one row.

    ``telling``: only what failing attempts ran more often than passing ones.
    """
    rows = [(one, one.line) for one in found.functions] if functions else _together(found.lines)
    rows = [row for row in rows if not telling or _tells(row[0])]
    columns = (
        Column("RANK", right=True),
        Column("SCORE", right=True),
        Column("FAILED", right=True),
        Column("PASSED", right=True),
        Column("FUNCTION AT" if functions else "LINE"),
        Column("FUNCTION", leave=1),
    )
    body = tuple(_row(one, last) for one, last in rows[:most])
    unit = "functions" if functions else "lines"
    title = f"{found.nodeid}: {_tried(found)}; {unit} that set these apart, by {found.metric}"
    return [line(title), Table(columns, body)]


def _row(one: Suspect, last: int) -> tuple[Span, ...]:
    place = f"{one.path}:{one.line}" + (f"-{last}" if last != one.line else "")
    return (
        Span(str(one.rank)),
        Span(f"{one.score:.2f}"),
        Span(f"{one.ran.failed} of {one.ran.failed + one.spared.failed}", "bad"),
        Span(f"{one.ran.passed} of {one.ran.passed + one.spared.passed}", "good"),
        Span(place, "strong"),
        Span(one.function),
    )


def _together(suspects: Sequence[Suspect]) -> list[tuple[Suspect, int]]:
    """Lines of one function that follow one another and ran alike: the first, and the last line.

    What follows a line is the next one that ran at all: comments and the like stand between.
    """
    lines: dict[str, list[int]] = {}
    for one in suspects:
        lines.setdefault(one.path, []).append(one.line)
    following = {
        (path, here): there
        for path, numbers in lines.items()
        for here, there in zip(sorted(numbers), sorted(numbers)[1:], strict=False)
    }
    rows: list[tuple[Suspect, int]] = []
    for one in suspects:
        if rows:
            first, last = rows[-1]
            alike = one._replace(line=first.line) == first
            if alike and following.get((first.path, last)) == one.line:
                rows[-1] = (first, one.line)
                continue
        rows.append((one, one.line))
    return rows


def localised_record(found: Localised, units: Sequence[str] = ("lines", "functions")) -> Record:
    """What programs are told; an infinite score is null."""
    return {
        "nodeid": found.nodeid,
        "metric": found.metric,
        "runs": list(found.runs),
        "failed": found.failed,
        "passed": found.passed,
        **{unit: [_suspect(one) for one in getattr(found, unit)] for unit in units},
    }


def _suspect(one: Suspect) -> Record:
    return {
        "rank": one.rank,
        "score": one.score if math.isfinite(one.score) else None,
        "path": one.path,
        "line": one.line,
        "function": one.function,
        "failed": one.ran.failed,
        "passed": one.ran.passed,
        "failed_without": one.spared.failed,
        "passed_without": one.spared.passed,
    }


def localised_csv(suspects: Sequence[Suspect]) -> str:
    """The same as rows; an infinite score is "inf"."""
    head = ("rank", "score", "path", "line", "function")
    return table(
        [*head, "failed", "passed", "failed_without", "passed_without"],
        (
            [one.rank, one.score, one.path, one.line, one.function, *one.ran, *one.spared]
            for one in suspects
        ),
    )
