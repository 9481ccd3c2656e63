"""Which scenarios run, and the table of what was kept, found, left undecided and wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.scenarios.corpus import SCENARIOS, pick
from tests.scenarios.known import UNDECIDED_NOW, WRONG_NOW


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("scenarios")
    group.addoption(
        "--scenarios",
        default=os.environ.get("SCENARIOS", "some"),
        metavar="all|some|NAMES",
        help="which scenarios to play: all, some, or names of stories and topics (SCENARIOS)",
    )
    group.addoption(
        "--scenarios-exact",
        action="store_true",
        default=bool(os.environ.get("SCENARIOS_EXACT")),
        help="undecided is not good enough where a verdict is possible",
    )
    group.addoption(
        "--scenarios-confirm",
        action="store_true",
        default=bool(os.environ.get("SCENARIOS_CONFIRM")),
        help="put every failure on trial",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scenario: plays a story in a git repository of its own")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" in metafunc.fixturenames:
        which = metafunc.config.getoption("--scenarios", os.environ.get("SCENARIOS", "some"))
        try:
            picked = pick(which)
        except LookupError as error:
            raise pytest.UsageError(f"--scenarios: {error}") from None
        metafunc.parametrize("scenario", picked, ids=[scenario.name for scenario in picked])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = dict(_told(terminalreporter))
    if len(told) < 2:
        return
    terminalreporter.section("scenarios")
    rows: dict[str, Counter[str]] = {}
    for name, (label, reason) in told.items():
        scenario = SCENARIOS[name]
        for row in (f"{scenario.topic}: {scenario.truth}", f"all: {scenario.truth}"):
            rows.setdefault(row, Counter())[scenario.grade(label, reason)] += 1
    columns = ("right", "undecided", "unsaid", "wrong", "missing")
    terminalreporter.line(f"{'':30}" + "".join(f"{column:>11}" for column in columns))
    for row in sorted(rows, key=lambda row: (row.startswith("all"), row)):
        counts = "".join(f"{rows[row][column]:>11}" for column in columns)
        terminalreporter.line(f"{row:30}{counts}")
    for name, (label, reason) in sorted(told.items()):
        scenario = SCENARIOS[name]
        grade = scenario.grade(label, reason)
        if grade == "right" and (name in WRONG_NOW or name in UNDECIDED_NOW):
            terminalreporter.line(f"NOW RIGHT {name}: take it out of known.py")
        if grade != "right":
            terminalreporter.line(
                f"{grade.upper()} {name}: {scenario.truth}, called {label} - {reason}"
            )


def _told(terminalreporter: pytest.TerminalReporter) -> Iterable[tuple[str, tuple[str, str]]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                for key, value in report.user_properties:
                    if key == "scenario":
                        yield value[0], (value[1], value[2])
