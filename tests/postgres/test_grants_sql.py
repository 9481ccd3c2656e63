"""The SQL that ``flakefighters grants`` prints, run on a real server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flakefighters.errors import ConfigError
from flakefighters.history import open_history
from flakefighters.history.layout import COLUMNS
from flakefighters.history.roles import Roles
from flakefighters.history.roles_sql import grants_sql
from flakefighters.model import Target, Trust
from tests.history.made_runs import make_run
from tests.postgres.server import PostgresServer
from tests.postgres.team import Team, team_on
from tests.requirements import need_program
from tests.sync.contents import save

RESULTS = {"t.py::a": "F", "t.py::b": ".", "t.py::c": "s"}


@pytest.fixture(scope="module")
def team(postgres_server: PostgresServer) -> Iterator[Team]:
    with team_on(postgres_server) as team:
        yield team


def test_they_can_be_run_again(team: Team) -> None:
    before = team.rights()
    team.grant()
    assert team.rights() == before
    secure = team.ask(
        "admin",
        "SELECT count(*) FROM pg_class WHERE relrowsecurity "
        "AND relnamespace = 'flakefighters'::regnamespace",
    )
    assert secure == [(len(COLUMNS),)]


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
