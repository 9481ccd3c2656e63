"""A history whose roles have the rights that ``flakefighters grants`` gives, and no more."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flakefighters.history import open_history
from flakefighters.history.roles import Roles
from flakefighters.history.roles_sql import grants_sql
from flakefighters.model import Secret, Target
from tests.postgres.server import PostgresServer

__all__ = ["TASKS", "Team", "team_on"]

TASKS = ("owner", "writer", "pr_writer", "curator", "reader")


@dataclass
class Team:
    """One database, and a login for each task."""

    server: PostgresServer
    database: str
    #: Task to the name of its login.
    names: dict[str, str]
    password: str
    schema: str = "flakefighters"

    @property
    def roles(self) -> Roles:
        """The same as what ``grants`` takes."""
        return Roles.named(self.schema, **self.names)

    def target(self, task: str, **more: Any) -> Target:
        """The way in as one of them."""
        return self.server.target(
            self.database,
            user=self.names[task],
            password=Secret(self.password),
            schema=self.schema,
            **more,
        )

    def ask(self, task: str, sql: str) -> list[tuple[Any, ...]]:
        """Run statements as one of them; "admin" is the administrator."""
        own = {} if task == "admin" else {"user": self.names[task], "password": self.password}
        with contextlib.closing(self.server.connect(self.database, **own)) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def grant(self, task: str = "admin") -> None:
        """Run what ``grants`` prints."""
        self.ask(task, grants_sql(self.schema, self.roles))

    def rights(self) -> list[tuple[Any, ...]]:
        """Everything that says who may do what with the tables."""
        return self.ask(
            "admin",
            "SELECT c.relname, c.relacl::text, c.relrowsecurity, c.relowner::regrole::text, "
            "array_agg(p.polname || p.polroles::text || coalesce(p.polwithcheck::text, '') "
            "ORDER BY p.polname) "
            "FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid "
            f"WHERE c.relnamespace = '{self.schema}'::regnamespace GROUP BY c.oid ORDER BY 1",
        )


@contextlib.contextmanager
def team_on(
    server: PostgresServer, *, schema: str = "flakefighters", odd: str = ""
) -> Iterator[Team]:
    """Make database, logins and history, and give the rights; all of it goes at the end."""
    token = secrets.token_hex(3)
    names = {task: f"{odd}{task}_{token}" for task in TASKS}
    team = Team(server, server.create_database(), names, secrets.token_hex(12), schema)
    try:
        for name in names.values():
            server.ask(f"CREATE ROLE {_quoted(name)} LOGIN PASSWORD '{team.password}'")
        open_history(server.target(team.database)._replace(schema=schema)).close()
        team.grant()
        yield team
    finally:
        server.drop_database(team.database)
        for name in names.values():
            server.ask(f"DROP ROLE IF EXISTS {_quoted(name)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
