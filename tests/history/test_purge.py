"""What is purged is gone, and does not come back by any way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flakefighters.errors import ConflictError, DatabaseError
from flakefighters.history import History, content, open_history, purge, upkeep
from flakefighters.history.database import Database
from flakefighters.history.intake import Saved
from flakefighters.history.purge_text import (
    ORIGIN,
    PLACEHOLDER,
    marked_in,
    origin_of,
    purged_run,
    purged_verdicts,
    signature_id,
)
from flakefighters.model import Run, Target, Trust
from tests.history.leaks import SECRET, SIGNATURE, leaking_run, leaking_verdict
from tests.history.made_runs import make_failure, make_run, make_verdict

NAME = signature_id(SIGNATURE)
STONE: purge.Tombstone = ("signature", NAME, 5, "somebody")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE", 0.0)


def normal(run: Run) -> Run:
    return content.normal(run)


def says_secret(history: History) -> bool:
    """Whether any text of any table holds the secret."""
    tables = {
        "failure_text": "signature || text",
        "failure": "coalesce(subtest, '') || coalesce(facts, '')",
        "execution": "coalesce(reason, '') || coalesce(output, '')",
        "evidence": "body",
        "verdict": "reason",
        "tombstone": "id",
    }
    return any(
        SECRET in text
        for table, texts in tables.items()
        for (text,) in history.database.query(f"SELECT {texts} FROM {{s}}{table}")
    )


# -- the pure part ---------------------------------------------------------------------------


def test_what_is_left_of_a_run() -> None:
    run = normal(leaking_run())
    made = purged_run(run, {NAME})
    assert SECRET not in str(made)
    first, again, other = made.executions
    assert [failure.text for failure in first.failures] == [PLACEHOLDER, "E another"]
    assert first.failures[0].exception == "ValueError"
    assert first.failures[0].signature == f"{PLACEHOLDER} {NAME}"
    assert again.output == first.output == first.reason == PLACEHOLDER
    assert other == run.executions[2]
    assert made.outcomes == run.outcomes
    assert made.head.extra == {ORIGIN: origin_of(run)}
    assert purged_run(made, {NAME}) is made
    assert purged_run(run, {signature_id("another")}) is run


def test_what_is_left_of_verdicts() -> None:
    run = normal(leaking_run())
    said = [
        leaking_verdict(run),
        leaking_verdict(run, "t.py::b")._replace(reason="quotes it in its evidence"),
        make_verdict(run, "t.py::b"),
    ]
    made = purged_verdicts(said, {NAME}, marked_in(run, {NAME}))
    assert SECRET not in str(made)
    assert [one.reason == PLACEHOLDER for one in made] == [True, True, False]
    assert [one.label for one in made] == [one.label for one in said]
    assert purged_verdicts(made, {NAME}, marked_in(purged_run(run, {NAME}), {NAME})) == made


signatures = st.sampled_from(["one", "two", "three", ""])


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.lists(st.lists(signatures, max_size=3), min_size=1, max_size=4),
    st.lists(signatures, max_size=4),
)
def test_tombstones_commute(texts: Sequence[Sequence[str]], order: Sequence[str]) -> None:
    run = make_run({f"t.py::{n}": "F" for n in range(len(texts))})
    executions = [
        one._replace(failures=tuple(make_failure(text, signature=text) for text in said))
        for one, said in zip(run.executions, texts, strict=True)
    ]
    run = normal(run._replace(executions=tuple(executions)))
    at_once = purged_run(run, {signature_id(text) for text in order if text})
    stepwise = run
    for text in order:
        stepwise = purged_run(stepwise, {signature_id(text)} if text else set())
    assert stepwise == at_once
    assert purged_run(at_once, {signature_id(text) for text in order if text}) is at_once
    assert origin_of(stepwise) == origin_of(run)


# -- in a history ----------------------------------------------------------------------------


def test_a_run_is_gone_and_stays_away(history: History) -> None:
    run, other = leaking_run(), make_run(at=1)
    history.save(run, [leaking_verdict(run)])
    history.save(other)
    done = purge.purge(history.database, ("run", run.head.id, 5, "me"))
    assert done.runs == 1
    assert history.run_ids() == {other.head.id}
    assert not says_secret(history)
    assert history.save(run) is Saved.PURGED
    assert history.run_ids() == {other.head.id}
    assert not purge.purge(history.database, ("run", run.head.id, 5, "me"))


def test_a_run_that_never_was_here_is_kept_out(history: History) -> None:
    run = make_run()
    assert purge.purge(history.database, ("run", run.head.id, 5, "me")).runs == 0
    assert history.save(run) is Saved.PURGED
    assert history.run_ids() == set()


def test_a_signature_is_emptied_everywhere(history: History) -> None:
    runs = [normal(leaking_run(at=at)) for at in range(3)]
    clean = normal(make_run({"t.py::b": "F"}, at=9))
    for run in runs:
        history.save(run, [leaking_verdict(run), make_verdict(run, "t.py::b")])
    history.save(clean, [make_verdict(clean, "t.py::b")])
    assert says_secret(history)
    assert purge.find_signatures(history.database, NAME[:8]) == {NAME: SIGNATURE}
    assert purge.affected(history.database, [NAME]) == {run.head.id for run in runs}
    done = purge.purge(history.database, STONE)
    assert done.emptied == 3
    assert not says_secret(history)
    assert history.load(clean.head.id) == clean
    for run in runs:
        assert history.load(run.head.id) == purged_run(run, {NAME})
        said = {one.nodeid: one.reason for one in history.verdicts([run.head.id])}
        assert said == {"t.py::leak": PLACEHOLDER, "t.py::b": "passed on the same state"}
        # The hash is that of what is there.
        made = purged_run(run, {NAME})
        assert history.content_hashes([run.head.id]) == {
            run.head.id: content.content_hash(made, None)
        }
    assert not purge.purge(history.database, STONE)
    assert purge.affected(history.database, [NAME]) == set()


def test_nothing_of_it_comes_in_again(history: History) -> None:
    known = normal(leaking_run())
    history.save(known, [leaking_verdict(known)])
    purge.purge(history.database, STONE)
    before = history.content_hashes([known.head.id])
    # The same run from a machine that does not know of it yet.
    assert history.save(known, [leaking_verdict(known)]) is Saved.KNOWN
    assert history.content_hashes([known.head.id]) == before
    # A verdict on it.
    late = leaking_verdict(known, at=known.head.started + 7)
    history.add_verdicts([late])
    # A run that leaks again.
    fresh = normal(leaking_run(at=5))
    assert history.save(fresh, [leaking_verdict(fresh)]) is Saved.NEW
    assert not says_secret(history)
    assert history.load(fresh.head.id) == purged_run(fresh, {NAME})
    assert history.save(fresh) is Saved.KNOWN


def test_a_purged_copy_is_the_same_run(history: History) -> None:
    run = normal(leaking_run())
    made = purged_run(run, {NAME})
    # No tombstone here: whoever sent the purged one had no right to send it.
    assert history.save(run) is Saved.NEW
    assert history.save(made) is Saved.KNOWN
    assert history.load(run.head.id) == run
    other = normal(leaking_run(at=3))
    assert history.save(purged_run(other, {NAME})) is Saved.NEW
    assert history.save(other) is Saved.KNOWN
    with pytest.raises(ConflictError):
        history.save(other._replace(outcomes="F.."))


def test_who_claims_to_be_purged_gains_no_trust(history: History) -> None:
    run = normal(leaking_run())
    lie = run._replace(outcomes="...", executions=())
    lie = lie._replace(head=lie.head._replace(extra={ORIGIN: origin_of(run)}))
    history.save(lie, trust=Trust.UNTRUSTED)
    with pytest.raises(ConflictError):
        history.save(run, trust=Trust.PROTECTED)
    assert history.find(run.head.id).trust is Trust.UNTRUSTED


def test_an_untrusted_copy_of_an_untrusted_run_is_no_conflict(history: History) -> None:
    run = normal(leaking_run())
    history.save(purged_run(run, {NAME}), trust=Trust.UNTRUSTED)
    assert history.save(run, trust=Trust.UNTRUSTED) is Saved.KNOWN


def test_of_equal_tombstones_the_earliest_counts(history: History) -> None:
    database = history.database
    for at, by, new in ((5, "b", 1), (7, "a", 0), (5, "b", 0), (5, "a", 1), (3, "z", 1)):
        assert purge.add_tombstones(database, [("run", "0" * 32, at, by)]) == new
    assert purge.tombstones(database) == {("run", "0" * 32): ("run", "0" * 32, 3, "z")}


def test_killed_in_between_the_next_one_completes(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [leaking_run(at=at) for at in range(7)]
    for run in runs:
        history.save(run, [leaking_verdict(run)])
    genuine, steps = upkeep.Pace.batch, 0

    def dying(pace: upkeep.Pace, database: Database) -> object:
        nonlocal steps
        steps += 1
        if steps == limit:
            raise KeyboardInterrupt
        return genuine(pace, database)

    monkeypatch.setattr(upkeep.Pace, "batch", dying)
    monkeypatch.setattr(upkeep.Pace.__init__, "__defaults__", (2,))
    for limit in range(1, 20):  # noqa: B007 - read in dying()
        steps = 0
        try:
            purge.purge(history.database, STONE)
        except KeyboardInterrupt:
            for name in history.run_ids():
                history.load(name)
            continue
        break
    assert limit > 2
    assert not says_secret(history)
    assert len(history.run_ids()) == 7


# -- bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["run", "signature"])
def test_no_byte_of_it_is_left_in_the_file(sqlite_target: Target, kind: str) -> None:
    path = sqlite_target.path
    assert path is not None
    needle = SECRET.encode()
    runs = [leaking_run(at=at) for at in range(40)]
    with open_history(sqlite_target) as history:
        for run in runs:
            history.save(run, [leaking_verdict(run)])
        # Left over in free space, as after a prune.
        with history.database.alone() as free:
            upkeep.remove_runs(free, [run.head.id for run in runs[:20]])
        files = [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
        assert any(needle in each.read_bytes() for each in files)
        rows = [("run", run.head.id, 1, "me") for run in runs] if kind == "run" else [STONE]
        purge.add_tombstones(history.database, rows[1:])
        purge.purge(history.database, rows[0])
        # Before the history is closed.
        for each in path.parent.iterdir():
            assert needle not in each.read_bytes(), each.name
    assert all(needle not in each.read_bytes() for each in path.parent.iterdir())


def test_a_reader_keeps_bytes_and_is_named(
    new_target: Callable[[], Target], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend != "sqlite":
        pytest.skip("a server looks after its files itself")
    from flakefighters.history import space
    from flakefighters.history.sqlite import SqliteDatabase

    monkeypatch.setattr(space, "_LOCK_SECONDS", 0.1)
    target = new_target()
    run = leaking_run()
    with open_history(target) as history, open_history(target) as other:
        history.save(run)
        assert isinstance(other.database, SqliteDatabase)
        reading = other.database.connection
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM run").fetchall()
        with pytest.raises(DatabaseError, match="bytes are still in the file"):
            purge.purge(history.database, STONE)
        assert not says_secret(history)
        reading.execute("COMMIT")
        purge.purge(history.database, STONE)
        assert target.path is not None
        assert SECRET.encode() not in target.path.read_bytes()
