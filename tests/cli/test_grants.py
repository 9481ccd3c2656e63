"""``flakefighters grants``; what its SQL does is tested in tests/postgres/test_grants_sql.py."""

from __future__ import annotations

import pytest

from flakefighters.history.roles import Roles
from flakefighters.history.roles_sql import grants_sql
from tests.cli.conftest import Command, Shop

pytestmark = pytest.mark.usefixtures("empty_shop")


def test_sql_goes_to_stdout_and_nothing_else(command: Command) -> None:
    said = command("grants")
    assert (said.code, said.err) == (0, "")
    assert said.out == grants_sql("flakefighters", Roles.named("flakefighters"))
    assert '"flakefighters_pr_writer"' in said.out


def test_names_are_chosen(command: Command) -> None:
    given = {
        "owner": "flakes_owner",
        "writer": "ci_writer",
        "pr_writer": "ci_pr",
        "curator": "lead",
        "reader": 'odd "reader"',
    }
    options = [f"--{task.replace('_', '-')}={name}" for task, name in given.items()]
    said = command("grants", "--json", "--schema=flakes", *options)
    assert said.code == 0
    assert said.json["schema"] == "flakes"
    assert said.json["roles"] == given
    assert said.json["sql"] == grants_sql("flakes", Roles.named("flakes", **given))
    assert '"odd ""reader"""' in said.json["sql"]


def test_the_schema_is_the_profiles(
    command: Command, empty_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_shop.path / "profiles.toml").write_text(
        '[profiles.ci]\nurl = "postgresql://w@db.example.org/flakes"\nschema = "history"\n'
        '[profiles.team]\nurl = "postgresql://w@db.example.org/flakes"\nschema = "team"\n'
    )
    # Neither a password nor a server is needed, nor the keyring asked.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.Backend")
    assert command("grants", "--json").json["schema"] == "history"
    assert command("grants", "--json", "-p", "team").json["schema"] == "team"
    url = "--database-url=postgresql://w@h/d"
    assert command("grants", "--json", url).json["schema"] == "flakefighters"


def test_a_file_has_no_roles(command: Command) -> None:
    said = command("grants", "-p", "local")
    assert (said.code, said.out) == (2, "")
    assert "there are no roles" in said.err


def test_impossible_names_are_named(command: Command) -> None:
    said = command("grants", "--reader=same", "--writer=same")
    assert (said.code, said.out) == (2, "")
    assert "reader and writer at once" in said.err
