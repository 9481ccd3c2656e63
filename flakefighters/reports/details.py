"""The pages of ``flakefighters show`` and ``flakefighters explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from flakefighters.ids import h128
from flakefighters.model import Execution, Failure, Label, Outcome, Run, RunHead, Verdict
from flakefighters.model.rows import ExecutionRow, Flakiness
from flakefighters.model.trust import imported_from
from flakefighters.reports.evidence import evidence_lines
from flakefighters.reports.lists import LABEL_TONES, OUTCOME_TONES
from flakefighters.reports.page import Block, Column, Line, Span, Table, line
from flakefighters.reports.verdicts import Given, by_failure, labels, of_result
from flakefighters.reports.words import ago, briefly, counts, rate, revision, short_ids, took, when
from flakefighters.words import count

__all__ = ["results_page", "run_page", "tests_page"]

#: Keys of evidence that only experiments have.
_TRIED = frozenset({"trials", "steps"})
#: What nobody can read.
_HASHES = frozenset({"variables"})
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
    fields = [
        *_head(run, now),
        ("tests", f"{len(run.suite)}: {counts(run.tally) or 'none'}"),
    ]
    if numbers := labels(verdicts):
        fields.append(("verdicts", counts({label.value: n for label, n in numbers.items()})))
    rows = tuple((Span(name, "faint"), Span(value)) for name, value in fields)
    yield Table((Column(""), Column("")), rows, narrow="wrap")
    given = by_failure(verdicts)
    executions = sorted(run.executions, key=lambda one: _ORDER.index(one.outcome))
    if limit:
        executions = executions[:limit]
    for execution in executions:
        yield Line()
        yield from _execution(execution, given, tracebacks=tracebacks)


def _head(run: Run, now: int) -> Iterator[tuple[str, str]]:
    head = run.head
    yield ("run", head.id)
    yield ("project", run.project.label)
    yield ("started", _started(head, now))
    if head.commit or head.branch:
        yield ("commit", _commit(head))
    if head.pr:
        onto = f" into {head.base_branch}" if head.base_branch else ""
        yield ("pull request", head.pr + onto)
    yield ("state", head.state or "not known")
    if run.environment is not None:
        yield ("environment", _values(run.environment.settings))
    place = {"build": head.build, "job": head.job, "shard": head.shard, "attempt": head.attempt}
    if any(value is not None for value in place.values()):
        yield ("CI", _values(place))
    if head.selection:
        yield ("selection", _values(head.selection))
    context = {name: value for name, value in head.context.items() if name not in _HASHES}
    if context:
        yield ("context", _values(context))
    if head.origin:
        yield ("origin", _values(head.origin))
    yield ("completeness", head.completeness.value)
    yield ("trust", head.trust.value)


def _started(head: RunHead, now: int) -> str:
    text = f"{when(head.started)} ({ago(head.started, now)})"
    length = took(head.length)
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

_Givens = Mapping[tuple[str, int, int], Given]
#: What "introduced here?" means.
_INTRODUCED = (
    "introduced here? - it is flaky, but it ran what changed since it was last stable: "
    "that change may have made it flaky"
)


def _execution(execution: Execution, given: _Givens, *, tracebacks: bool) -> Iterator[Line]:
    tone = OUTCOME_TONES.get(execution.outcome, "")
    attempt = f" (attempt {execution.attempt})" if execution.attempt > 1 else ""
    yield line(
        Span(execution.outcome.word.upper(), tone), " ", Span(execution.nodeid, "strong"), attempt
    )
    if execution.reason:
        yield line("  ", execution.reason)
    for index, failure in enumerate(execution.failures):
        yield line("  ", _failure(failure))
        found = given.get((execution.nodeid, execution.attempt, index))
        if found is not None and found.stands is not None:
            yield _verdict(found.stands, "    ", was=found.was)
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


def _verdict(verdict: Verdict, indent: str, by: str = "", was: Label | None = None) -> Line:
    before = "" if was is None else f" (was: {was.value})"
    return line(
        indent,
        by,
        Span(verdict.label.value.upper(), LABEL_TONES[verdict.label]),
        f" - {verdict.why}{before} ",
        Span(f"[{verdict.confidence.value}]", "faint"),
    )


# -- one test through the runs ---------------------------------------------------------------


def results_page(
    rows: Sequence[ExecutionRow], now: int, flakiness: Flakiness | None = None
) -> Iterator[Block]:
    """One test through the runs, newest first; at least one row.

    After a table of the runs comes all that is known of the newest one in which it failed.
    """
    names = short_ids(row.run.id for row in rows)
    tallies: dict[str, int] = {}
    for row in rows:
        tallies[row.outcome.word] = tallies.get(row.outcome.word, 0) + 1
    yield line(Span(rows[0].nodeid, "strong"))
    yield line(f"in {count(len(rows), 'run')}: {counts(tallies)}")
    if imported := sum(imported_from(row.run) is not None for row in rows):
        yield line(f"{imported} of them imported from other tools, which prove nothing")
    if flakiness is not None and flakiness.failures:
        yield line(_by_chance(flakiness))
    yield Line()
    yield Table(
        (
            Column("RUN"),
            Column("STARTED"),
            Column("OUTCOME", least=10),
            Column("TOOK", right=True, leave=1),
            Column("COMMIT", leave=2),
            Column("VERDICT"),
        ),
        tuple(_row(row, names[row.run.id], now) for row in rows),
        narrow="wrap",
    )
    failed = next((row for row in rows if any(one.failures for one in row.executions)), None)
    if failed is not None:
        yield Line()
        yield line(f"Last failure: run {names[failed.run.id]}, {when(failed.run.started)}")
        yield from _last_failure(failed)


def _by_chance(found: Flakiness) -> str:
    return (
        f"fails by chance in {rate(found.rate)} of executions"
        f" ({100 * found.low:.0f} to {rate(found.high)}):"
        f" {found.failures} of {count(found.executions, 'execution')} that can be compared"
    )


def _row(row: ExecutionRow, name: str, now: int) -> tuple[Span, ...]:
    verdict = of_result(row.verdicts)
    started = ago(row.run.started, now)
    return (
        Span(name, "strong"),
        Span(started, short=briefly(started)),
        Span(row.outcome.word, OUTCOME_TONES.get(row.outcome, "")),
        Span(took(sum(row.durations))),
        Span(revision(row.run), "faint"),
        Span("")
        if verdict is None
        else Span(f"{verdict.label.value} - {verdict.reason}", LABEL_TONES[verdict.label]),
    )


def _last_failure(row: ExecutionRow) -> Iterator[Line]:
    given = by_failure(row.verdicts)
    for execution in row.executions:
        for index, failure in enumerate(execution.failures):
            attempt = f"attempt {execution.attempt}, " if len(row.executions) > 1 else ""
            yield Line()
            yield line(attempt, _failure(failure))
            found = given.get((execution.nodeid, execution.attempt, index))
            if found is not None:
                yield from _account(found)
            yield from (line("  ", text) for text in failure.text.splitlines())
            yield from _signature(failure, "  ")


def _account(given: Given) -> Iterator[Line]:
    """The verdict that stands, then each flakefighter's with its evidence."""
    if given.stands is not None:
        yield _verdict(given.stands, "  ", was=given.was)
        if given.stands.introduced:
            yield line(Span(f"    {_INTRODUCED}", "faint"))
        if given.was is not None or _TRIED & given.stands.evidence.keys():
            # What proved it is in no flakefighter's words.
            yield from _evidence(given.stands, "    ")
    for verdict in given.said:
        yield _verdict(verdict, "    ", f"{verdict.fighter}: ")
        yield from _evidence(verdict, "      ")


def _evidence(verdict: Verdict, indent: str) -> Iterator[Line]:
    for sentence in evidence_lines(verdict.evidence):
        yield line(Span(f"{indent}{sentence}", "faint"))


# -- several tests ---------------------------------------------------------------------------


def tests_page(
    asked: str, table: Table, failures: Sequence[ExecutionRow], now: int, left: int
) -> Iterator[Block]:
    """The tests that a name stands for, and the last failure of each that failed.

    ``left`` is the number of tests with failures that are not among ``failures``.
    """
    yield line(Span(asked, "strong"), f": {count(len(table.rows), 'test')}")
    yield Line()
    yield table
    for row in failures:
        verdict = of_result(row.verdicts)
        name = row.run.id[-4:]
        yield Line()
        yield line(Span(row.nodeid, "strong"))
        yield line(f"  last failed in run {name}, {ago(row.run.started, now)}")
        if verdict is not None:
            yield _verdict(verdict, "  ")
        for execution in row.executions[-1:]:
            yield from (line("  ", _failure(failure)) for failure in execution.failures)
    if left:
        yield Line()
        yield line(f"and {left} more with failures")
