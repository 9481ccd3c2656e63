"""The documentation tells the truth: links, commands, options, messages, quick starts."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import flakefighters
from flakefighters import plugin
from flakefighters.cli.app import application
from flakefighters.errors import FlakefightersError
from flakefighters.fighters import builtin
from flakefighters.fighters.registry import known
from flakefighters.fighters.sentences import DOUBTS
from flakefighters.fighters.settings import fields_of
from flakefighters.model import DoubtKind

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob(".github/*.md"), *DOCS.rglob("*.md")])
COMMANDS = DOCS / "reference" / "commands.md"
OPTIONS = DOCS / "reference" / "options.md"

_FENCE = re.compile(r"^```.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """What one can link to in a page: its headings, spelt as forges spell them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(f"{slug}-{number}" if number else slug)
    return found


def section(page: Path, heading: str) -> str:
    """The text under a heading, up to the next of its rank or above."""
    match = re.search(
        rf"^(#+) {re.escape(heading)}\n(.*)", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert match is not None, f"{page.name} has no section {heading}"
    return re.split(rf"^#{{1,{len(match[1])}}} ", match[2], maxsplit=1, flags=re.MULTILINE)[0]


# -- pages and links ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert target.is_relative_to(ROOT), f"{page.name} links out of the repository: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def test_every_page_is_reached_from_the_index() -> None:
    text = (DOCS / "index.md").read_text("utf-8")
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in _LINK.findall(text)}
    # Where the repository is read, these two lead on to files that the index links to itself.
    stubs = {DOCS / "changes.md", DOCS / "contributing.md"}
    for page in set(DOCS.rglob("*.md")) - {DOCS / "index.md"} - stubs:
        assert page in linked or page.with_name("README.md") in linked, page


def test_decisions_are_numbered_once() -> None:
    pages = {page.name for page in (DOCS / "decisions").glob("*.md")}
    records = sorted(pages - {"README.md"})
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in records), records
    assert len({name[:4] for name in records}) == len(records), sorted(records)


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    rows = (DOCS / "decisions" / "0002-dependencies.md").read_text("utf-8")
    for requirement in project["dependencies"]:
        name, bound = requirement.split(">=")
        assert f"| {name} ≥ {bound} | " in rows, requirement


# -- installing -----------------------------------------------------------------------------------


