"""Each role may do its task and nothing else, on a real server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flakefighters.errors import ConfigError, DatabaseError
from flakefighters.history import open_history
from flakefighters.history.layout import SCHEMA_VERSION, table_names
from flakefighters.history.migrations import Step, upgrade
from flakefighters.history.roles import Roles
from flakefighters.history.roles_sql import grants_sql
from flakefighters.history.write import TRUST_RANKS
from flakefighters.ids import uuid7
from flakefighters.model import Target, Trust
from tests.history.made_runs import PROJECT, make_run, make_state, make_verdict
from tests.postgres.server import PostgresServer, shared_server
from tests.postgres.team import TASKS, Team, team_on
from tests.requirements import need_program
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
        later = replace(make_verdict(run, "t.py::a"), at=99)
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
    before = rights(team)
    for table, column in (("run", "id"), ("arrival", "trust"), ("meta", "value")):
        sql = statement.format(table=table, column=column)
        with pytest.raises(Exception, match=r"permission denied|must be owner"):
            team.ask(task, sql)
        # The server only warns of this one.
        team.ask(task, f"GRANT DELETE ON flakefighters.{table} TO PUBLIC")
    assert rights(team) == before


def rights(team: Team) -> list[tuple[object, ...]]:
    """Everything that says who may do what."""
    return team.ask(
        "admin",
        "SELECT c.relname, c.relacl::text, c.relrowsecurity, c.relowner::regrole::text, "
        "array_agg(p.polname || p.polroles::text || coalesce(p.polwithcheck::text, '') "
        "ORDER BY p.polname) "
        "FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid "
        f"WHERE c.relnamespace = '{team.schema}'::regnamespace GROUP BY c.oid ORDER BY 1",
    )


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
    false = replace(make_verdict(run, "t.py::a"), at=77)
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
        with open_history(replace(team.target("reader"), user=somebody)) as history:
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


# -- the statements --------------------------------------------------------------------------


def test_they_can_be_run_again(team: Team) -> None:
    before = rights(team)
    team.grant()
    assert rights(team) == before
    secure = team.ask(
        "admin",
        "SELECT count(*) FROM pg_class WHERE relrowsecurity "
        "AND relnamespace = 'flakefighters'::regnamespace",
    )
    assert secure == [(len(table_names()),)]


def test_too_much_that_was_there_is_taken_away(team: Team) -> None:
    everything = "GRANT ALL ON ALL TABLES IN SCHEMA flakefighters TO {}"
    team.ask("admin", everything.format("PUBLIC") + ";" + everything.format(team.names["writer"]))
    team.ask("admin", "GRANT ALL ON SCHEMA flakefighters TO PUBLIC")
    team.grant()
    with pytest.raises(Exception, match="permission denied"):
        team.ask("writer", "DELETE FROM flakefighters.run")
    assert team.ask(
        "admin", "SELECT nspacl::text LIKE '%,=%' FROM pg_namespace WHERE nspname = 'flakefighters'"
    ) == [(False,)]


def test_a_web_api_is_shut_out(team: Team) -> None:
    team.ask("admin", "CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role")
    try:
        everything = (
            "GRANT ALL ON ALL TABLES IN SCHEMA flakefighters TO {0};"
            "GRANT ALL ON SCHEMA flakefighters TO {0};"
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {team.names['owner']} IN SCHEMA flakefighters "
            "GRANT ALL ON TABLES TO {0}"
        )
        for role in ("anon", "authenticated", "service_role"):
            team.ask("admin", everything.format(role))
            assert team.ask("admin", f"SET ROLE {role}; SELECT id FROM flakefighters.run") == []
        team.grant()
        for role in ("anon", "authenticated", "service_role"):
            with pytest.raises(Exception, match="permission denied for schema"):
                team.ask("admin", f"SET ROLE {role}; SELECT 1 FROM flakefighters.run")
        assert (
            team.ask("admin", "SELECT 1 FROM pg_default_acl WHERE defaclacl::text ~ 'anon'") == []
        )
    finally:
        team.ask("admin", "DROP ROLE anon, authenticated, service_role")


def test_tables_of_later_versions_can_be_read(team: Team) -> None:
    team.ask("owner", "CREATE TABLE flakefighters.later (id int)")
    try:
        assert team.ask("reader", "SELECT * FROM flakefighters.later") == []
        with pytest.raises(Exception, match="permission denied"):
            team.ask("writer", "INSERT INTO flakefighters.later VALUES (1)")
    finally:
        team.ask("owner", "DROP TABLE flakefighters.later")


def test_odd_names_are_names(postgres_server: PostgresServer) -> None:
    odd = "a\"'%s%%$do$;\\é "
    with team_on(postgres_server, schema=f"{odd}s", odd=odd) as team:
        save(team.target("writer"), make_run(RESULTS))
        team.grant()
        with open_history(team.target("pr_writer")) as history:
            assert history.trust is Trust.PR
            assert len(history.run_ids()) == 1


def test_psql_takes_them_as_they_are_printed(postgres_server: PostgresServer) -> None:
    program = need_program("psql")
    odd = "a\"'%s:x :'y' $do$;\\é "
    with team_on(postgres_server, odd=odd) as team:
        done = subprocess.run(
            [program, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", team.database],
            input=grants_sql("flakefighters", team.roles),
            env={
                "PATH": os.environ["PATH"],
                "PGHOST": "127.0.0.1",
                "PGPORT": str(postgres_server.port),
                "PGUSER": postgres_server.user,
                "PGPASSWORD": postgres_server.password,
                "PGCLIENTENCODING": "UTF8",
            },
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        save(team.target("writer"), make_run(RESULTS))


def test_an_owner_that_is_no_superuser_can_run_them(postgres_server: PostgresServer) -> None:
    """As in hosted databases: one role makes the others, and hands the history over."""
    with team_on(postgres_server) as team:
        chief, owner = f"{team.names['owner']}_chief", f"{team.names['owner']}_2"
        team.ask("admin", f"CREATE ROLE {chief} LOGIN CREATEROLE PASSWORD '{team.password}'")
        team.ask("admin", f"GRANT CREATE ON DATABASE {team.database} TO {chief} WITH GRANT OPTION")
        for name in team.names.values():
            team.ask("admin", f"GRANT {name} TO {chief} WITH ADMIN OPTION")
        old = team.names["owner"]
        team.names |= {"owner": chief}
        roles = Roles.named("flakefighters", **{**team.names, "owner": owner})
        team.ask("owner", grants_sql("flakefighters", roles))
        save(team.target("writer"), make_run(RESULTS))
        assert team.ask("admin", "SELECT tableowner FROM pg_tables WHERE tablename = 'run'") == [
            (owner,)
        ]
        team.ask("admin", f"DROP OWNED BY {chief}, {owner}, {old}; DROP ROLE {owner}, {chief}")
        team.names["owner"] = old


def test_a_writer_that_owns_the_history_is_refused(
    postgres_server: PostgresServer, postgres_target: Target
) -> None:
    """Rights can only be taken from whoever does not own what they are about."""
    with team_on(postgres_server) as team:
        roles = replace(team.roles, owner=None, writer=team.names["owner"])
        with pytest.raises(Exception, match=r"could remove all of it[\s\S]*--owner NAME"):
            team.ask("admin", grants_sql("flakefighters", roles))
        with pytest.raises(Exception, match=r"holds no history yet[\s\S]*upgrade"):
            team.ask("admin", grants_sql("elsewhere", team.roles))


def test_a_database_without_grants_believes_everybody_alike(postgres_target: Target) -> None:
    with open_history(postgres_target) as history:
        assert history.trust is Trust.LOCAL
        run = make_run(RESULTS)
        assert history.save(run)
        assert history.load(run.head.id).head.trust is Trust.LOCAL


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"writer": "a", "reader": "a"}, "cannot be reader and writer at once"),
        ({"writer": "public"}, "no role can be called public"),
        ({"reader": "pg_reader"}, "no role can be called"),
        ({"curator": "x\n; DROP"}, "invisible characters"),
        ({"owner": "é" * 32}, "longer than 63 bytes"),
        ({"owner": ""}, "is empty"),
    ],
)
def test_impossible_names(names: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Roles.named("flakefighters", **names)
