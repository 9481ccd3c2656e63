"""The command ``check`` against a real server, and through a real pooler."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest

from flakefighters.checks import Budget, rights
from flakefighters.checks.line import ServerLine
from flakefighters.checks.server import Facts
from flakefighters.history import open_history
from flakefighters.history.roles import Roles
from flakefighters.history.roles_sql import grants_sql
from flakefighters.model import Target
from tests.cli.conftest import Command, Said, Shop
from tests.cli.pgbouncer import pgbouncer
from tests.cli.test_check import finding, statuses
from tests.cli.test_login import BACKEND, ROOT, pipe
from tests.postgres.server import PostgresServer, shared_server

VARIABLE = "FLAKEFIGHTERS_PROFILES__TEAM__"


@pytest.fixture(scope="module")
def server() -> PostgresServer:
    try:
        return shared_server()
    except LookupError as error:
        pytest.skip(str(error))


@dataclass
class Team:
    """A database, a role in it that is nobody special, and a profile for that role."""

    server: PostgresServer
    database: str
    role: str
    password: str
    patch: pytest.MonkeyPatch
    command: Command

    def sql(self, *statements: str) -> None:
        """As the administrator; {role} is filled in."""
        for statement in statements:
            self.server.ask(statement.format(role=self.role), self.database)

    def history(self) -> None:
        """The administrator makes one; the role gets into it, no more."""
        with open_history(self.server.target(self.database)):
            pass
        self.sql("GRANT USAGE ON SCHEMA flakefighters TO {role}")

    def use(self, role: str, password: str, port: int | None = None) -> None:
        """Let the profile log in so."""
        where = f"127.0.0.1:{port or self.server.port}/{self.database}"
        self.patch.setenv(f"{VARIABLE}URL", f"postgresql://{role}:{password}@{where}")

    def check(self, **fields: str) -> Said:
        """Check the profile; no password may show."""
        for name, value in fields.items():
            self.patch.setenv(VARIABLE + name.upper(), value)
        said = self.command("check", "team", "--json")
        assert self.password not in said.out + said.err
        assert self.server.password not in said.out + said.err
        return said

    def messages(self, said: Said, step: str) -> list[str]:
        return [
            f"{one['message']} | {one['remedy']}"
            for one in said.json["checks"]
            if one["step"] == step and one["status"] == "failed"
        ]


@pytest.fixture
def team(
    server: PostgresServer, empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Team]:
    database = server.create_database()
    role, password = f"plain_{secrets.token_hex(4)}", secrets.token_hex(12)
    server.ask(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    team = Team(server, database, role, password, monkeypatch, command)
    team.use(role, password)
    yield team
    server.drop_database(database)
    server.ask(f"DROP ROLE {role}")


WRITES = "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA flakefighters TO {role}"
READS = "GRANT SELECT ON ALL TABLES IN SCHEMA flakefighters TO {role}"


def test_a_writer_with_least_rights(team: Team) -> None:
    team.history()
    team.sql(WRITES)
    said = team.check()
    assert said.code == 0
    assert finding(said, "password")["message"].startswith(f"from {VARIABLE}URL, for {team.role}@")
    assert f"as {team.role}" in finding(said, "login")["message"]
    assert "encoding UTF8" in finding(said, "version")["message"]
    assert finding(said, "pooler")["message"] == "none in between"
    assert {one["remedy"] for one in said.json["checks"]} == {None}
    steps = "settings password network TLS login version rights pooler exposure packages"
    assert list(statuses(said)) == steps.split()
    plain = team.command("check", "team")
    assert (plain.code, plain.err) == (0, "")
    assert team.password not in plain.out
    assert plain.out.splitlines()[-1] == "11 ok"


def test_the_first_run_may_create_it(team: Team) -> None:
    team.sql("GRANT CREATE ON DATABASE " + team.database + " TO {role}")
    said = team.check()
    assert said.code == 0
    assert "may create it in schema flakefighters" in finding(said, "rights")["message"]


def test_nobody_has_made_it_and_the_role_may_not(team: Team) -> None:
    said = team.check()
    assert said.code == 1
    (message,) = team.messages(said, "rights")
    assert "may not create one" in message
    assert f"CREATE SCHEMA flakefighters AUTHORIZATION {team.role}" in message


def test_an_empty_schema_that_the_role_owns(team: Team) -> None:
    team.sql("CREATE SCHEMA flakefighters AUTHORIZATION {role}")
    assert team.check().code == 0
    assert "GRANT" not in str(team.check().json)


def test_the_owner_as_writer_is_told_that_less_is_enough(team: Team) -> None:
    team.sql("CREATE SCHEMA flakefighters AUTHORIZATION {role}")
    own = team.server.target(team.database)
    with open_history(own._replace(user=team.role, password=_secret(team.password))):
        pass
    said = team.check()
    assert said.code == 0
    advice = [one["remedy"] for one in said.json["checks"] if one["step"] == "rights"][-1]
    assert "change and remove" in advice


def _secret(text: str) -> Any:
    from flakefighters.model import Secret

    return Secret(text)


@pytest.mark.parametrize(
    ("grants", "lack"),
    [
        ((), "lacks SELECT on any table"),
        ((READS,), "lacks INSERT on any table"),
        (
            (WRITES, "REVOKE INSERT ON flakefighters.run, flakefighters.suite FROM {role}"),
            "lacks INSERT on run, suite",
        ),
        (("REVOKE USAGE ON SCHEMA flakefighters FROM {role}",), "may not enter schema"),
    ],
)
def test_missing_rights_are_named_with_the_grant(
    team: Team, grants: tuple[str, ...], lack: str
) -> None:
    team.history()
    team.sql(*grants)
    said = team.check()
    assert said.code == 1
    (message,) = team.messages(said, "rights")
    assert lack in message
    # The remedies are SQL that helps.
    for _ in range(3):
        team.sql(message.partition("as the owner: ")[2])
        said = team.check()
        if said.code == 0:
            return
        (message,) = team.messages(said, "rights")
    pytest.fail(f"still {message}")


def test_a_reader_needs_less(team: Team) -> None:
    team.history()
    team.sql(READS)
    said = team.check(read_only="true")
    assert said.code == 0
    team.sql(WRITES)
    said = team.check()
    assert said.code == 0
    assert "use a role that may not" in str(said.json)


def test_a_reader_of_nothing(team: Team) -> None:
    said = team.check(read_only="true")
    assert team.messages(said, "rights") == [
        "schema flakefighters holds no history yet | let a run that may write record there first"
    ]


def test_a_superuser_is_too_much(team: Team) -> None:
    team.use(team.server.user, team.server.password)
    said = team.check()
    assert said.code == 1
    (message,) = team.messages(said, "rights")
    assert "is a superuser" in message


@pytest.mark.parametrize(
    ("attribute", "words"), [("CREATEROLE", "make other roles"), ("BYPASSRLS", "ignore row-level")]
)
def test_a_role_that_may_more_than_others(team: Team, attribute: str, words: str) -> None:
    team.history()
    team.sql(WRITES, "ALTER ROLE {role} " + attribute)
    (message,) = team.messages(team.check(), "rights")
    assert words in message


def test_security_by_row_that_lets_nothing_through(team: Team) -> None:
    team.history()
    team.sql(WRITES, "ALTER TABLE flakefighters.run ENABLE ROW LEVEL SECURITY")
    (message,) = team.messages(team.check(), "rights")
    assert "row-level security hides run" in message
    team.sql("CREATE POLICY all_of_it ON flakefighters.run USING (true) WITH CHECK (true)")
    assert team.check().code == 0


def test_a_schema_of_another_version(team: Team) -> None:
    team.history()
    team.sql(WRITES, "UPDATE flakefighters.meta SET value = '99' WHERE key = 'schema_version'")
    (message,) = team.messages(team.check(), "rights")
    assert "upgrade flakefighters" in message


def test_somebody_elses_schema(team: Team) -> None:
    team.sql(
        "CREATE SCHEMA flakefighters AUTHORIZATION {role}",
        "CREATE TABLE flakefighters.meta (key text, value text)",
        "GRANT SELECT ON flakefighters.meta TO {role}",
    )
    (message,) = team.messages(team.check(), "rights")
    assert "it is not whole, or not ours" in message


# -- the roles that `grants` makes ----------------------------------------------------------------


def granted(team: Team, task: str) -> Said:
    """Check as the role that has the rights of this task."""
    roles = Roles.named("flakefighters", **{task: team.role})
    others = [name for name in astuple(roles) if name not in (None, team.role)]
    team.history()
    try:
        team.server.ask(grants_sql("flakefighters", roles), team.database)
        return team.check(read_only="true" if task == "reader" else "false")
    finally:
        team.server.ask(f"DROP OWNED BY {', '.join(others)}", team.database)
        team.server.ask(f"DROP ROLE {', '.join(others)}")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("writer", "may read and add; its runs count as protected"),
        ("pr_writer", "may read and add; its runs count as pr"),
        ("curator", "may read, mark and quarantine; it records no runs"),
        ("reader", "may read"),
    ],
)
def test_least_rights_are_enough(team: Team, task: str, message: str) -> None:
    said = granted(team, task)
    assert said.code == 0
    assert {one["remedy"] for one in said.json["checks"]} == {None}
    assert message in [one["message"] for one in said.json["checks"] if one["step"] == "rights"][-1]


def test_an_owner_is_told_to_use_another(team: Team) -> None:
    said = granted(team, "owner")
    assert said.code == 0
    advice = [one["remedy"] for one in said.json["checks"] if one["step"] == "rights"][-1]
    assert f"{team.role} owns the history" in advice
    assert "flakefighters grants" in advice


def test_a_right_to_remove_that_is_too_much(team: Team) -> None:
    team.history()
    team.sql(WRITES, "GRANT DELETE ON flakefighters.run TO {role}")
    said = team.check()
    assert said.code == 0
    advice = [one["remedy"] for one in said.json["checks"] if one["step"] == "rights"][-1]
    assert "may also change and remove" in advice


def test_a_reader_that_is_to_write(team: Team) -> None:
    granted(team, "reader")
    (message,) = team.messages(team.check(read_only="false"), "rights")
    assert "lacks INSERT on any table" in message
    team.sql(WRITES)  # a grant alone is not enough any more
    (message,) = team.messages(team.check(), "rights")
    assert f"lets {team.role} add nothing to arrival, environment" in message
    assert "flakefighters grants" in message


# -- exposure -------------------------------------------------------------------------------------


@pytest.fixture
def web_roles(server: PostgresServer) -> Iterator[None]:
    server.ask("CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE authenticator")
    yield
    server.ask("DROP ROLE anon, authenticated, authenticator")


def test_the_web_may_enter(team: Team, web_roles: None) -> None:
    team.history()
    team.sql(WRITES)
    assert team.check().code == 0
    team.sql("GRANT USAGE ON SCHEMA flakefighters TO anon, authenticated")
    said = team.check()
    (message,) = team.messages(said, "exposure")
    assert "(anon, authenticated)" in message
    team.sql(message.partition(" | ")[2])  # the remedy is SQL that helps
    assert team.check().code == 0


def test_the_web_serves_the_schema(team: Team, web_roles: None) -> None:
    team.history()
    team.sql(WRITES, "ALTER ROLE authenticator SET pgrst.db_schemas = 'public, flakefighters'")
    (message,) = team.messages(team.check(), "exposure")
    assert "the web API serves" in message


def test_everybody_may_enter(team: Team) -> None:
    team.history()
    team.sql(WRITES, "GRANT USAGE ON SCHEMA flakefighters TO PUBLIC")
    (message,) = team.messages(team.check(), "exposure")
    assert "FROM PUBLIC" in message
    team.sql(message.partition(" | ")[2])
    assert team.check().code == 0


def test_schema_public(team: Team) -> None:
    team.sql("GRANT CREATE ON SCHEMA public TO {role}")
    said = team.check(schema="public")
    (message,) = team.messages(said, "exposure")
    assert "schema public" in message


# -- getting there --------------------------------------------------------------------------------


def test_a_wrong_password(team: Team) -> None:
    team.use(team.role, "not-the-right-one")
    said = team.check()
    assert said.code == 1
    assert "wrong password" in finding(said, "login")["message"]
    assert finding(said, "login")["remedy"] == f"correct the password in {VARIABLE}URL"
    assert "not-the-right-one" not in said.out
    assert statuses(said)["rights"] == "skipped"
    assert statuses(said)["packages"] == "ok"


def test_no_password(team: Team) -> None:
    where = f"127.0.0.1:{team.server.port}/{team.database}"
    team.patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    team.patch.setenv(f"{VARIABLE}URL", f"postgresql://{team.role}@{where}")
    said = team.check()
    assert said.code == 1
    assert "`flakefighters login team`" in finding(said, "password")["remedy"]
    assert statuses(said)["network"] == "ok"
    assert statuses(said)["login"] == "skipped"


def test_a_password_for_another_place(team: Team) -> None:
    where = f"127.0.0.1:{team.server.port}/{team.database}"
    team.patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    team.patch.setenv(f"{VARIABLE}URL", f"postgresql://{team.role}@{where}")
    said = team.check(password=team.password, password_host="db.example.org")
    assert "was not given for" in finding(said, "password")["message"]


def test_tls_is_demanded_of_a_server_that_has_none(team: Team) -> None:
    said = team.check(sslmode="require")
    assert "offers none" in finding(said, "TLS")["message"]
    assert statuses(said)["login"] == "skipped"


def test_no_such_database(team: Team) -> None:
    where = f"{team.role}:{team.password}@127.0.0.1:{team.server.port}/nowhere"
    team.patch.setenv(f"{VARIABLE}URL", f"postgresql://{where}")
    assert "no database nowhere" in finding(team.check(), "login")["message"]


def test_a_database_that_is_not_utf8(server: PostgresServer, team: Team) -> None:
    odd = server.create_database(more="ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    try:
        team.database, own = odd, team.database
        team.use(team.role, team.password)
        assert "LATIN1" in team.messages(team.check(), "version")[0]
        team.database = own
    finally:
        server.drop_database(odd)


@pytest.mark.parametrize(
    ("number", "encoding", "status"),
    [(140009, "UTF8", "failed"), (150000, None, "ok"), (180006, "UTF8", "ok")],
)
def test_versions(number: int, encoding: str | None, status: str) -> None:
    assert [one.status for one in rights.version(number, encoding)] == [status]


def test_a_server_that_takes_no_writes() -> None:
    facts = Facts(role="r", accepts_no_writes=True, create_schemas=True)
    (found,) = rights.rights(facts, Target(backend="postgresql"))
    assert "accepts no writes" in found.message


def test_a_server_that_falls_silent_is_not_waited_for(team: Team) -> None:
    line = ServerLine(team.server.target(team.database), Budget())
    line._budget = Budget(0.5)
    start = time.monotonic()
    with pytest.raises(Exception, match="no answer"):
        line.ask("SELECT pg_sleep(30)")
    assert time.monotonic() - start < 10
    line.close()


def test_a_listener_that_says_nothing(team: Team) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        team.use(team.role, team.password, silent.getsockname()[1])
        start = time.monotonic()
        said = team.check(connect_timeout="1")
    assert time.monotonic() - start < 10
    assert statuses(said)["TLS"] == "failed"
    assert statuses(said)["login"] == "skipped"


# -- poolers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [
        ("transaction", "ok", "there is one"),
        ("session", "ok", "there is one, which works"),
        ("statement", "failed", "allows no transactions"),
    ],
)
def test_poolers_are_recognised(team: Team, mode: str, status: str, words: str) -> None:
    team.history()
    with pgbouncer(team.server, mode) as port:
        team.use(team.server.user, team.server.password, port)
        found = finding(team.check(), "pooler")
    assert (found["status"], words in found["message"]) == (status, True), found


# -- login ----------------------------------------------------------------------------------------


def test_login_tries_the_password_before_it_is_stored(
    team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file_keyring.py").write_text(BACKEND)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), str(ROOT))))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "file_keyring.Keyring")
    stored = Path(os.environ["HOME"], "keyring.json")
    where = f"127.0.0.1:{team.server.port}/{team.database}"
    monkeypatch.setenv(f"{VARIABLE}URL", f"postgresql://{team.role}@{where}")
    pipe(monkeypatch, b"not-the-password")
    said = team.command("login", "team", "--password-stdin")
    assert said.code == 3
    assert "wrong password" in said.err
    assert "give another one" in said.err
    assert "not-the-password" not in said.err
    assert not stored.exists()
    pipe(monkeypatch, team.password.encode())
    said = team.command("login", "team", "--password-stdin")
    assert said.code == 0, said.err
    assert f"logged in as {team.role}@{where}" in said.err
    assert team.password in stored.read_text()
