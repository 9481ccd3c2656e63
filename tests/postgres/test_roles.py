"""Each role may do its task and nothing else, on a real server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError
from flakefighters.history import Evidence, came, open_history
from flakefighters.history.database import TRUST_RANKS
from flakefighters.history.layout import SCHEMA_VERSION, lock_key
from flakefighters.history.migrations import upgrade
from flakefighters.history.steps import Step
from flakefighters.ids import uuid7
from flakefighters.model import Target, Trust
from tests.history.made_runs import PROJECT, make_run, make_state, make_verdict
from tests.postgres.server import shared_server
from tests.postgres.team import TASKS, Team, team_on
from tests.sync.contents import clone_into, content, pull_into, push_to, save

RESULTS = {"t.py::a": "F", "t.py::b": ".", "t.py::c": "s"}


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    try:
        server = shared_server()
    except LookupError as error:
        pytest.skip(str(error))
    with team_on(server) as team:
        yield team


def trust_of(team: Team, run: str) -> Trust:
    with open_history(team.target("reader", read_only=True), create=False) as history:
        return history.find(run).trust


# -- what they may do ------------------------------------------------------------------------


@pytest.mark.parametrize(("task", "trust"), [("writer", Trust.PROTECTED), ("pr_writer", Trust.PR)])
def test_writers_record_and_their_runs_have_the_trust_of_the_role(
    team: Team, task: str, trust: Trust
) -> None:
    run = make_run(RESULTS, state=make_state(task, {"a.py": "0" * 16}))
    with open_history(team.target(task)) as history:
        assert history.trust is trust
        assert history.save(run, [make_verdict(run, "t.py::a")])
        assert not history.save(run)
        assert history.load(run.head.id).head.trust is trust
        assert history.past(["t.py::a"], history.recent(PROJECT.identity))["t.py::a"]
        later = make_verdict(run, "t.py::a")._replace(at=99)
        assert history.add_verdicts([later]) == 1
    assert trust_of(team, run.head.id) is trust


@pytest.mark.parametrize("task", ["curator", "reader"])
def test_others_record_nothing(team: Team, task: str) -> None:
    with open_history(team.target(task)) as history:
        assert history.trust is Trust.LOCAL
        with pytest.raises(DatabaseError, match=f"{team.names[task]} lacks rights") as caught:
            history.save(make_run())
    assert caught.value.remedy


@pytest.mark.parametrize("task", ["reader", "writer"])
def test_reading_and_copying(team: Team, tmp_path: Path, task: str) -> None:
    runs = [make_run(RESULTS, at=n, dirty=False) for n in range(2)]
    save(team.target("writer"), runs[0])
    local = Target(backend="sqlite", path=tmp_path / "local.db", display="local.db")
    way = team.target(task, read_only=True)
    assert clone_into(local, way).created
    save(team.target("pr_writer"), runs[1])
    assert pull_into(local, way).runs == 1
    assert content(local) == content(way)
    with open_history(local) as history:
        trusts = {head.id: head.trust for head in history.recent(PROJECT.identity)}
    assert trusts[runs[0].head.id] is Trust.PROTECTED
    assert trusts[runs[1].head.id] is Trust.PR


def test_pushed_runs_are_local_whoever_pushes(team: Team, tmp_path: Path) -> None:
    local = Target(backend="sqlite", path=tmp_path / "local.db", display="local.db")
    run = make_run(RESULTS, dirty=False)
    save(local, run)
    assert push_to(team.target("writer"), local).runs == 1
    assert trust_of(team, run.head.id) is Trust.LOCAL


def test_views_show_what_the_tables_do(team: Team) -> None:
    save(team.target("writer"), make_run(RESULTS))
    for view in ("runs", "executions", "tests", "failures", "verdicts", "members"):
        team.ask("reader", f"SELECT * FROM flakefighters.{view} LIMIT 1")
    assert team.ask("reader", "SELECT count(*) FROM flakefighters.runs") > [(0,)]
    # Somebody who was granted too much sees no row, in tables or through views.
    stranger = f"{team.names['reader']}_stranger"
    team.ask(
        "admin",
        f"CREATE ROLE {stranger}; GRANT USAGE ON SCHEMA flakefighters TO {stranger};"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA flakefighters TO {stranger}",
    )
    try:
        for name in ("run", "runs", "executions", "tests", "failures", "members"):
            counted = f"SET ROLE {stranger}; SELECT count(*) FROM flakefighters.{name}"
            assert team.ask("admin", counted) == [(0,)], name
    finally:
        team.ask("admin", f"DROP OWNED BY {stranger}; DROP ROLE {stranger}")


def test_a_curator_decides(team: Team) -> None:
    save(team.target("writer"), make_run(RESULTS))
    decision = (
        "INSERT INTO flakefighters.event SELECT '{}', id, 'mark', 't.py::a', '{{}}', NULL, 'ann', "
        "1, 'x' FROM flakefighters.project"
    )
    team.ask("curator", decision.format(uuid7()))
    for task in ("writer", "pr_writer", "reader"):
        with pytest.raises(Exception, match="permission denied"):
            team.ask(task, decision.format(uuid7()))


# -- what they may not -----------------------------------------------------------------------


@pytest.mark.parametrize("task", [task for task in TASKS if task != "owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE flakefighters.{table} SET {column} = {column}",
        "DELETE FROM flakefighters.{table}",
        "TRUNCATE flakefighters.{table} CASCADE",
        "DROP TABLE flakefighters.{table} CASCADE",
        "ALTER TABLE flakefighters.{table} DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON flakefighters.{table} USING (true)",
    ],
)
def test_nobody_but_the_owner_changes_or_removes(team: Team, task: str, statement: str) -> None:
    before = team.rights()
    for table, column in (("run", "id"), ("arrival", "trust"), ("meta", "value")):
        sql = statement.format(table=table, column=column)
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            team.ask(task, sql)
        # The server only warns of this one.
        team.ask(task, f"GRANT DELETE ON flakefighters.{table} TO PUBLIC")
    assert team.rights() == before


@pytest.mark.parametrize(
    ("task", "claim", "goes"),
    [
        ("writer", Trust.PROTECTED, True),
        ("writer", Trust.LOCAL, True),
        ("pr_writer", Trust.PROTECTED, False),
        ("pr_writer", Trust.PR, True),
        ("pr_writer", Trust.UNTRUSTED, True),
    ],
)
def test_nobody_claims_more_trust_than_was_given(
    team: Team, task: str, claim: Trust, goes: bool
) -> None:
    run = make_run(RESULTS)
    with open_history(team.target(task)) as history:
        if goes:
            assert history.save(run, trust=claim)
            assert trust_of(team, run.head.id) is claim
            return
        with pytest.raises(DatabaseError, match="row-level security"):
            history.save(run, trust=claim)
    with open_history(team.target("reader"), create=False) as history:
        assert run.head.id not in history.run_ids()  # nothing of it
    held = f"INSERT INTO flakefighters.arrival VALUES ('{uuid7()}', {TRUST_RANKS[claim]}, 1, 'x')"
    with pytest.raises(Exception, match="row-level security"):
        team.ask(task, held)


@pytest.mark.parametrize("rank", [-1, 4])
def test_trust_that_does_not_exist_is_refused(team: Team, rank: int) -> None:
    run = make_run(RESULTS)
    save(team.target("writer"), run)
    with pytest.raises(Exception, match="row-level security"):
        team.ask(
            "writer",
            f"INSERT INTO flakefighters.arrival VALUES ('{run.head.id}', {rank}, 1, 'x')",
        )


def test_pull_requests_add_nothing_to_protected_runs(team: Team) -> None:
    """A false failure or verdict in a run that others rest on."""
    run = make_run(RESULTS)
    save(team.target("writer"), run)
    false = make_verdict(run, "t.py::a")._replace(at=77)
    with open_history(team.target("pr_writer")) as history:
        assert history.add_verdicts([false]) == 0  # left out, and no trouble
        assert history.verdicts([run.head.id]) == ()
    ((test,),) = team.ask("reader", "SELECT min(test) FROM flakefighters.execution")
    false_rows = [
        f"execution (run, test, attempt, outcome) VALUES ('{run.head.id}', {test}, 9, 'F')",
        f"""failure (run, test, attempt, n, phase, failure_text)
        SELECT '{run.head.id}', {test}, 9, 0, 'call', id FROM flakefighters.failure_text""",
        f"""verdict (run, id, test, attempt, n, fighter, version, label, confidence, introduced,
        reason, at) VALUES ('{run.head.id}', '{uuid7()}', {test}, 1, 0, 'f', 1, 'flaky', 'proved',
        0, 'r', 1)""",
    ]
    for rows in false_rows:
        with pytest.raises(Exception, match="row-level security"):
            team.ask("pr_writer", f"INSERT INTO flakefighters.{rows}")
    with open_history(team.target("writer")) as history:
        assert history.add_verdicts([false]) == 1


def test_the_owner_may_do_all_of_it(team: Team) -> None:
    run = make_run(RESULTS)
    with open_history(team.target("owner")) as history:
        assert history.trust is Trust.LOCAL  # it was given none
        assert history.save(run)
    for table in ("failure", "execution", "arrival"):
        team.ask("owner", f"DELETE FROM flakefighters.{table} WHERE run = '{run.head.id}'")
    team.ask("owner", f"DELETE FROM flakefighters.run WHERE id = '{run.head.id}'")


def test_a_superuser_was_given_nothing(team: Team) -> None:
    with open_history(team.server.target(team.database)) as history:
        assert history.trust is Trust.LOCAL


def test_a_member_has_the_rights_of_its_role(team: Team) -> None:
    somebody = f"{team.names['reader']}_member"
    team.ask(
        "admin",
        f"CREATE ROLE {somebody} LOGIN PASSWORD '{team.password}';"
        f"GRANT {team.names['pr_writer']} TO {somebody}",
    )
    try:
        with open_history(team.target("reader")._replace(user=somebody)) as history:
            assert history.trust is Trust.PR
            assert history.save(make_run(RESULTS))
    finally:
        team.ask("admin", f"DROP ROLE {somebody}")


@pytest.mark.parametrize("task", [task for task in TASKS if task != "owner"])
def test_only_the_owner_upgrades(team: Team, task: str) -> None:
    step = Step(
        version=SCHEMA_VERSION + 1,
        oldest_reader=1,
        what="more",
        sqlite=(),
        postgresql=("CREATE TABLE __schema__.more (id int)",),
    )
    assert upgrade(team.target(task)).steps == ()  # there is nothing to do
    assert upgrade(team.target(task), steps=(step,), dry_run=True).steps == (step,)
    with pytest.raises(DatabaseError, match=f"{team.names[task]} may not upgrade it") as caught:
        upgrade(team.target(task), steps=(step,))
    assert "owner" in str(caught.value.remedy)


# -- what the weakest role cannot do to others -----------------------------------------------


def test_a_pull_requests_writer_spoils_nobodys_run(team: Team, tmp_path: Path) -> None:
    """Not a developer's run, a fork's, nor another one of its own: every clone would refuse it."""
    runs: dict[Trust, str] = {}
    for task, trust in (
        ("writer", Trust.LOCAL),
        ("writer", Trust.UNTRUSTED),
        ("writer", Trust.PROTECTED),
        ("pr_writer", Trust.PR),
    ):
        run = make_run(RESULTS, at=40 + len(runs), dirty=False)
        with open_history(team.target(task)) as history:
            assert history.save(run, [make_verdict(run, "t.py::a")], trust=trust)
        runs[trust] = run.head.id
    for trust, run_id in runs.items():
        for statement in (
            (
                "INSERT INTO flakefighters.execution (run, test, attempt, outcome) "
                f"SELECT '{run_id}', id, 9, 'F' FROM flakefighters.test LIMIT 1"
            ),
            (
                "INSERT INTO flakefighters.failure (run, test, attempt, n, phase, failure_text) "
                f"SELECT '{run_id}', test, attempt, 9, phase, failure_text "
                "FROM flakefighters.failure LIMIT 1"
            ),
        ):
            with pytest.raises(Exception, match="row-level security"):
                team.ask("pr_writer", statement)
        if trust in (Trust.LOCAL, Trust.PROTECTED):
            with pytest.raises(Exception, match="row-level security"):
                team.ask(
                    "pr_writer",
                    "INSERT INTO flakefighters.verdict (run, id, test, attempt, n, fighter, "
                    f"version, label, confidence, introduced, reason, at) SELECT '{run_id}', "
                    "gen_random_uuid(), test, attempt, n, fighter, version, 'flaky', confidence, "
                    "introduced, reason, at FROM flakefighters.verdict LIMIT 1",
                )
            with pytest.raises(Exception, match="row-level security"):
                team.ask(
                    "pr_writer",
                    "INSERT INTO flakefighters.arrival (run, trust, received, via) "
                    f"VALUES ('{run_id}', 1, 1, 'x')",
                )
    local = Target(backend="sqlite", path=tmp_path / "local.db", display="local.db")
    done = clone_into(local, team.target("reader", read_only=True))
    assert not {*runs.values()} & {*done.refused}


def test_what_it_may_not_add_is_left_out(team: Team) -> None:
    run = make_run(RESULTS, at=50, dirty=False)
    with open_history(team.target("writer")) as history:
        assert history.save(run, trust=Trust.LOCAL)
    with open_history(team.target("pr_writer")) as history:
        assert not history.save(run)
        assert history.add_verdicts([make_verdict(run, "t.py::a")]) == 0
    assert trust_of(team, run.head.id) is Trust.LOCAL


def test_a_held_lock_is_named_before_patience_ends(team: Team) -> None:
    with contextlib.closing(
        team.server.connect(team.database, user=team.names["reader"], password=team.password)
    ) as holder:
        cursor = holder.cursor()
        cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock({lock_key(team.schema)})")
        with (
            open_history(team.target("writer"), deadline=3.0) as history,
            pytest.raises(DatabaseError, match="holds its lock"),
        ):
            history.save(make_run(RESULTS, at=60))


def test_another_machines_own_run_is_untrusted_in_a_clone(team: Team, tmp_path: Path) -> None:
    """It is believed on the machine that made it, and there only."""
    run = make_run(RESULTS, at=70, dirty=False)
    with open_history(team.target("writer")) as history:
        assert history.save(run, trust=Trust.LOCAL)
        assert history.save(make_run(RESULTS, at=71, dirty=False))
    local = Target(backend="sqlite", path=tmp_path / "local.db", display="local.db")
    way = team.target("reader", read_only=True)
    clone_into(local, way)
    with open_history(local) as history:
        assert history.find(run.head.id).trust is Trust.UNTRUSTED
    assert pull_into(local, way).arrived == []
    with open_history(way, create=False) as history:
        evidence = Evidence(
            judged=run.head._replace(id="f" * 32, trust=Trust.LOCAL),
            sources=[(history, came(history, local))],
        )
        assert run.head.id not in {one.id for one in evidence.builds(50)}
        assert {one.trust for one in evidence.builds(50)} == {Trust.PROTECTED}
