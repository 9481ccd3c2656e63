"""Our lines on pytest's terminal."""

from __future__ import annotations

from typing import Any

from flakefighters.ids import short
from flakefighters.model import Execution, Outcome, Phase, Verdict
from flakefighters.reports.escape import escape
from flakefighters.reports.terminal import closing, details, verdict_line
from flakefighters.reports.words import count
from flakefighters.session.view import SessionView

__all__ = ["escaped", "show", "warning"]


def escaped(text: str, where: str) -> str:
    """One line, made harmless."""
    return escape(text, where)


def warning(note: str, where: str) -> str:
    """A trouble of ours, as one line."""
    return escaped(f"flakefighters: warning: {note}", where)


def show(session: SessionView, terminal: Any) -> None:
    """Write the section, or the closing line alone."""
    verbosity = session.config.get_verbosity()
    finished = session.finished
    shown = [] if finished is None else list(_shown(session))
    if shown and verbosity > -2:
        terminal.write_sep("=", "flakefighters")
    for verdict, nodeid, place in shown:
        line = verdict_line(verdict, nodeid, place=place, where=session.where)
        terminal.write(line.word, **{line.colour: True})
        terminal.line(line.rest)
        if session.asked.show_verdicts and finished is not None:
            for said in finished.judged.said:
                if _place(said) == _place(verdict):
                    terminal.line(details(said, session.where))
    for note in dict.fromkeys(session.notes):
        terminal.line(warning(session.redactor(note), session.where), yellow=True)
    if finished is None or (not shown and verbosity <= -2):
        return
    last = closing([verdict for verdict, _, _ in shown], _became(session))
    if not shown and session.recorder.collection_errors:
        last = f"errors in collection; {_became(session)}"
    elif not shown and (failed := _failed(session)):
        last = f"{count(failed, 'failing test')} without a verdict; {_became(session)}"
    terminal.line(last if shown else f"flakefighters: {last}")


def _became(session: SessionView) -> str:
    assert session.finished is not None
    if not session.asked.save:
        return "nothing saved, as asked"
    run = f"run {short(session.head.id)}"
    target = session.start.resolution.record_to
    name = target.profile or target.display
    return f"{run} saved to {name}" if session.finished.saved else f"{run} not saved to {name}"


def _failed(session: SessionView) -> int:
    """Tests whose last attempt failed."""
    last = {one.nodeid: bool(one.failures) for one in session.recorder.executions}
    return sum(last.values())


def _place(verdict: Verdict) -> tuple[str, int, int]:
    return (verdict.nodeid, verdict.attempt, verdict.index)


def _shown(session: SessionView) -> list[tuple[Verdict, str, str | None]]:
    """The joined verdicts of the last failing attempt of each test, in order of the suite."""
    assert session.finished is not None
    attempts: dict[str, list[Execution]] = {}
    for execution in session.recorder.executions:
        attempts.setdefault(session.names(execution.nodeid), []).append(execution)
    out = []
    for verdict in session.finished.judged.joint:
        mine = attempts.get(verdict.nodeid, [])
        failed = [one for one in mine if one.failures]
        if not failed or failed[-1].attempt != verdict.attempt:
            continue
        failure = failed[-1].failures[verdict.index]
        place = failure.subtest and f"subtest {failure.subtest}"
        if place is None and failure.phase is not Phase.CALL:
            collection = failure.facts.get("collection")
            place = "in collection" if collection else f"in {failure.phase.value}"
        if mine[-1].outcome is Outcome.PASSED and failed[-1].attempt < mine[-1].attempt:
            place = place or None
        out.append((verdict, session.names.pytests(verdict.nodeid), place))
    order = {nodeid: index for index, nodeid in enumerate(session.recorder.suite)}
    return sorted(out, key=lambda row: order.get(row[1], 0))
