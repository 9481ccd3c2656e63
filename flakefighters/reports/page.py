"""A page: what a command shows, before it is known to whom.

A page is a list of blocks: lines, and tables.  :func:`plain` makes it text for a pipe or a file;
a terminal may render the same :func:`lines` in colour.  Every text goes through
:func:`~flakefighters.reports.escape.escape` there, so what comes from a history cannot steer a
terminal, whoever built the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from flakefighters.reports.escape import cells, escape

__all__ = ["Block", "Column", "Line", "Span", "Table", "Tone", "line", "lines", "plain"]

#: What a piece of text is to the reader; a terminal gives it a colour.
Tone = Literal["", "good", "bad", "doubt", "open", "faint", "strong"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column."""

    title: str
    #: Numbers stand to the right.
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their columns; a missing value is an empty text."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its spans follow one another without a space."""

    spans: tuple[Span, ...] = ()


Block = Line | Table


def line(*parts: Span | str) -> Line:
    """A line of spans and of texts without a tone."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in parts))


def lines(page: Iterable[Block], where: str) -> Iterator[tuple[Span, ...]]:
    """The page's lines, escaped for ``where`` ("terminal" or "ci"), with padded cells.

    Nothing is cut off: a narrow terminal breaks a long line, so what is long stands last.
    """
    for block in page:
        if isinstance(block, Table):
            yield from _table(block, where)
        else:
            yield tuple(Span(escape(span.text, where), span.tone) for span in block.spans)


def plain(page: Iterable[Block], where: str) -> str:
    """The page as text for a pipe or a file."""
    return "".join(
        "".join(span.text for span in spans).rstrip() + "\n" for spans in lines(page, where)
    )


def _table(table: Table, where: str) -> Iterator[tuple[Span, ...]]:
    rows = [tuple(Span(column.title, "strong") for column in table.columns)]
    rows += [tuple(Span(escape(cell.text, where), cell.tone) for cell in row) for row in table.rows]
    widths = [max(cells(row[at].text) for row in rows) for at in range(len(table.columns))]
    widths[-1:] = [0]  # nothing stands after the last column
    for row in rows:
        spans: list[Span] = []
        for cell, column, wanted in zip(row, table.columns, widths, strict=True):
            space = Span(" " * (wanted - cells(cell.text)))
            spans += [space, cell] if column.right else [cell, space]
            spans.append(Span("  "))
        yield tuple(spans[:-1])
