"""What a report in HTML knows, as one JSON object: compact, because a project has many results.

The scripts beside this file read it.  Results are run-length coded per test ("120.F12." is 120
passes, a failure, 12 passes); durations are a character for each group of runs, on a logarithmic
scale.  Every text is made visible here, and put into the page by ``textContent`` there.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flakefighters.ids import h128
from flakefighters.model import Completeness, Label, Outcome, Project, Run, Trust
from flakefighters.model.decisions import QUARANTINE, Event
from flakefighters.model.rows import Book, FailureRow, TestRow
from flakefighters.reports.causes import cause
from flakefighters.reports.costs import Cost, costs, labels_of
from flakefighters.reports.decisions import decision_text, event_record
from flakefighters.reports.escape import escape
from flakefighters.reports.failed import Failed
from flakefighters.reports.junit import first_line
from flakefighters.reports.words import counts, revision, short_ids, took

__all__ = ["Look", "group_size", "look_record", "run_record", "visible"]

#: Bytes of texts of failures, of reasons, and of one text, before the rest is left out.
_TEXTS: Final = 2_000_000
_REASONS: Final = 1_000_000
_LONGEST: Final = 6000
#: No more failures are listed one by one: the newest.
FAILURES: Final = 30_000
#: Failures of the run that is shown, with all that is known of them.
LISTED: Final = 1000
#: About so many durations are told.
_TIMES: Final = 1_200_000
#: A result that failed has a letter for its outcome and its verdict: three for each outcome.
_LABELS: Final = (Label.FLAKY, Label.GENUINE, Label.UNDECIDED)
_FAILED: Final = "FE?R"
_LETTERS: Final = {
    (outcome, label): "abcdefghijkl"[3 * at + place]
    for at, outcome in enumerate(_FAILED)
    for place, label in enumerate(_LABELS)
}
#: Characters of durations: 0.1 ms times _STEP to the power of their place; the first is nothing.
_SCALE: Final = "".join(map(chr, (*range(35, 60), *range(61, 92), *range(93, 127))))
_STEP: Final = 1.22
#: From how many µs on a duration has the next character: half-way to its power.
_EDGES: Final = (100.0, *(100 * _STEP ** (power - 0.5) for power in range(1, len(_SCALE) - 1)))


def group_size(tests: int, runs: int) -> int:
    """How many runs share one duration of a test."""
    return max(1, math.ceil(tests * runs / _TIMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All that a report looked at."""

    project: Project
    #: With rates.
    book: Book
    failures: Sequence[FailureRow] = ()
    #: What failures say, by :attr:`FailureRow.text`.
    texts: Mapping[str, str] = field(default_factory=dict)
    #: Sums of durations, µs, by run and by test and group of runs.
    run_times: Mapping[str, int] = field(default_factory=dict)
    test_times: Mapping[str, Sequence[int]] = field(default_factory=dict)
    group: int = 1
    events: Sequence[Event] = ()
    #: How runs were chosen, in words.
    chosen: str = ""
    #: µs UTC.
    now: int = 0


def look_record(look: Look) -> dict[str, Any]:
    """The part on the project."""
    rows = look.book.rows
    numbers = {row.nodeid: at for at, row in enumerate(rows)}
    places = {head.id: at for at, head in enumerate(look.book.runs)}
    labels = labels_of(look.failures)
    return {
        "chosen": look.chosen,
        "runs": _runs(look),
        "tests": _tests(look, labels, places),
        "times": {
            "group": look.group,
            "scale": _SCALE,
            "step": _STEP,
            "tests": [_times(look.test_times.get(row.nodeid, ())) for row in rows],
        },
        "failures": _failures(look, numbers, places),
        "decisions": _decisions(look, numbers),
        "letters": {
            letter: [Outcome(outcome).word, label.value]
            for (outcome, label), letter in _LETTERS.items()
        }
        | {one.value: [one.word, ""] for one in Outcome},
    }


