"""The documents about profiles say what the code does."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import textwrap
from dataclasses import replace
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
import pytest

from flakefighters.profiles import urls
from flakefighters.profiles.ci_table import VENDORS
from flakefighters.profiles.fields import PROCESS_VARIABLES, PROFILE_FIELDS, TOP_FIELDS, variable
from flakefighters.profiles.schema import Merged, ProfileFields
from tests.postgres.server import find_binaries, shared_server
from tests.profiles.world import World

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
PROFILES = (DOCS / "profiles.md").read_text(encoding="utf-8")
CI = (DOCS / "ci.md").read_text(encoding="utf-8")

_NO_KEY = "\N{EN DASH}"


def rows() -> dict[str, list[str]]:
    """The table's cells by variable."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in SETTINGS.splitlines()
        if line.startswith("|") and "`FLAKEFIGHTERS" in line
    ]
    return {cells[1].strip("`"): cells for cells in found}


def test_every_setting_is_in_the_table_and_no_other() -> None:
    expected = dict.fromkeys((spec.name for spec in PROCESS_VARIABLES), _NO_KEY)
    expected |= {variable(spec.name): spec.name for spec in TOP_FIELDS}
    expected |= {variable("profiles", "ci", spec.name): spec.name for spec in PROFILE_FIELDS}
    found = {name: cells[0].strip("`") for name, cells in rows().items()}
    assert found == expected


def test_defaults_in_the_table() -> None:
    cells = rows()
    for spec in (*TOP_FIELDS, *PROFILE_FIELDS):
        path = (spec.name,) if spec in TOP_FIELDS else ("profiles", "ci", spec.name)
        documented = cells[variable(*path)][2].replace("`", "")
        first = spec.default.split(";")[0]
        assert first.split()[0] in documented or spec.name == "password_host", spec.name


def test_the_table_of_fields_is_what_is_validated() -> None:
    secrets = {"password", "password_host", "password_command"}
    names = {field.alias or name for name, field in ProfileFields.model_fields.items()}
    assert names | secrets == {spec.name for spec in PROFILE_FIELDS}
    assert set(Merged.model_fields) - {"profiles", "fighters"} == {spec.name for spec in TOP_FIELDS}


def test_parameters_of_urls_are_listed() -> None:
    section = SETTINGS.partition("## Parameters of a URL")[2].partition("All others")[0]
    assert set(re.findall(r"`([a-z_]+)`", section)) == set(urls.ALLOWED)


def test_every_service_is_named() -> None:
    text = " ".join(CI.split())
    names = {vendor.name for vendor in VENDORS} - {"unknown", "GitLab CI"}
    assert [name for name in sorted(names) if name not in text] == []


@pytest.mark.parametrize("text", [PROFILES, CI, SETTINGS], ids=["profiles", "ci", "settings"])
def test_variables_in_documents_exist(world: World, text: str) -> None:
    names = set(re.findall(r"\bFLAKEFIGHTERS(?:_[A-Z_]+)?\b(?!\*)", text))
    names = {name for name in names if not name.endswith("_")}
    world.env(**dict.fromkeys(names, "1"))
    assert [note for note in world.settings().notes if "unknown variable" in note] == []


@pytest.mark.parametrize("number", range(len(re.findall("```toml", PROFILES))))
def test_toml_in_documents_loads(world: World, number: int) -> None:
    text = textwrap.dedent(re.findall(r"```toml\n(.*?)```", PROFILES, re.DOTALL)[number])
    own = "password_command" in text  # the only one that belongs into the user's file
    (world.user if own else world.project)(text).ci()
    world.resolve(need_credentials=False)
    assert world.settings().notes == ()
    views = world.profiles()
    written = set(re.findall(r"\[profiles\.(\w+)\]\s+url", text))
    assert [name for name in written if views[name].problem] == []


# -- the roles ---------------------------------------------------------------------------------


def statements(name: str) -> list[str]:
    [text] = re.findall(rf"<!-- sql: {name} -->\n```sql\n(.*?)```", PROFILES, re.DOTALL)
    text = re.sub(r"(?m)^--.*$|^\\connect.*$", "", text)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


@pytest.mark.skipif(find_binaries() is None, reason="no PostgreSQL binaries")
def test_roles_have_the_rights_they_need_and_no_more(world: World) -> None:
    from flakefighters.history import open_history
    from flakefighters.history.roles import Roles
    from flakefighters.history.roles_sql import grants_sql

    server = shared_server()
    create, *grants = statements("roles")
    server.ask(create)
    groups = Roles.named("flakefighters", owner="flakes_owner")
    own = replace(groups, writer="ci_writer", reader="reader")
    roles = ("ci_writer", "reader", *filter(None, dataclasses.astuple(groups)))
    try:
        for statement in grants:
            server.ask(statement, "flakes")
        for name, password in (("CI", "choose-one"), ("SHARED", "choose-another")):
            role = "ci_writer" if name == "CI" else "reader"
            world.environ[f"FLAKEFIGHTERS_PROFILES__{name}__URL"] = (
                f"postgresql://{role}:{password}@127.0.0.1:{server.port}/flakes"
            )
        writer = world.resolve(option_profile="ci").target
        reader = world.resolve(option_profile="shared").target
        with open_history(writer):
            pass
        for stricter in (False, True):
            if stricter:
                assert "--owner flakes_owner --writer ci_writer --reader reader" in PROFILES
                server.ask(grants_sql("flakefighters", own), "flakes")
            with open_history(writer):
                pass
            with open_history(reader) as history:
                assert history.projects() == ()
            refused(server.port, "reader", "choose-another", "DELETE FROM flakefighters.run")
            refused(server.port, "reader", "choose-another", "CREATE TABLE public.x ()")
            refused(server.port, "ci_writer", "choose-one", "CREATE TABLE public.x ()")
        refused(server.port, "ci_writer", "choose-one", "DELETE FROM flakefighters.run")
        refused(server.port, "ci_writer", "choose-one", "DROP TABLE flakefighters.run")
        server.ask(grants_sql("flakefighters", groups), "flakes")
        for statement in statements("logins"):
            server.ask(statement, "flakes")
        refused(server.port, "flakefighters_writer", "choose-one", "DELETE FROM flakefighters.run")
        with open_history(reader) as history:
            assert history.projects() == ()
    finally:
        server.drop_database("flakes")
        for role in roles:
            server.ask(f"DROP ROLE IF EXISTS {role}")


def refused(port: int, user: str, password: str, statement: str) -> None:
    connection = psycopg2.connect(
        host="127.0.0.1", port=port, user=user, password=password, dbname="flakes"
    )
    with (
        contextlib.closing(connection),
        connection.cursor() as cursor,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        cursor.execute(statement)
