"""From a run to rows, in one transaction and as few questions as possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from flakefighters.errors import ConflictError, NotFoundError
from flakefighters.history import content, pack
from flakefighters.history.chains import listing_chain, suite_chain
from flakefighters.history.content import to_json
from flakefighters.history.database import Database, Row, Writer
from flakefighters.history.intake import Saved, marks, purged_names, same_origin
from flakefighters.history.pack import ListingLink, SuiteLink
from flakefighters.history.purge_text import marked_in, origin_of, purged_run, purged_verdicts
from flakefighters.history.unreadable import MALFORMED
from flakefighters.ids import storable
from flakefighters.model import Execution, Run, Trust, Verdict

__all__ = ["TRUST_RANKS", "insert_executions", "insert_verdicts", "save", "save_verdicts"]

#: How trust is stored.
TRUST_RANKS: Final = {Trust.PROTECTED: 0, Trust.PR: 1, Trust.LOCAL: 2, Trust.UNTRUSTED: 3}

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

_RUN_COLUMNS: Final = (
    "id version content_hash project started ended clock_offset build job shard attempt "
    "commit_id tree branch base_branch pr dirty state listing environment suite sequence "
    "completeness selection origin context extra seen outcomes durations"
)
_VERDICT_COLUMNS: Final = (
    "run id test attempt n fighter version label confidence introduced reason evidence at"
)


def closed_to(trust: Trust, best: int | None) -> bool:
    """Whether nothing can be added to a run that has this rank, by a role of this trust.

    The server's policies say the same, see ``roles_sql.py``.
    """
    return trust is Trust.PR and best in (TRUST_RANKS[Trust.PROTECTED], TRUST_RANKS[Trust.LOCAL])


def _text(value: str | None) -> str | None:
    return None if value is None else storable(value)


def _filled(value: Any) -> str | None:
    """JSON of a mapping, None for an empty one."""
    return to_json(value) if value else None


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
    head, state, environment = run.head, run.state, run.environment
    identity = run.project.identity
    project = content.project_id(identity)
    tests = content.test_ids(identity, run.suite)
    suite = content.suite_id(tests)
    files = None if state is None else state.files
    listing = None if files is None else content.listing_id(files)
    content_hash = content.content_hash(run, listing)
    rulings = _rulings(identity, verdicts)
    with database.writing(
        _QUESTION,
        run=head.id,
        suite=suite,
        listing=listing,
        environment=None if environment is None else storable(environment.id),
        project=project,
    ) as writer:
        known, best, has_suite, has_listing, has_environment, near, *rest = writer.answer[0]
        near_listing, extra, horizon, buried, signatures = rest
        if buried:
            return Saved.PURGED
        names = purged_names(writer) if signatures else frozenset()
        if names:
            run = purged_run(run, names)
            verdicts = purged_verdicts(verdicts, names, marked_in(run, names))
            head, content_hash = run.head, content.content_hash(run, listing)
            rulings = _rulings(identity, verdicts)
        if known is not None:
            # Who only claims to be the same run must not stand for one that is trusted.
            safe = trust is Trust.UNTRUSTED or (
                best is not None and best < TRUST_RANKS[Trust.UNTRUSTED]
            )
            if known != content_hash:
                if safe and same_origin(known, extra, origin_of(run)):
                    return Saved.KNOWN
                raise ConflictError(
                    f"run {head.id} is in this history with other content",
                    remedy="the run that is there was kept; nothing was written",
                )
            raised = best is None or TRUST_RANKS[trust] < best
            if raised and not closed_to(database.trust, best):
                _insert_arrival(writer, head.id, trust, now, via)
            return Saved.KNOWN
        if horizon is not None and head.started < horizon:
            return Saved.BEYOND

        label = storable(run.project.label)
        writer.insert("project", "id identity label", [(project, storable(identity), label)])
        link = None
        if not has_suite:
            chain: Sequence[SuiteLink] = ()
            covered: set[int] = set()
            with suppress(*MALFORMED):  # what is damaged is no base: the row stands alone
                near_chain = suite_chain(writer, near) if near else ()
                covered = set(pack.order_of(near_chain)) if near_chain else set()
                chain = near_chain
            link = pack.link_suite(suite, tests, chain)
        nodeids = {} if has_suite else dict(zip(tests, run.suite, strict=True))
        in_suite = set(tests)
        for nodeid in {execution.nodeid for execution in run.executions}.union(
            verdict.nodeid for verdict in verdicts
        ):
            (test,) = content.test_ids(identity, (nodeid,))
            if test not in in_suite:
                nodeids[test] = nodeid
        writer.insert(
            "test",
            "id project nodeid masked",
            [
                (test, project, storable(nodeids[test]), _text(content.masked(nodeids[test])))
                for test in sorted(nodeids)
                if link is None or test not in covered
            ],
        )
        if link is not None:
            columns = "id n base added removed places"
            writer.insert("suite", columns, [link.row()])
        if listing is not None and files is not None and not has_listing:
            listings: Sequence[ListingLink] = ()
            with suppress(*MALFORMED):
                near_chains = listing_chain(writer, near_listing) if near_listing else ()
                pack.files_of(near_chains)
                listings = near_chains
            row = pack.link_listing(listing, files, listings).row()
            writer.insert("listing", "id n base files", [row])
        if state is not None:
            row = (storable(state.id), _text(state.tree), _text(state.digest))
            writer.insert("state", "id tree digest", [row])
        if environment is not None and not has_environment:
            writer.insert(
                "environment",
                "id key settings distributions",
                [
                    (
                        storable(environment.id),
                        storable(environment.key),
                        to_json(environment.settings),
                        to_json(environment.distributions),
                    )
                ],
            )
        order = None if run.order is None else to_json(run.order)
        sequence = None if order is None else content.sequence_id(order)
        if sequence is not None:
            writer.insert("sequence", "id body", [(sequence, order)])
        _insert_texts(writer, run.executions)
        writer.insert(
            "run",
            _RUN_COLUMNS,
            [
                (
                    head.id,
                    content.RECORD_VERSION,
                    content_hash,
                    project,
                    head.started,
                    head.ended,
                    head.clock_offset,
                    _text(head.build),
                    _text(head.job),
                    _text(head.shard),
                    head.attempt,
                    _text(head.commit),
                    _text(head.tree),
                    _text(head.branch),
                    _text(head.base_branch),
                    _text(head.pr),
                    None if head.dirty is None else int(head.dirty),
                    _text(head.state),
                    listing,
                    _text(head.environment),
                    suite,
                    sequence,
                    str(head.completeness),
                    _filled(head.selection),
                    _filled(head.origin),
                    _filled(head.context),
                    _filled(head.extra),
                    _filled(run.seen),
                    pack.pack_outcomes(tests, run.outcomes),
                    pack.pack_durations(tests, run.durations),
                )
            ],
        )
        _insert_executions(writer, head.id, identity, run.executions)
        _insert_arrival(writer, head.id, trust, now, via)
        _insert_verdicts(writer, rulings)
    return Saved.NEW


def insert_executions(writer: Writer, run: Run) -> None:
    """Insert all executions of a run with their failures."""
    _insert_texts(writer, run.executions)
    _insert_executions(writer, run.head.id, run.project.identity, run.executions)


def insert_verdicts(writer: Writer, identity: str, verdicts: Sequence[Verdict]) -> None:
    """Insert verdicts on runs of a project."""
    bodies, rows = _rulings(identity, verdicts)
    _insert_verdicts(writer, (bodies, rows))


def _insert_arrival(writer: Writer, run: str, trust: Trust, now: int, via: str) -> None:
    row = (run, TRUST_RANKS[trust], now, storable(via))
    writer.insert("arrival", "run trust received via", [row])


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
    columns = "id signature signature_version exception text"
    writer.insert("failure_text", columns, [rows[name] for name in sorted(rows)])


def _insert_executions(
    writer: Writer, run: str, identity: str, executions: Sequence[Execution]
) -> None:
    attempts: list[Row] = []
    failures: list[Row] = []
    tests = content.test_ids(identity, [execution.nodeid for execution in executions])
    for test, execution in zip(tests, executions, strict=True):
        timed = any(duration is not None for duration in execution.durations)
        attempts.append(
            (
                run,
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
                run,
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
    columns = "run test attempt outcome durations reason worker output"
    writer.insert("execution", columns, sorted(attempts, key=lambda row: row[:3]))
    columns = "run test attempt n phase subtest failure_text facts"
    writer.insert("failure", columns, sorted(failures, key=lambda row: row[:4]))


# -- Verdicts --------------------------------------------------------------------------------


def _rulings(identity: str, verdicts: Sequence[Verdict]) -> tuple[list[Row], list[Row]]:
    """Rows of ``evidence`` and of ``verdict``."""
    bodies: dict[str, str] = {}
    rows: dict[tuple[str, str], Row] = {}
    tests = content.test_ids(identity, [verdict.nodeid for verdict in verdicts])
    for test, verdict in zip(tests, verdicts, strict=True):
        evidence = None
        if verdict.evidence:
            body = to_json(verdict.evidence)
            evidence = content.evidence_id(body)
            bodies[evidence] = body
        name = content.verdict_id(verdict, test, evidence)
        rows[verdict.run, name] = (
            verdict.run,
            name,
            test,
            verdict.attempt,
            verdict.index,
            storable(verdict.fighter),
            verdict.version,
            str(verdict.label),
            str(verdict.confidence),
            int(verdict.introduced),
            storable(verdict.reason),
            evidence,
            verdict.at,
        )
    return sorted(bodies.items()), [rows[key] for key in sorted(rows)]


def _insert_verdicts(writer: Writer, rulings: tuple[list[Row], list[Row]]) -> None:
    bodies, rows = rulings
    writer.insert("evidence", "id body", bodies)
    writer.insert("verdict", _VERDICT_COLUMNS, rows)


_QUESTION_VERDICTS: Final = """
SELECT r.id, p.identity, v.id, (SELECT min(a.trust) FROM {s}arrival a WHERE a.run = r.id),
  (SELECT count(*) FROM {s}tombstone WHERE kind = 'signature')
