"""The pages of ``flakefighters show`` and ``flakefighters explain``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from flakefighters.ids import h128
from flakefighters.model import JOINT, Execution, Failure, Label, Outcome, Run, RunHead, Verdict
from flakefighters.reports.lists import OUTCOME_TONES
from flakefighters.reports.page import Block, Column, Line, Span, Table, Tone, line
from flakefighters.reports.summaries import Result
from flakefighters.reports.words import ago, count, counts, revision, short_ids, took, when

__all__ = ["results_page", "run_page"]

_LABEL_TONES: dict[Label, Tone] = {
    Label.FLAKY: "doubt",
    Label.GENUINE: "bad",
    Label.UNDECIDED: "open",
}
#: What is shown first of a run; tests that were not run are only counted.
_ORDER = (
    Outcome.UNFINISHED,
    Outcome.ERROR,
    Outcome.FAILED,
    Outcome.MIXED,
    Outcome.XPASSED,
    Outcome.XFAILED,
    Outcome.SKIPPED,
    Outcome.PASSED,
)
_FIELD = 13  # columns that the names of fields take


def run_page(
    run: Run,
    verdicts: Sequence[Verdict],
    now: int,
    *,
    limit: int = 0,
    tracebacks: bool = False,
) -> Iterator[Block]:
    """One run: its head, its counts, and the tests that did more or less than pass once.

    ``limit`` is the most executions to show, 0 for all; ``now`` is in µs UTC.
    """
    yield from _head(run, now)
    tallies = {outcome.word: run.outcomes.count(outcome.value) for outcome in Outcome}
    yield _field("tests", f"{len(run.suite)}: {counts(tallies) or 'none'}")
    given = _by_failure(verdicts)
    executions = sorted(run.executions, key=lambda one: _ORDER.index(one.outcome))
    if limit:
        executions = executions[:limit]
    for execution in executions:
        yield Line()
        yield from _execution(execution, given, tracebacks=tracebacks)


def _head(run: Run, now: int) -> Iterator[Line]:
    head = run.head
    yield _field("run", head.id)
    yield _field("project", run.project.label)
    yield _field("started", _started(head, now))
    if head.commit or head.branch:
        yield _field("commit", _commit(head))
    if head.pr:
        onto = f" into {head.base_branch}" if head.base_branch else ""
        yield _field("pull request", head.pr + onto)
    yield _field("state", head.state or "not known")
    if run.environment is not None:
        yield _field("environment", _values(run.environment.settings))
    place = {"build": head.build, "job": head.job, "shard": head.shard, "attempt": head.attempt}
    if any(value is not None for value in place.values()):
        yield _field("CI", _values(place))
    if head.selection:
        yield _field("selection", _values(head.selection))
    if head.context:
        yield _field("context", _values(head.context))
    if head.origin:
        yield _field("origin", _values(head.origin))
    yield _field("completeness", head.completeness.value)
    yield _field("trust", head.trust.value)


def _field(name: str, value: str) -> Line:
    return line(Span(f"{name:<{_FIELD}}", "faint"), value)


def _started(head: RunHead, now: int) -> str:
    text = f"{when(head.started)} ({ago(head.started, now)})"
    length = took(None if head.ended is None else head.ended - head.started)
    return f"{text}, took {length}" if length else text


def _commit(head: RunHead) -> str:
    text = head.commit or "none"
    if head.branch:
        text += f" on {head.branch}"
    if head.dirty:
        text += ", with uncommitted changes"
    return text


def _values(mapping: object) -> str:
    """A mapping on one line: "python 3.11, os Linux"; nothing for what is not known."""
    assert hasattr(mapping, "items")
    return ", ".join(
        f"{name} {value if isinstance(value, str) else _json(value)}"
        for name, value in mapping.items()
        if value is not None
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


# -- executions and verdicts -----------------------------------------------------------------

_Key = tuple[str, int, int]


def _by_failure(verdicts: Iterable[Verdict]) -> dict[_Key, list[Verdict]]:
    """Verdicts by node id, attempt and index of the failure, the joined one first."""
    found: dict[_Key, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda one: (one.fighter != JOINT, one.fighter)):
        found.setdefault((verdict.nodeid, verdict.attempt, verdict.index), []).append(verdict)
    return found


def _execution(
    execution: Execution, given: dict[_Key, list[Verdict]], *, tracebacks: bool
) -> Iterator[Line]:
    tone = OUTCOME_TONES.get(execution.outcome, "")
    attempt = f" (attempt {execution.attempt})" if execution.attempt > 1 else ""
    yield line(
        Span(execution.outcome.word.upper(), tone), " ", Span(execution.nodeid, "strong"), attempt
    )
    if execution.reason:
        yield line("  ", execution.reason)
    for index, failure in enumerate(execution.failures):
        yield line("  ", _failure(failure))
        for verdict in given.get((execution.nodeid, execution.attempt, index), ()):
            if verdict.fighter == JOINT:
                yield _verdict(verdict, "    ")
        if tracebacks:
            yield from (line("    ", text) for text in failure.text.splitlines())
            yield from _signature(failure, "    ")
    if tracebacks and execution.output:
        yield from (line("    ", text) for text in execution.output.splitlines())


def _signature(failure: Failure, indent: str) -> Iterator[Line]:
    """What `flakefighters purge` wants to be given."""
    if failure.signature:
        name = h128("signature", failure.signature)
        yield line(indent, Span(f"signature {name[:12]}", "faint"))


def _failure(failure: Failure) -> str:
    text = "in collection" if failure.facts.get("collection") else f"in {failure.phase.value}"
    if failure.subtest is not None:
        text += f", subtest {failure.subtest}"
    return f"{text}: {failure.exception or 'no exception'}"


def _verdict(verdict: Verdict, indent: str, by: str = "") -> Line:
    new = " (new: introduced here?)" if verdict.introduced else ""
    return line(
        indent,
        by,
        Span(verdict.label.value.upper(), _LABEL_TONES[verdict.label]),
        f" - {verdict.reason}{new} ",
        Span(f"[{verdict.confidence.value}]", "faint"),
    )


# -- one test through the runs ---------------------------------------------------------------


def results_page(rows: Sequence[Result], now: int) -> Iterator[Block]:
    """One test through the runs, newest first; at least one row.

    After a table of the runs comes all that is known of the newest one in which it failed.
    """
    names = short_ids(row.run.id for row in rows)
    tallies: dict[str, int] = {}
    for row in rows:
        tallies[row.outcome.word] = tallies.get(row.outcome.word, 0) + 1
    yield line(Span(rows[0].nodeid, "strong"))
    yield line(f"in {count(len(rows), 'run')}: {counts(tallies)}")
    yield Line()
    yield Table(
        (
            Column("RUN"),
            Column("STARTED"),
            Column("OUTCOME"),
            Column("TOOK", right=True),
            Column("COMMIT"),
            Column("VERDICT"),
        ),
        tuple(_row(row, names[row.run.id], now) for row in rows),
    )
    failed = next((row for row in rows if any(one.failures for one in row.executions)), None)
    if failed is not None:
        yield Line()
        yield line(f"Last failure: run {names[failed.run.id]}, {when(failed.run.started)}")
        yield from _last_failure(failed)


def _row(row: Result, name: str, now: int) -> tuple[Span, ...]:
    joined = [verdict for verdict in row.verdicts if verdict.fighter == JOINT]
    verdict = joined[-1] if joined else None
    return (
        Span(name, "strong"),
        Span(ago(row.run.started, now)),
        Span(row.outcome.word, OUTCOME_TONES.get(row.outcome, "")),
        Span(took(sum(row.durations))),
        Span(revision(row.run), "faint"),
        Span("")
        if verdict is None
        else Span(f"{verdict.label.value} - {verdict.reason}", _LABEL_TONES[verdict.label]),
    )


def _last_failure(row: Result) -> Iterator[Line]:
    given = _by_failure(row.verdicts)
    for execution in row.executions:
        for index, failure in enumerate(execution.failures):
            attempt = f"attempt {execution.attempt}, " if len(row.executions) > 1 else ""
            yield Line()
            yield line(attempt, _failure(failure))
            for verdict in given.get((execution.nodeid, execution.attempt, index), ()):
                by = "" if verdict.fighter == JOINT else f"{verdict.fighter}: "
                yield _verdict(verdict, "  " if verdict.fighter == JOINT else "    ", by)
                if verdict.fighter != JOINT and verdict.evidence:
                    yield line(Span(f"      evidence: {_json(dict(verdict.evidence))}", "faint"))
            yield from (line("  ", text) for text in failure.text.splitlines())
            yield from _signature(failure, "  ")
