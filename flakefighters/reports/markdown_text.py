"""Foreign text in Markdown: text there, and nothing else.

No markup, no mention of a person, no link to an issue.  Names and tracebacks stand in code, where
forges look for neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from flakefighters.reports.escape import escape

__all__ = ["code", "cut", "fenced", "fitting", "plain"]

#: What Markdown takes for markup: written as an entity.
_MARKUP: Final = frozenset("\\`*_{}[]<>()|&~^$")
#: What makes a link of a text that looks like an address, in code as well.
_ADDRESS: Final = r":(?=//)|(?<=www)\."
#: People and groups, issues and merge requests, milestones, emoji.
_REFERENCE: Final = r"[@#!%](?=[\w\"'-])|(?<=GH)-(?=\d)|:(?=[\w+-]+:)"
_IN_CODE: Final = re.compile(rf"[\\`*_{{}}\[\]<>()|&~^$]|{_ADDRESS}", re.IGNORECASE)
_IN_TEXT: Final = re.compile(f"{_IN_CODE.pattern}|{_REFERENCE}", re.IGNORECASE)
#: Nothing that can be seen; a forge finds no reference across it.
_APART: Final = "&#8203;"


def plain(text: str) -> str:
    """Words on one line."""
    return _IN_TEXT.sub(_harmless, _one_line(text))


def code(text: str) -> str:
    """Code on one line; as an element, since backticks and bars of a table do not mix."""
    return f"<code>{_IN_CODE.sub(_harmless, _one_line(text))}</code>"


def fenced(
    text: str, language: str = "text", *, lines: int | None = None, longest: int | None = None
) -> list[str]:
    """The lines of a block of code that nothing in it can end.

    Of a text with more lines or characters than these its end is shown.
    """
    whole = escape(text.rstrip(), "text").splitlines()
    kept = "\n".join(whole[-lines:] if lines else whole)
    kept = kept[-longest:] if longest else kept
    shown = (
        kept.splitlines() if len(kept) >= len("\n".join(whole)) else ["[...]", *kept.splitlines()]
    )
    most = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, most + 1)
    return [fence + language, *shown, fence]


def cut(text: str, longest: int) -> str:
    """The beginning of a text; ``...`` stands for the rest."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def fitting(pieces: Iterable[str], room: int) -> list[str]:
    """The first pieces that fit into so many bytes of UTF-8."""
    kept: list[str] = []
    for piece in pieces:
        room -= len(piece.encode("utf-8", "replace"))
        if room < 0:
            break
        kept.append(piece)
    return kept


def _one_line(text: str) -> str:
    return escape(" ".join(text.split()), "terminal")


def _harmless(match: re.Match[str]) -> str:
    found = match[0]
    return f"&#{ord(found)};" if found in _MARKUP else found + _APART
