"""Foreign text made harmless for the place where it is shown.

Node ids, messages, branch names and reasons come from a project or from a history that others
write to.  None of it may move a terminal's cursor, turn the reading order round, give a command
to a CI system, become markup, or run in a spreadsheet.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["cells", "escape", "shorten"]

#: Invisible letters that Unicode does not count as formatting: fillers, the grapheme joiner.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
#: Control, formatting (bidi, zero width, tags), surrogates, line and paragraph separators.
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}


def escape(text: str, where: str) -> str:
    """``text`` such that it is only text where it is going.

    ``terminal``: one line; what cannot be seen becomes a visible escape such as ``\\x1b``.
    ``ci``: the same, and no commands of GitHub Actions, Azure Pipelines or TeamCity in it.
    ``html``: content or a quoted attribute; line ends and tabs stay.
    ``text``: what a script of ours shows as text; line ends and tabs stay.
    ``csv``: one cell, which no spreadsheet takes for a formula; quoting is the CSV writer's task.
    ``ValueError`` for any other place.
    """
    if where == "terminal":
        return _visible(text)
    if where == "ci":
        return _without_commands(_visible(text))
    if where == "html":
        return "".join(_ENTITIES.get(one, one) for one in _visible(text, keep="\n\t"))
    if where == "text":
        return _visible(text, keep="\n\t")
    if where == "csv":
        return _no_formula(_visible(text))
    raise ValueError(f"nothing is known of escaping for {where!r}")


def _visible(text: str, keep: str = "") -> str:
    if text.isascii() and text.translate(dict.fromkeys(map(ord, keep))).isprintable():
        return text
    return "".join(one if one in keep or not _hidden(one) else _spelled(one) for one in text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN or character in _BLANK


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# GitHub Actions reads "::command::" at the start of a line, blanks before it aside; its older
# form and those of Azure and TeamCity count anywhere in a line.
_COMMAND: Final = r"(?i)\A(\s*):(?=:)|#(?=#(?:vso|teamcity)?\[)"
# What a runner decodes within the text of a command: line ends, percent, colon, comma.
_DECODED: Final = "(?i)%(?=0[ad]|25|3a|2c|5d|3b)"


def _without_commands(text: str) -> str:
    text = re.sub(_DECODED, "%25", text)
    return re.sub(_COMMAND, lambda found: "\\x23" if found[1] is None else found[1] + "\\x3a", text)


#: With these a spreadsheet's formula starts, also in their full-width forms.
_FORMULA: Final = tuple("=+-@|%\uff1d\uff0b\uff0d\uff20")


def _no_formula(text: str) -> str:
    bare = text.lstrip()
    if bare.startswith((*_FORMULA, "\\t", "\\r", "\\n")):
        return "'" + text
    return text


# -- width -----------------------------------------------------------------------------------


def cells(text: str) -> int:
    """How many cells of a terminal ``text`` takes, once it has been escaped."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """``text`` cut to at most ``width`` cells; ``...`` stands for what was left out."""
    if cells(text) <= width:
        return text
    mark = "..."[: max(0, width)]
    room = width - len(mark)
    used = 0
    for at, character in enumerate(text):
        used += _cells(character)
        if used > room:
            return text[:at] + mark
    return text
