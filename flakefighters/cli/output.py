"""Where a command's words go: data to stdout, talk to stderr, colour to terminals only."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import TextIO

from flakefighters.profiles.ci import detect
from flakefighters.reports.escape import escape
from flakefighters.reports.page import Block, Tone, paint, painted, plain
from flakefighters.reports.records import dumps

__all__ = ["ReaderGoneError", "in_colour", "say", "show", "show_json", "write"]


class ReaderGoneError(Exception):
    """Our stdout is closed: ``| head`` has seen enough.

    Not the OSError itself: Typer would end the command with 1 for that.
    """


def _where() -> str:
    """What reads our lines: a CI service takes some of them for commands."""
    return "terminal" if detect(os.environ) is None else "ci"


def in_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream wants colours; variables count in pytest's order."""
    if environ.get("PY_COLORS") in ("0", "1"):
        return environ["PY_COLORS"] == "1"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _width(stream: TextIO) -> int | None:
    """The cells of a line of a stream; None if it is no terminal, and no variable says."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return shutil.get_terminal_size().columns if stream.isatty() else None


def say(text: str, tone: Tone = "") -> None:
    """Talk to the person at the terminal: one line on stderr."""
    line = escape(text, _where())
    print(paint(line, tone) if in_colour(sys.stderr, os.environ) else line, file=sys.stderr)


def show_json(value: object) -> None:
    """Print data for programs."""
    write(dumps(value))


def show(page: Iterable[Block], *, talk: bool = False) -> None:
    """Print a page, as wide as the terminal is, in colour if it wants that; ``talk`` to stderr."""
    stream = sys.stderr if talk else sys.stdout
    render = painted if in_colour(stream, os.environ) else plain
    shown = render(page, _where(), _width(stream))
    if talk:
        print(shown, end="", file=stream)
    else:
        write(shown)


def write(text: str) -> None:
    """Print text as it is: it must be ours, or escaped for where it goes."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