def quickstart(name: str) -> str:
    """The one line of the block that the README marks with ``name``."""
    match = re.search(
        rf"^<!-- quickstart: {name} -->\n```\w*\n(.*?)^```$",
        (ROOT / "README.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert match is not None, name
    return match[1]


@pytest.mark.parametrize("name", ["main job", "tests"])
def test_a_quick_start_is_one_command_line(name: str) -> None:
    line = quickstart(name)
    assert line.count("\n") == 1
    assert line.startswith("python3 -m venv ")
    subprocess.run(["bash", "-n", "-c", line], check=True)


def test_the_quick_start_shows_installing_and_running() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert re.search(r"^pip install \S", text, re.MULTILINE)
    assert re.search(r"^pytest$", text, re.MULTILINE)


def test_ci_finds_the_line_that_it_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    match = re.search(r"^command=.*?^' README\.md\)", script, re.MULTILINE | re.DOTALL)
    assert match is not None
    done = subprocess.run(
        ["bash", "-c", f'{match[0]}\nprintf "%s\\n" "$command"'],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == quickstart("tests")


def test_nobody_is_sent_to_another_project() -> None:
    # A package of that name exists, and it is not this one.
    forbidden = re.compile(
        r"(install|add|requires?|dependenc\w+)\b.*\bpytest-flakefighters\b", re.IGNORECASE
    )
    for page in [*PAGES, ROOT / "pyproject.toml", ROOT / ".ci" / "run", DOCS / "demo.py"]:
        assert not forbidden.search(page.read_text("utf-8")), page


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(flakefighters.__version__)}\b", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == flakefighters.__version__


# -- commands -------------------------------------------------------------------------------------


def commands() -> dict[str, Any]:
    """Every command by name."""
    return dict(typer.main.get_command(application()).commands)  # type: ignore[attr-defined]


def options(command: Any) -> Iterator[tuple[str, str | None]]:
    """The options of a command that a user can type, and their help."""
    for parameter in command.params:
        if parameter.param_type_name == "option":
            for name in (*parameter.opts, *parameter.secondary_opts):
                if name.startswith("--"):
                    yield name, parameter.help


@pytest.mark.parametrize("name", sorted(commands()))
def test_a_command_is_documented(name: str) -> None:
    command = commands()[name]
    assert command.help
    text = section(COMMANDS, f"`flakefighters {name}`")
    below = getattr(command, "commands", {})
    for part in below:
        assert below[part].help, part
        assert f"`{name} {part}" in text, part
    known = [option for one in (command, *below.values()) for option in options(one)]
    for option, told in known:
        assert told, option
        assert re.search(rf"`{option}\b", text), f"{name} {option}"
    documented = set(re.findall(r"`(--[a-z-]+)", text))
    assert documented <= {option for option, _ in known}


def test_the_commands_own_options_are_documented() -> None:
    text = COMMANDS.read_text("utf-8")
    for option, told in options(typer.main.get_command(application())):
        assert told, option
        assert f"`{option}`" in text, option


# -- pytest ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pytest_help(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``pytest --help`` says of our options."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--help", "-p", "flakefighters.plugin"],
        cwd=tmp_path_factory.mktemp("empty"),
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    (ours,) = [part for part in done.stdout.split("\n\n") if "  --flakefighters-profile" in part]
    return ours


def test_every_option_is_documented(pytest_help: str) -> None:
    known = set(re.findall(r"^  (--[a-z-]+)", pytest_help, re.MULTILINE))
    assert {"--flakefighters", "--no-flakefighters", "--database-url"} <= known
    headings = [heading.strip("`") for heading in _HEADING.findall(prose(OPTIONS))]
    assert {re.split(r"[ =\[]", one)[0] for one in headings if one.startswith("--")} == known


def test_every_option_has_help() -> None:
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    for group in [parser._anonymous, *parser._groups]:
        for option in group.options:
            assert option.attrs().get("help"), option.names()


def test_every_flakefighter_is_documented() -> None:
    text = section(DOCS / "verdicts.md", "The order of proof")
    for fighter in builtin():
        assert f"### `{fighter.name}`" in text, fighter.name
        assert f"`{fighter.name}`" in section(OPTIONS, "`--flakefighters-fighters NAME[,NAME]`")


def test_every_setting_of_a_flakefighter_is_documented() -> None:
    text = (DOCS / "verdicts.md").read_text(encoding="utf-8")
    for entry in known(lambda _: None, ()):
        _, _, rest = text.partition(f"### `{entry.name}`")
        own = rest.partition("\n### ")[0]
        for field in fields_of(entry.settings)[1:]:
            assert re.search(rf"`{field.name}` \(`?{re.escape(field.default)}\b", own), field


def test_every_kind_of_doubt_is_explained() -> None:
    text = section(DOCS / "verdicts.md", "Why a failure stays undecided")
    rows = re.findall(r"^\| `([a-z-]+)` \| \S", text, re.MULTILINE)
    assert rows == [kind.value for kind in DoubtKind]
    assert set(DOUBTS) == set(DoubtKind)


# -- messages -------------------------------------------------------------------------------------


def errors() -> set[type[FlakefightersError]]:
    """Every class of error in the package."""
    for module in pkgutil.walk_packages(flakefighters.__path__, "flakefighters."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, new = {FlakefightersError}, [FlakefightersError]
    while new:
        children = new.pop().__subclasses__()
        found.update(children)
        new += children
    return {error for error in found if error.__module__.startswith("flakefighters.")}


def test_every_error_has_its_section() -> None:
    documented = _HEADING.findall(prose(DOCS / "messages.md"))
    slugs = {error.slug for error in errors()}
    assert slugs <= set(documented)
    assert set(documented[1:]) <= slugs


def test_every_error_has_a_slug_of_its_own() -> None:
    own = [error.__dict__.get("slug") for error in errors()]
    assert None not in own
    assert len(set(own)) == len(own)
