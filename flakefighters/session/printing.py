"""Our lines on pytest's terminal."""

from __future__ import annotations

from typing import Any

from flakefighters.ids import short
from flakefighters.model import Execution, Phase, Verdict
from flakefighters.reports.escape import escape
from flakefighters.reports.terminal import (
    Group,
    Line,
    closing,
    details,
    grouped,
    left_out,
    proved_lines,
    verdict_line,
)
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
    failures = _failures(session)
    every = verbosity > 0 or session.asked.show_verdicts
    proved = _proved(session, every) if verbosity > -2 or failures else []
    section = bool(failures or proved)
    if section and verbosity > -2:
        terminal.write_sep("=", "flakefighters")
    shown = grouped(failures, every=every)
    for group in shown:
        _write_verdict(session, terminal, group)
    for line in proved:
        _write(terminal, line)
    if (rest := left_out(failures, shown)) is not None:
        terminal.line(rest)
    for note in dict.fromkeys(session.notes):
        terminal.line(warning(session.redactor(note), session.where), yellow=True)
    if finished is not None and (section or verbosity > -2):
        last = _last(session, failures)
        terminal.line(last if section else f"flakefighters: {last}")


def _last(session: SessionView, failures: list[Group]) -> str:
    """The closing line."""
    became = _became(session)
    if failures:
        return closing(failures, became)
    if session.recorder.collection_errors:
        return f"errors in collection; {became}"
    if failed := _failed(session):
        return f"{count(failed, 'failing test')} without a verdict; {became}"
    return closing(failures, became)


def _write_verdict(session: SessionView, terminal: Any, group: Group) -> None:
    """The line of a joined verdict; below it what each flakefighter says, if that is wanted."""
    _write(terminal, verdict_line(group, session.where))
    if session.asked.show_verdicts and session.finished is not None:
        for said in session.finished.judged.said:
            if _place(said) == _place(group.verdict):
                terminal.line(details(said, session.where))


def _write(terminal: Any, line: Line) -> None:
    terminal.write(line.word, **{line.colour: True})
    terminal.line(line.rest)


def _proved(session: SessionView, every: bool) -> list[Line]:
    """Earlier failures that this run proves flaky."""
    proved = [] if session.finished is None else session.finished.proved
    names = [session.names.pytests(one.nodeid) for one in proved]
    now = session.world.now()
    return proved_lines(names, proved, now, every=every, where=session.where)


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


def _failures(session: SessionView) -> list[Group]:
    """The joined verdicts of the last failing attempt of each test, in order of the suite."""
    if session.finished is None:
        return []
    last: dict[str, Execution] = {}
    for execution in session.recorder.executions:
        if execution.failures:
            last[session.names(execution.nodeid)] = execution
    out = []
    for verdict in session.finished.judged.joint:
        failed = last.get(verdict.nodeid)
        if failed is None or failed.attempt != verdict.attempt:
            continue
        failure = failed.failures[verdict.index]
        place = failure.subtest and f"subtest {failure.subtest}"
        if place is None and failure.phase is not Phase.CALL:
            collection = failure.facts.get("collection")
            place = "in collection" if collection else f"in {failure.phase.value}"
        out.append(Group(verdict, session.names.pytests(verdict.nodeid), place))
    order = {nodeid: index for index, nodeid in enumerate(session.recorder.suite)}
    return sorted(out, key=lambda one: order.get(one.nodeid, 0))
