"""A run as Markdown: a comment on a pull request, or a note on a merge request.

What comes from a project is text there, and nothing else (``markdown_text.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flakefighters.model import Label, Run
from flakefighters.reports.failed import Failed
from flakefighters.reports.markdown_text import code, cut, fenced, fitting, plain
from flakefighters.reports.words import counts, rate, revision, short_ids, took
from flakefighters.words import count

__all__ = ["LONGEST", "run_markdown"]

#: Bytes in UTF-8.  GitHub takes 65,536 characters.
LONGEST: Final = 65_000
#: Rows of the table, and characters of what stands in a cell.
_ROWS: Final = 60
_NAME: Final = 220
_REASON: Final = 320
#: Lines and characters of a traceback, its end, and lines of a diff.
_TRACE_LINES: Final = 40
_TRACE: Final = 4000
_DIFF_LINES: Final = 30
_WORDS: Final[Mapping[Label | None, str]] = {
    Label.GENUINE: "GENUINE",
    Label.UNDECIDED: "UNDECIDED",
    None: "NO VERDICT",
    Label.FLAKY: "FLAKY",
}
_SIGNS: Final[Mapping[Label | None, str]] = {
    Label.GENUINE: "❌",
    Label.UNDECIDED: "❔",
    None: "❔",
    Label.FLAKY: "⚠️",
}


def run_markdown(run: Run, failures: Sequence[Failed]) -> str:
    """The verdicts first, then details folded, as many as there is room for."""
    name = short_ids([run.head.id])[run.head.id]
    head = "".join(f"{line}\n" for line in _head(run, failures, name))
    kept = fitting(map(_row, failures[:_ROWS]), LONGEST // 2)
    if kept:
        before = "" if all(one.row is None for one in failures) else " | Before"
        head += f"\n| | Test | Why{before} |\n|---|---|---{'|---' if before else ''}|\n"
        head += "".join(row if before else row.rpartition(" | ")[0] + " |\n" for row in kept)
    if left := len(failures) - len(kept):
        head += f"\nand {count(left, 'more failure')}: `flakefighters show {name}` lists all\n"
    room = LONGEST - len(head.encode()) - 200
    details = fitting(map(_details, failures[: len(kept)]), room)
    text = head + "".join(details)
    if details and (left := len(kept) - len(details)):
        text += f"\nDetails of {left} more: `flakefighters show {name} --tracebacks`\n"
    return text


def _head(run: Run, failures: Sequence[Failed], name: str) -> Iterator[str]:
    numbers = {_WORDS[label].lower(): _number(failures, label) for label in _WORDS}
    numbers["without a verdict"] = numbers.pop("no verdict")
    complete = run.head.completeness.value == "complete"
    nothing = "nothing failed" + ("" if complete else f", but the run is {run.head.completeness}")
    yield f"### flakefighters: {counts(numbers) or nothing}"
    yield ""
    parts = [count(len(run.suite), "test"), counts(run.tally), f"run `{name}`"]
    commit = revision(run.head)
    if commit:
        parts.append(f"commit {code(commit)}")
    if run.head.branch:
        parts.append(f"branch {code(run.head.branch[:_NAME])}")
    parts.append(took(run.head.length))
    yield " · ".join(part for part in parts if part)


def _number(failures: Sequence[Failed], label: Label | None) -> int:
    return sum(one.label is label for one in failures)


def _row(one: Failed) -> str:
    new = " **(new: introduced here?)**" if one.introduced else ""
    reason = plain(cut(one.reason, _REASON)) or "no verdict was given"
    name = code(cut(one.nodeid, _NAME))
    verdict = f"{_SIGNS[one.label]} **{_WORDS[one.label]}**"
    return f"| {verdict} | {name} | {reason}{new} | {_before(one)} |\n"


def _before(one: Failed) -> str:
    row = one.row
    if row is None or not row.runs:
        return ""
    said = f"failed in {row.failures + row.mixed} of {count(row.runs, 'run')}"
    found = row.flakiness
    if found is not None and found.failures:
        said += f", {rate(found.rate)} by chance"
    return said


def _details(one: Failed) -> str:
    title = f"{_WORDS[one.label]} {code(cut(one.nodeid, _NAME))}"
    lines = ["", f"<details><summary>{title}</summary>", ""]
    if one.message:
        lines += [f"{code(cut(one.message, _REASON))}", ""]
    lines += [f"- {plain(cut(sentence, _REASON))}" for sentence in one.evidence[:12]]
    if one.attempts:
        lines.append(f"- attempts: {', '.join(one.attempts)}")
    for diff in one.diffs:
        left = diff.more + max(0, len(diff.lines) - _DIFF_LINES)
        more = [f"... {left} more lines"] if left else []
        kept = [*diff.lines[:_DIFF_LINES], *more]
        lines += ["", code(diff.path[:_NAME]), "", *fenced("\n".join(kept), "diff")]
    if one.text.strip():
        lines += ["", *fenced(one.text, lines=_TRACE_LINES, longest=_TRACE)]
    return "\n".join([*lines, "", "</details>", ""])
