"""A page: what a command shows, before it is known to whom.

A page is a list of blocks: lines, and tables.  :func:`plain` makes it text for a pipe or a file,
:func:`painted` for a terminal.  Every text goes through
:func:`~flakefighters.reports.escape.escape` there, so what comes from a history cannot steer a
terminal, whoever built the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from flakefighters.reports.escape import escape
from flakefighters.reports.widths import Column, Narrow, layout

__all__ = ["Block", "Column", "Line", "Span", "Table", "Tone"]
__all__ += ["line", "lines", "paint", "painted", "plain"]

#: What a piece of text is to the reader; a terminal gives it a colour.
Tone = Literal["", "good", "bad", "doubt", "open", "faint", "strong"]
#: The parameter of the terminal's sequence for each (ECMA-48, select graphic rendition).
_COLOURS: Final[Mapping[Tone, str]] = {
    "good": "32",
    "bad": "31",
    "doubt": "33",
    "open": "36",
    "faint": "2",
    "strong": "1",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    tone: Tone = ""
    #: What stands in a table that would be too wide otherwise.
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their columns; a missing value is an empty text."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Span, ...], ...]
    #: What becomes of it where there is too little room.
    narrow: Narrow = "below"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its spans follow one another without a space."""

    spans: tuple[Span, ...] = ()


Block = Line | Table


def line(*parts: Span | str) -> Line:
    """A line of spans and of texts without a tone."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in parts))


def lines(
    page: Iterable[Block], where: str, width: int | None = None
) -> Iterator[tuple[Span, ...]]:
    """The page's lines, escaped for ``where`` ("terminal" or "ci"), with padded cells.

    Tables fit into ``width`` cells as far as they can; None is all the room that they want.  Other
    lines are left to the terminal to break.
    """
    for block in page:
        if isinstance(block, Table):
            yield from _table(block, where, width)
        else:
            yield tuple(Span(escape(span.text, where), span.tone) for span in block.spans)


def plain(page: Iterable[Block], where: str, width: int | None = None) -> str:
    """The page as text for a pipe or a file."""
    return "".join(
        "".join(span.text for span in spans).rstrip() + "\n" for spans in lines(page, where, width)
    )


def painted(page: Iterable[Block], where: str, width: int | None = None) -> str:
    """The page as text with colours."""
    return "".join(
        "".join(paint(span.text, span.tone) for span in _trimmed(spans)) + "\n"
        for spans in lines(page, where, width)
    )


def paint(text: str, tone: Tone) -> str:
    """A text in the colour of its tone."""
    code = _COLOURS.get(tone)
    return f"\x1b[{code}m{text}\x1b[0m" if code and text else text


def _trimmed(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Without blanks at the end."""
    while spans and not spans[-1].text.rstrip():
        spans = spans[:-1]
    return (*spans[:-1], Span(spans[-1].text.rstrip(), spans[-1].tone)) if spans else ()


def _table(table: Table, where: str, width: int | None) -> Iterator[tuple[Span, ...]]:
    titles = tuple(Span(column.title, "strong") for column in table.columns)
    rows = [titles, *table.rows]
    texts = [
        [
            (escape(cell.text, where), None if cell.short is None else escape(cell.short, where))
            for cell in row
        ]
        for row in rows
    ]
    for number, pieces in layout(texts, table.columns, width, table.narrow):
        if number == 0 and not any(column.title for column in table.columns):
            continue
        tones = rows[number]
        yield tuple(Span(text, tones[at].tone if at >= 0 else "") for text, at in pieces)
