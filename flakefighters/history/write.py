"""From a run to rows, in one transaction and as few questions as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from flakefighters.errors import ConflictError
from flakefighters.history import content, pack, run_columns
from flakefighters.history.chains import chain as chain_of
from flakefighters.history.content import to_json
from flakefighters.history.database import TRUST_RANKS
from flakefighters.history.intake import Saved, closed_to, purged_names, same_origin
from flakefighters.history.pack import ListingLink, SuiteLink
from flakefighters.history.run_columns import Form
from flakefighters.history.unreadable import MALFORMED
from flakefighters.ids import storable
from flakefighters.model import Trust
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.history.database import Database, Row, Writer
    from flakefighters.model import Execution, Run, Verdict

__all__ = ["insert_executions", "save"]

# What is there already, and what new rows can be relative to: of the last 20 runs, the newest
# listing, and the newest of the largest suites (a selection of some tests is a poor base).
_QUESTION: Final = """
SELECT
  (SELECT content_hash FROM {s}run WHERE id = :run),
  (SELECT min(trust) FROM {s}arrival WHERE run = :run),
  (SELECT 1 FROM {s}suite WHERE id = :suite),
  (SELECT 1 FROM {s}listing WHERE id = :listing),
  (SELECT 1 FROM {s}environment WHERE id = :environment),
  (SELECT x.suite FROM (SELECT suite, started FROM {s}run WHERE project = :project
     ORDER BY started DESC, id DESC LIMIT 20) x JOIN {s}suite s ON s.id = x.suite
     ORDER BY s.n DESC, x.started DESC LIMIT 1),
  (SELECT x.listing FROM (SELECT listing, started FROM {s}run WHERE project = :project
     ORDER BY started DESC, id DESC LIMIT 20) x WHERE x.listing IS NOT NULL
     ORDER BY x.started DESC LIMIT 1),
  (SELECT extra FROM {s}run WHERE id = :run),
  (SELECT max("before") FROM {s}horizon WHERE project = :project),
  (SELECT count(*) FROM {s}tombstone WHERE kind = 'run' AND id = :run),
  (SELECT count(*) FROM {s}tombstone WHERE kind = 'signature')
