"""docs/coming-from.md names what is there, on both sides."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from flakefighters import plugin
from flakefighters.cli.help import GROUPS
from tests.requirements import need_module
from tests.test_docs import section

PAGE = Path(__file__).resolve().parent.parent / "docs" / "coming-from.md"
#: The options of pytest-flakefighters 0.7, each also an ini key.
NAMESAKE = (
    *("--root", "--suppress-flaky-failures-exit-code", "--no-save", "--function-coverage"),
    *("--load-max-runs", "-M", "--database-url", "-D", "--store-max-runs", "--max-reruns"),
    *("--rerun-strategy", "--time-immemorial", "--display-outcomes", "-O", "--display-verdicts"),
    *("--flakefighters", "--sffl", "--sffl-output-file", "--sffl-include-test-code"),
    *("--active-flakefighters", "-A"),
)


def cells(column: int, text: str | None = None) -> str:
    """One column of all tables in the page, or in a part of it."""
    lines = (PAGE.read_text("utf-8") if text is None else text).splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("| ")]
    return "\n".join(row[column] for row in rows)


def ours() -> set[str]:
    """Our options."""
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    return set(options(parser)) | {"--database-url"}


def options(parser: pytest.Parser) -> list[str]:
    return [
        name
        for group in (parser._anonymous, *parser._groups)
        for option in group.options
        for name in option.names()
    ]


def test_our_options_exist() -> None:
    named = set(re.findall(r"--[a-z-]*flakefighters[a-z-]*|--database-url", cells(1)))
    last = section(PAGE, "What has no counterpart there")
    named |= set(re.findall(r"--flakefighters[a-z-]*", cells(0, last)))
    assert len(named) > 5
    assert named <= ours()


def test_our_commands_exist() -> None:
    text = cells(1) + cells(0, section(PAGE, "What has no counterpart there"))
    named = set(re.findall(r"`flakefighters ([a-z]+)", text))
    assert len(named) > 5
    assert named <= {name for rows in GROUPS.values() for name in rows}


def test_no_option_of_the_namesake_is_left_out() -> None:
    text = cells(0, section(PAGE, "pytest-flakefighters"))
    for name in NAMESAKE:
        assert re.search(rf"`{name}\b", text), name


@pytest.mark.parametrize(
    ("heading", "module"),
    [
        ("pytest-rerunfailures", "pytest_rerunfailures"),
        ("flaky", "flaky.flaky_pytest_plugin"),
        ("pytest-retry", "pytest_retry.retry_plugin"),
    ],
)
def test_no_option_of_the_others_is_left_out(heading: str, module: str) -> None:
    need_module(module.partition(".")[0])
    found: ModuleType = importlib.import_module(module)
    parser = pytest.Parser(_ispytest=True)
    found.pytest_addoption(parser)
    text = cells(0, section(PAGE, heading))
    for name in options(parser):
        assert f"`{name}`" in text, name
    for name in parser._inidict:
        assert f"ini `{name}`" in text, name
