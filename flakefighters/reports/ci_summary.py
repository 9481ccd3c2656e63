"""The verdicts of a session as Markdown, for the page that a CI service has for a job.

What comes from a project is text there, and nothing else (``markdown_text.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flakefighters.model import Label
from flakefighters.reports.ci_commands import Told, ordered
from flakefighters.reports.markdown_text import code, cut, fenced, fitting, plain
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


def summary(
    failures: Sequence[Told], counts: str, run: str, tests: int, room: int = LONGEST
) -> str:
    """The verdicts first, then details folded; one line if nothing failed.

    ``counts`` says how many there are of each verdict, ``run`` names the run.  At most ``room``
    bytes: empty if not even the first line fits.
    """
    tail = f"{count(tests, 'test')}, run {code(run)}"
    if not failures:
        line = f"flakefighters: {plain(counts)} ({tail})\n\n"
        return line if len(line.encode()) <= room else ""
    head = f"### flakefighters: {plain(counts)}\n\n{tail}\n\n| | Test | Why |\n|---|---|---|\n"
    if len(head.encode()) + 200 > room:
        return ""
    shown = ordered(failures)
    room -= len(head.encode()) + 200
    rows = fitting([_row(one) for one in shown[:_ROWS]], room)
    text = head + "".join(rows)
    if left := len(shown) - len(rows):
        text += f"\nand {count(left, 'more failure')}\n"
    room -= sum(len(row.encode()) for row in rows)
    details = [_folded(one) for one in shown[: min(len(rows), _DETAILS)]]
    return text + "".join(fitting(details, room)) + "\n"


def _row(one: Told) -> str:
    verdict = f"{_SIGNS[one.label]} **{one.label.value.upper()}**"
    return f"| {verdict} | {code(cut(one.nodeid, _NAME))} | {plain(cut(one.why, _REASON))} |\n"


def _folded(one: Told) -> str:
    title = f"{one.label.value.upper()} {code(cut(one.nodeid, _NAME))}"
    lines = ["", f"<details><summary>{title}</summary>", ""]
    lines += [f"- {plain(cut(sentence, _REASON))}" for sentence in one.evidence[:12]]
    if one.text.strip():
        lines += ["", *fenced(one.text, lines=_TRACE_LINES, longest=_TRACE)]
    return "\n".join([*lines, "", "</details>", ""])
