"""How a table fits into the width of a terminal.  Texts only: nothing here knows of colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from flakefighters.reports.escape import cells, shorten

__all__ = ["Column", "Narrow", "Piece", "layout"]

#: What becomes of a table that is too wide.  The last column is cut like any other ("cut"), stands
#: on a line of its own ("below"), or is broken between words ("wrap"); "stack" puts every cell on
#: a line of its own.
Narrow = Literal["cut", "below", "wrap", "stack"]

#: A piece of a line: its text, and the column that it belongs to; -1 for blanks and titles.
Piece = tuple[str, int]
#: The number of the row, and a line of it.
Placed = tuple[int, list[Piece]]

_GAP: Final = 2
_INDENT: Final = 4
#: Less than this is no width to break sentences to.
_READABLE: Final = 30


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column, and what becomes of it where there is too little room."""

    title: str
    #: Numbers stand to the right.
    right: bool = False
    #: It is cut to this many cells; 0: never.
    least: int = 0
    #: Columns are left out, those with the lowest number first; 0: never.
    leave: int = 0
    #: It is cut only where no more columns can be left out.
    dear: bool = False


Row = Sequence[tuple[str, str | None]]


def layout(
    rows: Sequence[Row], columns: Sequence[Column], width: int | None, narrow: Narrow
) -> Iterator[Placed]:
    """Lines for rows of (text, its short form), the first row being the titles.

    ``width`` is in cells; None is all the room that the table wants.
    """
    texts = _texts(rows, short=False)
    kept = list(range(len(columns)))
    widths = _widths(texts, kept)
    if width is None or _total(widths) <= width:
        return _grid(texts, columns, widths)
    texts = _texts(rows, short=True)
    kept = [at for at in kept if any(row[at] for row in texts[1:])] or kept
    widths = _widths(texts, kept)
    if _total(widths) <= width:
        return _grid(texts, columns, widths)
    if narrow == "cut":
        return _grid(texts, columns, _squeezed(widths, columns, width))
    if narrow == "stack":
        return _stacked(texts, kept, width)
    last, _ = widths.popitem()
    if narrow == "wrap":
        # What is left beside sentences that can be read.
        left = width - _GAP - _READABLE
        squeezed = _squeezed(widths, columns, left)
        if _total(squeezed) <= left:
            return _wrapped(texts, columns, squeezed, last, width)
    return _below(texts, columns, _squeezed(widths, columns, width), last, width, narrow)


def _texts(rows: Sequence[Row], *, short: bool) -> list[list[str]]:
    return [[form if short and form is not None else text for text, form in row] for row in rows]


def _widths(texts: Sequence[Sequence[str]], kept: Sequence[int]) -> dict[int, int]:
    return {at: max(cells(row[at]) for row in texts) for at in kept}


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def _squeezed(widths: dict[int, int], columns: Sequence[Column], width: int) -> dict[int, int]:
    """The columns that are kept, cut and left out as they allow, with their widths."""
    kept = dict(widths)
    while True:
        found = dict(kept)
        leaving = [at for at in kept if columns[at].leave]
        for at in reversed(list(found)):
            over = _total(found) - width
            if over > 0 and columns[at].least and not (leaving and columns[at].dear):
                found[at] = max(min(found[at], columns[at].least), found[at] - over)
        if _total(found) <= width or not leaving:
            return found
        del kept[min(leaving, key=lambda at: columns[at].leave)]


def _grid(
    texts: Sequence[Sequence[str]], columns: Sequence[Column], widths: dict[int, int]
) -> Iterator[Placed]:
    for number, row in enumerate(texts):
        yield number, list(_padded(row, columns, widths))


def _padded(
    row: Sequence[str], columns: Sequence[Column], widths: dict[int, int]
) -> Iterator[Piece]:
    for place, (at, wide) in enumerate(widths.items()):
        text = shorten(row[at], wide)
        space = " " * (wide - cells(text))
        gap = " " * _GAP if place else ""
        if columns[at].right:
            yield from [(gap + space, -1), (text, at)]
        else:
            yield from [(gap, -1), (text, at), (space, -1)]


def _wrapped(
    texts: Sequence[Sequence[str]],
    columns: Sequence[Column],
    widths: dict[int, int],
    last: int,
    width: int,
) -> Iterator[Placed]:
    start = _total(widths) + _GAP
    for number, row in enumerate(texts):
        first, *more = _folded(row[last], width - start) or [""]
        yield number, [*_padded(row, columns, widths), (" " * _GAP, -1), (first, last)]
        for piece in more:
            yield number, [(" " * start, -1), (piece, last)]


def _below(
    texts: Sequence[Sequence[str]],
    columns: Sequence[Column],
    widths: dict[int, int],
    last: int,
    width: int,
    narrow: Narrow,
) -> Iterator[Placed]:
    for number, row in enumerate(texts):
        yield number, list(_padded(row, columns, widths))
        words = _folded(row[last], width - _INDENT) if narrow == "wrap" else [row[last]]
        for piece in words:
            if piece:
                yield number, [(" " * _INDENT, -1), (piece, last)]


def _stacked(texts: Sequence[Sequence[str]], kept: Sequence[int], width: int) -> Iterator[Placed]:
    titles, *rows = texts
    named = max((cells(titles[at]) for at in kept[1:]), default=0) + _GAP
    for number, row in enumerate(rows, 1):
        named_by = next((at for at in kept if titles[at]), kept[0])
        head = [at for at in kept if at <= named_by]
        others = [at for at in kept if at > named_by and row[at]]
        yield number, [piece for at in head if row[at] for piece in ((row[at], at), (" ", -1))]
        for at in others:
            name = titles[at].lower()
            for piece in _folded(row[at], max(_READABLE, width - _INDENT - named)):
                left = " " * _INDENT + name + " " * (named - cells(name))
                yield number, [(left, -1), (piece, at)]
                name = ""


def _folded(text: str, width: int) -> list[str]:
    """A text in lines of at most ``width`` cells, broken between words; long words stay whole."""
    found: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cells(longer) > width:
            found.append(line)
            line = word
        else:
            line = longer
    return [*found, line] if line else found