def _runs(look: Look) -> dict[str, Any]:
    heads = look.book.runs
    names = short_ids(head.id for head in heads)
    return {
        "id": [head.id for head in heads],
        "name": [names[head.id] for head in heads],
        "started": [head.started // 1_000_000 for head in heads],
        "wall": [head.length and max(0, head.length) // 1000 for head in heads],
        "work": [look.run_times.get(head.id, 0) // 1000 for head in heads],
        "commit": [revision(head) for head in heads],
        "branch": [_text(head.branch or "") for head in heads],
        "job": [_text(head.job or "") for head in heads],
    }


def _tests(
    look: Look, labels: Mapping[tuple[str, str], Label], places: Mapping[str, int]
) -> dict[str, Any]:
    rows = look.book.rows
    cost = costs(look.book.runs, rows, labels)
    marked: dict[str, list[tuple[int, Label]]] = {}
    for (run, nodeid), label in labels.items():
        marked.setdefault(nodeid, []).append((places[run], label))
    found: dict[str, list[Any]] = {
        "name": [_text(row.nodeid) for row in rows],
        "cells": [_cells(row.outcomes, marked.get(row.nodeid, ())) for row in rows],
        "own": [sum(look.test_times.get(row.nodeid, ())) // 1000 for row in rows],
    }
    numbers: Mapping[str, Any] = {
        "runs": lambda row: row.runs,
        "failed": lambda row: row.failures + row.mixed,
        "flaky": lambda row: row.flaky,
        "genuine": lambda row: row.genuine,
        "undecided": lambda row: row.undecided,
        "flips": lambda row: row.flips,
    }
    found |= {name: list(map(read, rows)) for name, read in numbers.items()}
    found["rate"] = [_rate(row) for row in rows]
    none = Cost()
    mine = [cost.get(row.nodeid, none) for row in rows]
    found["cost"] = [[one.builds, one.alone, one.spent // 1_000_000] for one in mine]
    return found


def _rate(row: TestRow) -> list[float] | None:
    """Rate and interval of a test that failed by chance."""
    found = row.flakiness
    if found is None or not found.failures:
        return None
    return [round(one, 5) for one in (found.rate, found.low, found.high)]


def _cells(outcomes: str, labels: Sequence[tuple[int, Label]]) -> str:
    if labels:
        letters = list(outcomes)
        for place, label in labels:
            letters[place] = _LETTERS.get((letters[place], label), letters[place])
        outcomes = "".join(letters)
    return re.sub(r"(.)\1+", lambda match: f"{len(match[0])}{match[1]}", outcomes)


def _times(sums: Sequence[int]) -> str:
    """A character for each group; the sum over the runs of the group."""
    return "".join([_SCALE[bisect_right(_EDGES, one)] for one in sums])


# -- failures --------------------------------------------------------------------------------


class _Table:
    """Texts by number, each once, until there is no more room."""

    def __init__(self, room: int, longest: int = _LONGEST):
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._room, self._longest = room, longest

    def number(self, text: str) -> int:
        """The text's number, -1 if it was left out."""
        found = self._numbers.get(text)
        if found is None:
            shown = shortened(text, self._longest)
            if len(shown) > self._room:
                return -1
            self._room -= len(shown)
            found = self._numbers[text] = len(self.texts)
            self.texts.append(_text(shown))
        return found


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A traceback without its middle: the end tells more than the beginning."""
    if len(text) <= longest:
        return text
    return f"{text[: longest // 3]}\n[...]\n{text[-2 * longest // 3 :]}"


def _failures(look: Look, numbers: Mapping[str, int], places: Mapping[str, int]) -> dict[str, Any]:
    """Columns, the newest first."""
    reasons, texts = _Table(_REASONS, 1000), _Table(_TEXTS)
    causes, exceptions = _Table(_REASONS), _Table(_REASONS, 300)
    signatures: dict[str, int] = {}
    said: list[dict[str, str]] = []
    labels = ("", *(label.value for label in _LABELS))
    columns: list[list[int]] = []
    for one in sorted(look.failures, key=lambda one: -places[one.run])[:FAILURES]:
        if one.nodeid not in numbers:
            continue
        key = one.signature or one.text
        if key not in signatures:
            signatures[key] = len(said)
            said.append(_signature(one, look.texts))
        columns.append(
            [
                places[one.run],
                numbers[one.nodeid],
                one.attempt,
                0 if one.label is None else labels.index(one.label.value),
                causes.number(cause(one.by, one.label)),
                signatures[key],
                reasons.number(one.reason),
                exceptions.number(one.exception or ""),
                texts.number(look.texts.get(one.text, "")),
            ]
        )
    names = ("run", "test", "attempt", "label", "cause", "signature", "reason", "exception", "text")
    return {
        "columns": dict(zip(names, zip(*columns, strict=True), strict=True)) if columns else {},
        "left_out": max(0, len(look.failures) - FAILURES),
        "labels": labels,
        "causes": causes.texts,
        "signatures": said,
        "reasons": reasons.texts,
        "exceptions": exceptions.texts,
        "texts": texts.texts,
    }


def _signature(one: FailureRow, texts: Mapping[str, str]) -> dict[str, str]:
    said = first_line(texts.get(one.text, "")) or one.signature.strip().rpartition("\n")[2]
    name = h128("signature", one.signature)[:12] if one.signature else ""
    return {"id": name, "says": _text(said[:200]), "exception": _text(one.exception or "")}


# -- decisions -------------------------------------------------------------------------------


def _decisions(look: Look, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    found = []
    for one in look.events:
        record = event_record(one, look.now)
        record["says"] = decision_text(one, look.now)
        record["test"] = numbers.get(one.target)
        record["quarantine"] = one.kind == QUARANTINE
        found.append(visible(record))
    return found


# -- texts -----------------------------------------------------------------------------------


def _text(text: str) -> str:
    return escape(text, "text")


def visible(value: Any) -> Any:
    """A JSON value with every text in it made visible."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(str(name)): visible(member) for name, member in value.items()}
    if isinstance(value, Iterable):
        return [visible(member) for member in value]
    return value


def run_record(run: Run, failures: Sequence[Failed]) -> dict[str, Any]:
    """The part on one run."""
    head = run.head
    kept = failures[:LISTED]
    commit = revision(head) and f"{revision(head)}{' on ' + head.branch if head.branch else ''}"
    settings = {} if run.environment is None else run.environment.settings
    where = [
        str(settings[name]) for name in ("implementation", "python", "os") if settings.get(name)
    ]
    facts = {
        f"{len(run.suite):,} tests": counts(run.tally),
        "Commit": commit or head.branch,
        "Pull request": head.pr,
        "Job": head.job,
        "Where": " ".join(where),
        "Selection": "some tests only" if head.selection else "",
        "Trust": "" if head.trust is Trust.LOCAL else head.trust.value,
    }
    found: dict[str, Any] = visible(
        {
            "id": head.id,
            "name": short_ids([head.id])[head.id],
            "took": took(head.length),
            "completeness": head.completeness.value,
            "complete": head.completeness is Completeness.COMPLETE,
            "facts": [[name, value] for name, value in facts.items() if value],
        }
    )
    return found | {
        "started": head.started // 1_000_000,
        "failures": list(map(failed_record, kept)),
        "left_out": len(failures) - len(kept),
    }


def failed_record(one: Failed) -> dict[str, Any]:
    """One failure of the run that is shown."""
    record = {
        name: value
        for name, value in one._asdict().items()
        if name not in ("row", "diffs", "signature")
    }
    record["text"] = shortened(one.text, 2 * _LONGEST)
    record["label"] = "" if one.label is None else one.label.value
    record["was"] = "" if one.was is None else one.was.value
    record["diffs"] = [diff._asdict() for diff in one.diffs]
    found: dict[str, Any] = visible(record)
    return found
