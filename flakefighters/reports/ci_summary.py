"""The verdicts of a session as Markdown, for the page that a CI service has for a job.

What comes from a project is text there, and nothing else: no markup, no mention, no link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flakefighters.model import Label
from flakefighters.reports.ci_commands import Told, ordered
from flakefighters.reports.escape import escape
from flakefighters.words import count

__all__ = ["LONGEST", "summary"]

#: Bytes in UTF-8 of one session; a step of GitHub Actions has 1 MiB for all that it adds.
LONGEST: Final = 200_000
#: Rows of the table, and failures with details below it.
_ROWS: Final = 100
_DETAILS: Final = 30
#: Characters of a name, a reason, a sentence; lines and characters of a traceback, its end.
_NAME: Final = 300
_REASON: Final = 500
_TRACE_LINES: Final = 40
_TRACE: Final = 4000
_SIGNS: Final = {Label.GENUINE: "❌", Label.UNDECIDED: "❔", Label.FLAKY: "⚠️"}
#: What Markdown or HTML takes for markup, and what makes mentions, references and links.
_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]<>()|&~^$@#!%:]|(?<=www)\.|(?<=GH)-", re.IGNORECASE)
#: Within code only markup counts.
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>()|&~^$@#!]")


def summary(
    failures: Sequence[Told], counts: str, run: str, tests: int, room: int = LONGEST
) -> str:
    """The verdicts first, then details folded; one line if nothing failed.

    ``counts`` says how many there are of each verdict, ``run`` names the run.  At most ``room``
    bytes: empty if not even the first line fits.
    """
    tail = f"{count(tests, 'test')}, run {_code(run)}"
    if not failures:
        line = f"flakefighters: {_text(counts)} ({tail})\n\n"
        return line if len(line.encode()) <= room else ""
    head = f"### flakefighters: {_text(counts)}\n\n{tail}\n\n| | Test | Why |\n|---|---|---|\n"
    if len(head.encode()) + 200 > room:
        return ""
    shown = ordered(failures)
    room -= len(head.encode()) + 200
    rows = _fitting([_row(one) for one in shown[:_ROWS]], room)
    text = head + "".join(rows)
    if left := len(shown) - len(rows):
        text += f"\nand {count(left, 'more failure')}\n"
    room -= sum(len(row.encode()) for row in rows)
    details = [_folded(one) for one in shown[: min(len(rows), _DETAILS)]]
    return text + "".join(_fitting(details, room)) + "\n"


def _fitting(pieces: Sequence[str], room: int) -> list[str]:
    """The first pieces that fit."""
    kept = []
    for piece in pieces:
        room -= len(piece.encode())
        if room < 0:
            break
        kept.append(piece)
    return kept


def _row(one: Told) -> str:
    verdict = f"{_SIGNS[one.label]} **{one.label.value.upper()}**"
    return f"| {verdict} | {_code(_cut(one.nodeid, _NAME))} | {_text(_cut(one.why, _REASON))} |\n"


def _folded(one: Told) -> str:
    title = f"{one.label.value.upper()} {_code(_cut(one.nodeid, _NAME))}"
    lines = ["", f"<details><summary>{title}</summary>", ""]
    lines += [f"- {_text(_cut(sentence, _REASON))}" for sentence in one.evidence[:12]]
    if one.text.strip():
        lines += ["", *_fenced(one.text)]
    return "\n".join([*lines, "", "</details>", ""])


def _fenced(text: str) -> list[str]:
    """The end of a traceback, in a block of code that nothing in it can end."""
    lines = _escaped_lines(text.rstrip()[-_TRACE:])[-_TRACE_LINES:]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence]


def _escaped_lines(text: str) -> list[str]:
    """Each line by itself, with its tabs."""
    return [escape(line.replace("\t", "    "), "terminal") for line in text.split("\n")]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _code(text: str) -> str:
    """Code on one line; as an element, since backticks and the bars of a table do not mix."""
    return f"<code>{_MARKUP.sub(_entity, escape(text, 'terminal'))}</code>"


def _text(text: str) -> str:
    """Words on one line."""
    return _SPECIAL.sub(_entity, escape(text, "terminal"))


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