"""


def _text(value: str | None) -> str | None:
    return None if value is None else storable(value)


def _filled(value: Any) -> str | None:
    """JSON of a mapping, None for an empty one."""
    return to_json(value) if value else None


class _There(NamedTuple):
    """What ``_QUESTION`` answers of the run and its parts: what is there, and what is near."""

    content_hash: str | None
    best_trust: int | None
    suite: int | None
    listing: int | None
    environment: int | None
    near_suite: str | None
    near_listing: str | None
    extra: str | None
    horizon: int | None
    tombstones: int
    signatures: int


class _Keys(NamedTuple):
    """The names of the shared facts of a run, see ``content.py``."""

    project: int
    tests: Sequence[int]
    suite: str
    listing: str | None
    environment: str | None
    sequence: str | None
    #: JSON of the order of start, None if tests started as collected.
    order: str | None

    @classmethod
    def of(cls, run: Run) -> _Keys:
        identity = run.project.identity
        tests = content.test_ids(identity, run.suite)
        order = None if run.order is None else to_json(run.order)
        return cls(
            project=content.project_id(identity),
            tests=tests,
            suite=content.suite_id(tests),
            listing=content.listing_of(run),
            environment=None if run.environment is None else storable(run.environment.id),
            sequence=None if order is None else content.sequence_id(order),
            order=order,
        )


def save(
    database: Database,
    run: Run,
    verdicts: Sequence[Verdict],
    *,
    via: str,
    trust: Trust,
    now: int,
) -> Saved:
    """See :meth:`flakefighters.history.store.History.save`; ``now`` in µs UTC."""
    run = content.normal(run)
    keys = _Keys.of(run)
    # Nothing that can be done before waits inside the transaction.
    content_hash = content.content_hash(run, keys.listing)
    evidence, judged = _rulings(run, verdicts)
    with database.writing(
        _QUESTION,
        run=run.head.id,
        suite=keys.suite,
        listing=keys.listing,
        environment=keys.environment,
        project=keys.project,
    ) as writer:
        there = _There(*writer.answer[0])
        if there.tombstones:
            return Saved.PURGED
        names = purged_names(writer) if there.signatures else frozenset()
        if names:
            from flakefighters.history.purge_text import marked_in, purged_run, purged_verdicts

            run = purged_run(run, names)
            verdicts = purged_verdicts(verdicts, names, marked_in(run, names))
            content_hash = content.content_hash(run, keys.listing)
            evidence, judged = _rulings(run, verdicts)
        if there.content_hash is not None:
            better = _is_better(run, content_hash, trust, there)
            if better and not closed_to(database.trust, there.best_trust):
                _insert_arrival(writer, run.head.id, trust, now, via)
            return Saved.KNOWN
        if there.horizon is not None and run.head.started < there.horizon:
            return Saved.BEYOND
        _insert_tests(writer, run, verdicts, keys, there)
        _insert_place(writer, run, keys, there)
        if keys.sequence is not None:
            writer.insert("sequence", [(keys.sequence, keys.order)])
        writer.insert("run", [_run_row(run, content_hash, keys)])
        insert_executions(writer, run)
        _insert_arrival(writer, run.head.id, trust, now, via)
        writer.insert("evidence", evidence)
        writer.insert("verdict", judged)
    return Saved.NEW


def _rulings(run: Run, verdicts: Sequence[Verdict]) -> tuple[list[Row], list[Row]]:
    """Rows of ``evidence`` and of ``verdict``."""
    if not verdicts:
        return [], []  # most runs have none, and need nothing for it
    from flakefighters.history import rulings

    return rulings.rows_of(run.project.identity, verdicts)


def _is_better(run: Run, content_hash: str, trust: Trust, there: _There) -> bool:
    """Whether a run that is there becomes more trusted by the copy that has come.

    ConflictError if its content is another one.
    """
    best = there.best_trust
    if there.content_hash == content_hash:
        return best is None or TRUST_RANKS[trust] < best
    # A run that only claims to be the same must not stand for one that is trusted.
    safe = trust is Trust.UNTRUSTED or (best is not None and best < TRUST_RANKS[Trust.UNTRUSTED])
    from flakefighters.history.purge_text import origin_of

    known = str(there.content_hash)
    if safe and same_origin(known, there.extra, origin_of(run)):
        return False
    raise ConflictError(
        f"run {run.head.id} is in this history with other content",
        remedy="the run that is there was kept; nothing was written",
    )


def _insert_tests(
    writer: Writer, run: Run, verdicts: Sequence[Verdict], keys: _Keys, there: _There
) -> None:
    """The project, and of the suite and the tests those that are not there yet."""
    identity, project = run.project.identity, keys.project
    label = storable(run.project.label)
    writer.insert("project", [(project, storable(identity), label)])
    link = None
    covered: set[int] = set()
    nodeids: dict[int, str] = {}
    if not there.suite:
        chain: Sequence[SuiteLink] = ()
        with suppress(*MALFORMED):  # what is damaged is no base: the row stands alone
            near = chain_of(writer, SuiteLink, there.near_suite) if there.near_suite else ()
            covered = set(pack.order_of(near)) if near else set()
            chain = near
        link = pack.link_suite(keys.suite, keys.tests, chain)
        nodeids.update(zip(keys.tests, run.suite, strict=True))
    # Tests that were reported or judged, but never collected.
    others = {one.nodeid for one in run.executions} | {one.nodeid for one in verdicts}
    in_suite = set(keys.tests)
    for nodeid in others:
        (test,) = content.test_ids(identity, (nodeid,))
        if test not in in_suite:
            nodeids[test] = nodeid
    writer.insert(
        "test",
        [
            (test, project, storable(nodeids[test]), _text(content.masked(nodeids[test])))
            for test in sorted(nodeids)
            if test not in covered
        ],
    )
    if link is not None:
        writer.insert("suite", [link.row()])


def _insert_place(writer: Writer, run: Run, keys: _Keys, there: _There) -> None:
    """What was tested, and where: listing, state and environment."""
    state, environment = run.state, run.environment
    if state is not None and state.files is not None and not there.listing:
        chain: Sequence[ListingLink] = ()
        with suppress(*MALFORMED):  # as above
            near = chain_of(writer, ListingLink, there.near_listing) if there.near_listing else ()
            pack.files_of(near)
            chain = near
        link = pack.link_listing(str(keys.listing), state.files, chain)
        writer.insert("listing", [link.row()])
    if state is not None:
        said = (storable(state.id), _text(state.tree), _text(state.digest))
        writer.insert("state", [said])
    if environment is not None and not there.environment:
        facts = (to_json(environment.settings), to_json(environment.distributions))
        row = (storable(environment.id), storable(environment.key), *facts)
        writer.insert("environment", [row])


_STORED: Final[dict[Form, Callable[[Any], Any]]] = {
    Form.PLAIN: lambda value: value,
    Form.TEXT: _text,
    Form.FLAG: lambda value: None if value is None else int(value),
    Form.WORD: str,
    Form.MAPPING: _filled,
}


def _run_row(run: Run, content_hash: str, keys: _Keys) -> Row:
    """The row of ``run``: fields of the head, and what is worked out here."""
    own = {
        "version": content.RECORD_VERSION,
        "content_hash": content_hash,
        "project": keys.project,
        "listing": keys.listing,
        "suite": keys.suite,
        "sequence": keys.sequence,
        "seen": _filled(run.seen),
        "outcomes": pack.pack_outcomes(keys.tests, run.outcomes),
        "durations": pack.pack_durations(keys.tests, run.durations),
    }
    return tuple(
        own[column.name]
        if column.field is None
        else _STORED[column.form](getattr(run.head, column.field))
        for column in run_columns.COLUMNS
    )


def _insert_arrival(writer: Writer, run: str, trust: Trust, now: int, via: str) -> None:
    row = (run, TRUST_RANKS[trust], now, storable(via))
    writer.insert("arrival", [row])


def _insert_texts(writer: Writer, executions: Iterable[Execution]) -> None:
    rows = {}
    for execution in executions:
        for failure in execution.failures:
            name = content.failure_text_id(failure)
            rows[name] = (
                name,
                storable(failure.signature),
                failure.signature_version,
                _text(failure.exception),
                storable(failure.text),
            )
    writer.insert("failure_text", [rows[name] for name in sorted(rows)])


def insert_executions(writer: Writer, run: Run) -> None:
    """Insert all executions of a run with their failures."""
    name, executions = run.head.id, run.executions
    _insert_texts(writer, executions)
    attempts: list[Row] = []
    failures: list[Row] = []
    tests = content.test_ids(run.project.identity, [one.nodeid for one in executions])
    for test, execution in zip(tests, executions, strict=True):
        timed = any(duration is not None for duration in execution.durations)
        attempts.append(
            (
                name,
                test,
                execution.attempt,
                str(execution.outcome),
                to_json(execution.durations) if timed else None,
                _text(execution.reason),
                _text(execution.worker),
                _text(execution.output),
            )
        )
        failures += [
            (
                name,
                test,
                execution.attempt,
                n,
                str(failure.phase),
                _text(failure.subtest),
                content.failure_text_id(failure),
                _filled(failure.facts),
            )
            for n, failure in enumerate(execution.failures)
        ]
    writer.insert("execution", sorted(attempts, key=lambda row: row[:3]))
    writer.insert("failure", sorted(failures, key=lambda row: row[:4]))
