"""The schema of a history: every table, with the reason of every column.

This is the one place where the schema is described, but for the columns of ``run``, which stand in
``history/run_columns.py``.  It is *not* imported when a history is used: the statements made from
it are kept in ``history/ddl/`` and the description in ``docs/schema.md``.  After any change here
run ``python -m flakefighters.history.generate``; a test fails as long as the three disagree.

When you change the schema:

1. Never change what a released version wrote: histories of that version exist.  Add a step from
   the version before to ``history/steps.py``, which raises ``SCHEMA_VERSION``, and keep that
   version's DDL files.
2. A new column is NULL for old rows, and must mean then what was true before it existed.
3. A new fact of a run goes into ``run.extra`` or a new table; the content hash of runs that are
   there may not change.  If the hash must cover more, raise ``RECORD_VERSION`` (``content.py``):
   each run says by which recipe it was hashed.
4. If a version cannot be read by older clients, its step says so as ``oldest_reader``.
5. Never delete a history because its version is not yours.

Types: *hash* is 128 bits in hexadecimal (UUID on PostgreSQL, TEXT on SQLite), *number* a signed
integer, *JSON* is JSON text without blanks, keys sorted.  Times are microseconds since the
epoch in UTC.  NUL, lone surrogates and U+0011 in any text are written as U+0011 and four
hexadecimal digits.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import TypeEngine

from flakefighters.history import run_columns
from flakefighters.history.run_columns import Kind

__all__ = ["define"]

_TYPES: Final[dict[Kind, TypeEngine[Any]]] = {
    Kind.HASH: Text().with_variant(UUID(), "postgresql"),
    Kind.NUMBER: BigInteger().with_variant(Integer(), "sqlite"),
    Kind.COUNT: Integer(),
    Kind.SMALL: SmallInteger().with_variant(Integer(), "sqlite"),
    Kind.TEXT: Text(),
    # The same in the database, but the description tells them apart.
    Kind.JSON: Text(),
}
HASH, NUMBER, COUNT, SMALL, TEXT, JSON = Kind


def _column(name: str, kind: Kind, comment: str, *more: ForeignKey, **how: bool) -> Column[Any]:
    return Column(name, _TYPES[kind], *more, comment=comment, info={"kind": kind}, **how)  # type: ignore[arg-type]


def _key(name: str, kind: Kind, comment: str) -> Column[Any]:
    return _column(name, kind, comment, primary_key=True, autoincrement=False)


def _must(name: str, kind: Kind, comment: str, *more: ForeignKey) -> Column[Any]:
    return _column(name, kind, comment, *more, nullable=False)


def _may(name: str, kind: Kind, comment: str, *more: ForeignKey) -> Column[Any]:
    return _column(name, kind, comment, *more, nullable=True)


def _run_column(column: run_columns.Column) -> Column[Any]:
    if column.name == "id":
        return _key(column.name, column.kind, column.comment)
    refers = () if column.refers_to is None else (ForeignKey(f"{column.refers_to}.id"),)
    return (_must if column.required else _may)(column.name, column.kind, column.comment, *refers)


def define(schema: str | None = None) -> MetaData:
    """Describe all tables, in an order in which they can be created and filled."""
    metadata = MetaData(schema=schema)
    _define_names(metadata)
    _define_shared(metadata)
    _define_failure_text(metadata)
    _define_run(metadata)
    _define_parts(metadata)
    _define_rulings(metadata)
    _define_decisions(metadata)
    return metadata


def _define_names(metadata: MetaData) -> None:
    Table(
        "meta",
        metadata,
        _key("key", TEXT, "schema_version, oldest_reader, database_id."),
        _must("value", TEXT, "Its value, as text."),
        comment="What this database is.  The only rows that are ever updated.",
        sqlite_with_rowid=False,
    )
    Table(
        "project",
        metadata,
        _key("id", NUMBER, "First 64 bits of the hash of ('project', identity)."),
        _must("identity", TEXT, "Canonical name, for example github.com/acme/shop."),
        _must("label", TEXT, "The name to show; the first one that arrived."),
        comment="What a history keeps apart.",
    )
    Table(
        "test",
        metadata,
        _key("id", NUMBER, "First 64 bits of the hash of ('test', project's identity, nodeid)."),
        _must("project", NUMBER, "The project.", ForeignKey("project.id")),
        _must("nodeid", TEXT, "pytest's node id; the path is relative to git's top level."),
        _may("masked", TEXT, "The node id without unstable parts; NULL if it has none."),
        comment="What a node id names within a project.",
    )


def _define_shared(metadata: MetaData) -> None:
    Table(
        "suite",
        metadata,
        _key("id", HASH, "Hash of ('suite', ids of its tests in collection order)."),
        _must("n", COUNT, "How many tests it has."),
        _may("base", HASH, "The suite that the rest is relative to.", ForeignKey("suite.id")),
        _must("added", JSON, "Ids of tests that the base lacks, in order of collection."),
        _must("removed", JSON, "Ids of tests that only the base has, ascending."),
        _may(
            "places",
            JSON,
            "NULL: all of it is in `added`.  Else {'at': [...]}, where in the collection order "
            "each of `added` stands, the others keeping the base's order; or {'order': [...]}, "
            "the collection order as positions in the ascending test ids.",
        ),
        comment="What a run collected, in order.  Chains of bases have at most 32 links.",
    )
    Table(
        "listing",
        metadata,
        _key("id", HASH, "Hash of ('listing', path to blob of all files)."),
        _must("n", COUNT, "How many files it has."),
        _may("base", HASH, "The listing that the rest is relative to.", ForeignKey("listing.id")),
        _must("files", JSON, "{'set': {path: first 16 digits of the blob id}, 'gone': [path]}."),
        comment="The files of a state, as in the work tree.",
    )
    Table(
        "state",
        metadata,
        _key("id", TEXT, "Made by the client from tree and digest."),
        _may("tree", TEXT, "git's tree id of the commit checked out; NULL without git."),
        _may("digest", TEXT, "Hash of uncommitted and untracked files; NULL when clean."),
        comment="What was checked out and tested.",
    )
    Table(
        "environment",
        metadata,
        _key("id", TEXT, "Made by the client from the rest."),
        _must("key", TEXT, "Equal where runs can be compared: hash of the settings."),
        _must("settings", JSON, "Implementation, Python, OS, CI job, options of pytest, ..."),
        _must("distributions", JSON, "Installed distributions: name to version."),
        comment="Where a run ran.",
    )
    Table(
        "sequence",
        metadata,
        _key("id", HASH, "Hash of ('sequence', body)."),
        _must("body", JSON, "Positions in the suite's collection order, one list per worker."),
        comment="The order in which tests started, where it is not the collection order.",
    )


def _define_failure_text(metadata: MetaData) -> None:
    text = Table(
        "failure_text",
        metadata,
        _key("id", HASH, "Hash of ('failure', signature, version, exception, text)."),
        _must("signature", TEXT, "What equal failures share; empty if it has none."),
        _must("signature_version", COUNT, "Version of the rule that made the signature."),
        _may("exception", TEXT, "Qualified name of the exception's type."),
        _must("text", TEXT, "The traceback, redacted, without what differs in every run."),
        comment="What failures say, once for all equal ones.",
    )
    Index("failure_text_signature", text.c.signature)


def _define_run(metadata: MetaData) -> None:
    run = Table(
        "run",
        metadata,
        *map(_run_column, run_columns.COLUMNS),
        comment="One pytest session.",
    )
    Index("run_recent", run.c.project, run.c.started, run.c.id)
    Index("run_state", run.c.project, run.c.state, run.c.started)


def _define_parts(metadata: MetaData) -> None:
    Table(
        "execution",
        metadata,
        _must("run", HASH, "The run.", ForeignKey("run.id")),
        _must("test", NUMBER, "The test."),
        _must("attempt", COUNT, "From 1."),
        _must("outcome", TEXT, "A character as in run.outcomes."),
        _may(
            "durations", JSON, "[setup, call, teardown] in µs, null for a phase that did not run."
        ),
        _may("reason", TEXT, "Why it was skipped or expected to fail, or how it ended."),
        _may("worker", TEXT, "The pytest-xdist worker."),
        _may("output", TEXT, "Captured output, if the profile stores it."),
        PrimaryKeyConstraint("run", "test", "attempt"),
        comment="One attempt at a test, only of tests that are not 'one attempt, passed'.",
        sqlite_with_rowid=False,
    )
    Table(
        "failure",
        metadata,
        _must("run", HASH, "The run.", ForeignKey("run.id")),
        _must("test", NUMBER, "The test."),
        _must("attempt", COUNT, "The attempt."),
        _must("n", COUNT, "Which failing report of the attempt, from 0."),
        _must("phase", TEXT, "setup, call or teardown."),
        _may("subtest", TEXT, "The subtest's description; NULL for the phase itself."),
        _must("failure_text", HASH, "What it says.", ForeignKey("failure_text.id")),
        _may("facts", JSON, "What judges need and the text may not show: example, seed."),
        PrimaryKeyConstraint("run", "test", "attempt", "n"),
        comment="One failing report: a phase or a subtest.",
        sqlite_with_rowid=False,
    )
    Table(
        "arrival",
        metadata,
        _must("run", HASH, "The run.", ForeignKey("run.id")),
        _must("trust", SMALL, "0 protected, 1 pr, 2 local, 3 untrusted; the lowest counts."),
        _must("received", NUMBER, "When it arrived here."),
        _must("via", TEXT, "How: session, spool, push, pull, ..."),
        PrimaryKeyConstraint("run", "trust"),
        comment="How runs reached this database.  Never leaves it, and no part of any hash.",
        sqlite_with_rowid=False,
    )


def _define_rulings(metadata: MetaData) -> None:
    Table(
        "evidence",
        metadata,
        _key("id", HASH, "Hash of ('evidence', body)."),
        _must("body", JSON, "Baseline, changes, matching failures, history seen."),
        comment="What verdicts rest on; stands alone.",
    )
    Table(
        "verdict",
        metadata,
        _must("run", HASH, "The run of the failure.", ForeignKey("run.id")),
        _must("id", HASH, "Hash of ('verdict', all other columns; evidence by its id)."),
        _must("test", NUMBER, "The test."),
        _must("attempt", COUNT, "The attempt."),
        _must("n", COUNT, "Which failing report of the attempt."),
        _must("fighter", TEXT, "Who says so."),
        _must("version", COUNT, "Its version."),
        _must("label", TEXT, "flaky, genuine or undecided."),
        _must("confidence", TEXT, "proved, strong, fair or weak."),
        _must("introduced", SMALL, "1 if a change may have brought the failure in, else 0."),
        _must("reason", TEXT, "One plain sentence."),
        _may("evidence", HASH, "What it rests on.", ForeignKey("evidence.id")),
        _must("at", NUMBER, "When it was made."),
        PrimaryKeyConstraint("run", "id"),
        comment="What one flakefighter says of one failure.",
        sqlite_with_rowid=False,
    )


def _define_decisions(metadata: MetaData) -> None:
    event = Table(
        "event",
        metadata,
        _key("id", HASH, "UUIDv7."),
        _must("project", NUMBER, "The project.", ForeignKey("project.id")),
        _must("kind", TEXT, "mark, quarantine, ..."),
        _must("target", TEXT, "What it is about: a node id, a signature, a run."),
        _must("value", JSON, "What is said of it."),
        _may("supersedes", JSON, "Ids of earlier events that it replaces."),
        _must("by", TEXT, "Who said it."),
        _must("at", NUMBER, "When."),
        _must("content_hash", TEXT, "SHA-256 of the rest."),
        comment="What people decided.",
    )
    Index("event_target", event.c.project, event.c.target)
    Table(
        "tombstone",
        metadata,
        _must("kind", TEXT, "run or signature."),
        _must("id", TEXT, "What was removed and may not come back."),
        _must("at", NUMBER, "When."),
        _must("by", TEXT, "By whom."),
        PrimaryKeyConstraint("kind", "id"),
        comment="What was purged; always travels, and beats insertion.",
        sqlite_with_rowid=False,
    )
    Table(
        "horizon",
        metadata,
        _must("project", NUMBER, "The project.", ForeignKey("project.id")),
        _must("before", NUMBER, "Runs that started before this are not kept."),
        PrimaryKeyConstraint("project", "before"),
        comment="How far back a project's history goes here; the latest counts.",
        sqlite_with_rowid=False,
    )
