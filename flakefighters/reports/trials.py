"""Trials as text: what was run again, and what it showed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from flakefighters.model import Arm, Bisection, Verdict
from flakefighters.reports.lists import LABEL_TONES
from flakefighters.reports.page import Block, Span, line
from flakefighters.words import count

__all__ = ["bisected_page", "bisected_record", "confirmed_page", "confirmed_record"]
__all__ += ["trial_sentence"]

_CONTROL: Final = {"True": "passed", "False": "failed"}
_WHERE: Final = {
    Arm.ALONE.value: "alone",
    Arm.COPY.value: "alone in a fresh copy",
    Arm.COMPANY.value: "after {company}",
    Arm.FEWER.value: "after {company}",
    Arm.BEFORE.value: "on {commit}",
    Arm.BEFORE_COMPANY.value: "on {commit} after {company}",
}


def confirmed_page(verdicts: Sequence[Verdict]) -> Iterator[Block]:
    """A line for each failure that was tried, as pytest's section has it."""
    for one in verdicts:
        word = Span(one.label.value.upper(), LABEL_TONES[one.label])
        sure = Span(f"[{one.confidence.value}]", "faint")
        yield line(word, f" {one.nodeid} - {one.why} ", sure)


def confirmed_record(run: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "run": run,
        "verdicts": [
            {
                "nodeid": one.nodeid,
                "attempt": one.attempt,
                "failure": one.index,
                "label": one.label.value,
                "confidence": one.confidence.value,
                "introduced": one.introduced,
                "reason": one.reason,
                "evidence": dict(one.evidence),
            }
            for one in verdicts
        ],
    }


def bisected_page(
    nodeid: str,
    found: Bisection,
    about: Mapping[str, tuple[str, str] | None],
    ago: Callable[[str], int | None],
) -> Iterator[Block]:
    """What a bisection found; ``about``: subject and author of the commits."""
    tried = sum(one.run is None for one in found.steps)
    known = len(found.steps) - tried
    if not found.candidates:
        yield line(f"{nodeid}: {found.reason}")
        return
    if found.broken_by is None:
        why = f" ({found.reason})" if found.reason else ": the others could not be tried"
        yield line(f"{nodeid}: broken by one of {count(len(found.candidates), 'commit')}{why}")
    for commit in found.candidates[:20]:
        subject, author = about.get(commit) or ("", "")
        back = ago(commit)
        when = "" if back is None else ", HEAD" if back == 0 else f", {count(back, 'commit')} ago"
        what = f"{commit[:7]} {subject}, {author}{when}"
        yield line(f"{nodeid}: broken by {what}" if found.broken_by else f"  {what}")
    more = f", {known} known from the history" if known else ""
    yield line(Span(f"{count(tried, 'commit')} tried{more}", "faint"))


def bisected_record(nodeid: str, found: Bisection, verdict: Verdict | None) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "nodeid": nodeid,
        "broken_by": found.broken_by,
        "candidates": list(found.candidates),
        "reason": found.reason,
        "steps": [
            {"commit": one.commit, "result": one.result.value, "run": one.run, "note": one.note}
            for one in found.steps
        ],
        "verdict": None if verdict is None else confirmed_record(verdict.run, [verdict]),
    }


def trial_sentence(trial: Mapping[str, Any]) -> str:
    """One trial as evidence keeps it: "alone: passed"."""
    after = trial.get("after")
    number = trial.get("company")
    company = ", ".join(map(str, after)) if isinstance(after, list) and after else ""
    if not company and isinstance(number, int):
        company = count(number, "test")
    commit = str(trial.get("commit") or "the state before")[: 7 if trial.get("commit") else None]
    where = _WHERE.get(str(trial.get("arm")), str(trial.get("arm")))
    text = f"{where.format(company=company, commit=commit)}: {trial.get('result')}"
    if trial.get("control"):
        passed = _CONTROL.get(str(trial.get("control_passed")), "did not run")
        text += f" ({trial['control']} {passed})"
    return f"{text}; {trial['note']}" if trial.get("note") else text
