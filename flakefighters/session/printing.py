"""Our lines on pytest's terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flakefighters.ids import short
from flakefighters.lazy import as_installed
from flakefighters.model import Phase
from flakefighters.reports.escape import escape
from flakefighters.words import count, trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from flakefighters.model import Execution, Verdict
    from flakefighters.reports.terminal import Group, Line
    from flakefighters.session.protocols import SessionView

__all__ = ["failures", "outcome", "reason", "show", "warning"]


def warning(note: str, where: str) -> str:
    """A trouble of ours, as one line."""
    return escape(f"flakefighters: warning: {note}", where)


def reason(error: Exception) -> str:
    """Why something could not be written."""
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return trouble(error)


def show(session: SessionView, terminal: Any) -> None:
    """Write the section, or the closing line alone."""
    verbosity = session.config.get_verbosity()
    finished = session.finished
    joint = [] if finished is None else finished.judged.joint
    section = bool(joint or ((_news(session) or session.localised) and verbosity > -2))
    counts = _section(session, terminal, verbosity) if section else ""
    for note in dict.fromkeys(session.notes):
        terminal.line(warning(session.redactor(note), session.where), yellow=True)
    for command in session.annotations:
        terminal.line(command)
    if finished is not None and (section or verbosity > -2):
        last = f"{counts if joint else _without(session)}; {_became(session)}"
        if session.ending:
            last += f"; {escape(session.ending, session.where)}"
        terminal.line(last if section else f"flakefighters: {last}")


def _news(session: SessionView) -> list[Verdict]:
    """What this run proves of earlier failures that were not called flaky yet."""
    proved = [] if session.finished is None else session.finished.proved
    return [one for one in proved if one.evidence.get("was") != "flaky"]


def outcome(session: SessionView) -> str:
    """How many verdicts there are of each kind, or what the run came to without any."""
    with as_installed():
        from flakefighters.reports import terminal as lines
    groups = failures(session)
    return lines.counted(groups) if groups else _without(session)


def _without(session: SessionView) -> str:
    """What a run without verdicts came to."""
    if session.recorder.collection_errors:
        return "errors in collection"
    failed = _failed(session)
    return f"{count(failed, 'failing test')} without a verdict" if failed else "no failures"


def _section(session: SessionView, terminal: Any, verbosity: int) -> str:
    """Write a line for each verdict; returns how many there are of each kind, in words."""
    with as_installed():  # most runs have nothing to tell
        from flakefighters.reports import terminal as lines

    assert session.finished is not None
    every = verbosity > 0 or session.asked.show_verdicts
    if verbosity > -2:
        terminal.write_sep("=", "flakefighters")
    groups = failures(session)
    shown = lines.grouped(groups, every=every)
    decided_on = _decisions(session)
    for group in shown:
        _write(terminal, lines.verdict_line(group, session.where))
        for decided in decided_on(group):
            terminal.line(f"    {escape(decided, session.where)}")
        if session.asked.show_verdicts:
            for said in session.finished.judged.said:
                if said.place == group.verdict.place:
                    terminal.line(lines.details(said, session.where))
    proved = _news(session)
    names = [session.names.pytests(one.nodeid) for one in proved]
    now = session.world.now()
    by, where = session.head.id, session.where
    for line in lines.proved_lines(names, proved, now, by, every=every, where=where):
        _write(terminal, line)
    if (rest := lines.left_out(groups, shown)) is not None:
        terminal.line(rest)
    if session.localised and verbosity > -2:
        with as_installed():
            from flakefighters.reports.localisation import session_lines
        for text in session_lines(session.localised, session.names.pytests, session.where):
            terminal.line(text)
    return lines.counted(groups)


def _decisions(session: SessionView) -> Callable[[Group], list[str]]:
    """Tells what people decided on a failure."""
    finished = session.finished
    decisions = [] if finished is None else finished.decisions
    if session.asked.quarantine == "off":
        decisions = [one for one in decisions if one.kind != "quarantine"]
    if not decisions:
        return lambda _: []
    with as_installed():
        from flakefighters.model.decisions import targets_of
        from flakefighters.reports.decisions import decision_text

    now = session.world.now()

    def on(group: Group) -> list[str]:
        targets = targets_of(group.verdict.nodeid, group.failure.signature)
        return [decision_text(one, now) for one in decisions if one.target in targets]

    return on


def _write(terminal: Any, line: Line) -> None:
    terminal.write(line.word, **{line.colour: True})
    terminal.line(line.rest)


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


def failures(session: SessionView) -> list[Group]:
    """The joined verdicts of the last failing attempt of each test, in order of the suite."""
    if session.finished is None or not session.finished.judged.joint:
        return []
    with as_installed():
        from flakefighters.reports.terminal import Group

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
        out.append(Group(verdict, session.names.pytests(verdict.nodeid), place, failure))
    order = {nodeid: index for index, nodeid in enumerate(session.recorder.suite)}
    return sorted(out, key=lambda one: order.get(one.nodeid, 0))
