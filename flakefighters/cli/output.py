"""Where a command's words go: data to stdout, talk to stderr, colour to terminals only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from flakefighters.profiles.ci import detect
from flakefighters.reports.escape import escape
from flakefighters.reports.page import Block, Tone, lines, plain
from flakefighters.reports.records import dumps

__all__ = ["ReaderGoneError", "say", "show", "show_json", "write"]

_STYLES: dict[Tone, str] = {
    "": "",
    "good": "green",
    "bad": "red",
    "doubt": "yellow",
    "open": "cyan",
    "faint": "dim",
    "strong": "bold",
}


class ReaderGoneError(Exception):
    """Nobody reads our stdout any more: ``| head`` has seen enough.

    Not the OSError itself: Typer would end the command with 1 for that.
    """


def _where() -> str:
    """What reads our lines: a CI service takes some of them for commands."""
    return "terminal" if detect(os.environ) is None else "ci"


def say(text: str) -> None:
    """Talk to the person at the terminal: one line on stderr."""
    print(escape(text, _where()), file=sys.stderr)


def show_json(value: object) -> None:
    """Print data for programs."""
    write(dumps(value))


def show(page: Iterable[Block]) -> None:
    """Print a page: in colour if stdout is a terminal that wants it, else as plain text."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR"):
        _render(page)
    else:
        write(plain(page, _where()))


def write(text: str) -> None:
    """Print text as it is: it must be ours, or escaped for where it goes."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def _render(page: Iterable[Block]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    for spans in lines(page, _where()):
        text = Text()
        for span in spans:
            text.append(span.text, _STYLES[span.tone])
        text.rstrip()
        console.print(text, soft_wrap=True)