FROM {s}run r JOIN {s}project p ON p.id = r.project
LEFT JOIN {s}verdict v ON v.run = r.id WHERE r.id IN {hash:runs}
"""


def save_verdicts(database: Database, verdicts: Sequence[Verdict]) -> int:
    """See :meth:`flakefighters.history.store.History.add_verdicts`."""
    if not verdicts:
        return 0
    wanted = sorted({verdict.run for verdict in verdicts})
    with database.writing(_QUESTION_VERDICTS, runs=to_json(wanted)) as writer:
        identities = {row[0]: row[1] for row in writer.answer}
        known = {row[2] for row in writer.answer}
        best = {row[0]: row[3] for row in writer.answer}
        missing = [run for run in wanted if run not in identities]
        if missing:
            raise NotFoundError(f"no run {missing[0]} in this history to judge")
        if writer.answer[0][4]:
            names = purged_names(writer)
            verdicts = purged_verdicts(verdicts, names, marks(writer, wanted, names))
        bodies: dict[str, str] = {}
        rows: list[Row] = []
        for run in wanted:
            if closed_to(database.trust, best[run]):
                continue  # the server would refuse it
            own = [verdict for verdict in verdicts if verdict.run == run]
            more_bodies, more_rows = _rulings(identities[run], own)
            bodies.update(more_bodies)
            rows += [row for row in more_rows if row[1] not in known]
        used = {row[11] for row in rows}
        bodies = {name: bodies[name] for name in sorted(bodies) if name in used}
        _insert_verdicts(writer, (list(bodies.items()), rows))
    return len(rows)
