"""Door 1: pytest's options and hooks.  Everything else is imported inside them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Generator
from types import ModuleType
from typing import Any, Final

import pytest

import flakefighters.originals  # noqa: F401 - bound before any conftest is imported
from flakefighters import hookspecs
from flakefighters.hookspecs import verdicts_key
from flakefighters.lazy import as_installed

__all__ = ["verdicts_key"]

_MARKER: Final = (
    "flakefighters(ignore=None, state_env=(), confirm=True): leave this test's failures without a "
    "verdict (ignore=True), or do not ask the flakefighters named in ignore=[...]; compare runs "
    "only where the variables named in state_env=[...] have the same values; never run this test "
    "again after the session (confirm=False)."
)
#: Modules stay loaded from one session to the next: what runs may be older than the files.
_SECOND: Final = (
    "flakefighters: warning: this run is neither judged nor recorded, since this process has run "
    "pytest before (to have it all the same, use --flakefighters)"
)

_early_key: Final = pytest.StashKey[Any]()

#: Set once a session of this process is recorded: another one in it is nested.
_taken = False


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


#: What can fail a run.  Only what is proved flaky can be left out.
_FAILING: Final = ("genuine", "undecided", "flaky")
_MUST_FAIL: Final = frozenset({"genuine", "undecided"})


def _which(text: str) -> tuple[str, ...]:
    named = [one.strip() for one in text.split(",")]
    which = _FAILING if named == ["all"] else tuple(one for one in _FAILING if one in named)
    if named != ["all"] and not set(named) <= set(_FAILING):
        raise argparse.ArgumentTypeError(f"{text!r} is not made of {', '.join(_FAILING)}, or all")
    if not _MUST_FAIL.issubset(which):
        raise argparse.ArgumentTypeError(
            f"{text!r} lacks genuine or undecided: only failures that are proved flaky can be left "
            "out, so write genuine,undecided"
        )
    return which


def _option(name: str, **known: Any) -> tuple[str, dict[str, Any]]:
    return name, known


#: Our options, as argparse wants them; none takes the word after it unasked.
_OPTIONS: Final = (
    _option(
        "--flakefighters",
        action="store_true",
        default=None,
        dest="flakefighters",
        help="Judge failing tests and record this run, whatever else is set.",
    ),
    _option(
        "--no-flakefighters",
        action="store_false",
        default=None,
        dest="flakefighters",
        help="Do neither.",
    ),
    _option(
        "--flakefighters-profile",
        metavar="NAME",
        help="Use the history of this profile (local, ci, shared or one of your own).",
    ),
    _option(
        "--flakefighters-database-url",
        metavar="URL",
        help="Use the history at this URL (sqlite:///... or postgresql://...) and no profile.",
    ),
    _option(
        "--no-flakefighters-save",
        action="store_true",
        default=False,
        dest="flakefighters_no_save",
        help="Judge failing tests, record nothing.",
    ),
    _option(
        "--flakefighters-fighters",
        metavar="NAME[,NAME]",
        help="Ask only these flakefighters.",
    ),
    _option(
        "--flakefighters-history-runs",
        metavar="N",
        type=_count,
        default=50,
        help="Consider at most N earlier runs (default: 50).",
    ),
    _option(
        "--flakefighters-verdicts",
        action="store_true",
        default=False,
        help="Show what each flakefighter says of a failure, with its evidence.",
    ),
    _option(
        "--flakefighters-json",
        metavar="PATH",
        help="Write the verdicts of this run, and all they rest on, to this file as JSON.",
    ),
    _option(
        "--flakefighters-ci",
        choices=("auto", "off"),
        default="auto",
        help="In CI, show the verdicts where the service shows results (default: auto).",
    ),
    _option(
        "--flakefighters-trace",
        choices=("auto", "functions", "off"),
        default="auto",
        help="How closely to watch what tests run (default: auto).",
    ),
    _option(
        "--flakefighters-fail-on",
        metavar="WHICH",
        type=_which,
        default=_FAILING,
        dest="flakefighters_fail_on",
        help="Which failures fail the run: genuine,undecided, or all (default: all).",
    ),
    _option(
        "--flakefighters-suppress",
        action="store_const",
        const=("genuine", "undecided"),
        dest="flakefighters_fail_on",
        help="The same as --flakefighters-fail-on genuine,undecided.",
    ),
    _option(
        "--flakefighters-quarantine",
        choices=("enforce", "report", "off"),
        default="report",
        help="Leave quarantined failures out of the exit code, or only tell of them "
        "(default: report).",
    ),
    _option(
        "--flakefighters-reruns",
        metavar="N",
        type=_count,
        help="Run a failing test again until it passes, at most N times (default: 0).",
    ),
    _option(
        "--flakefighters-rerun-strategy",
        choices=("failed", "flaky", "previously-flaky", "new"),
        help="Which tests to run again: those that fail (default), of these only the ones that may "
        "be or were flaky, or new ones although they pass.",
    ),
    _option(
        "--flakefighters-localise",
        action="store_true",
        default=False,
        help="Rank the lines and functions that set failing attempts of flaky tests apart "
        "(Python 3.12 and newer).",
    ),
    _option(
        "--flakefighters-localise-metric",
        choices=("ochiai", "tarantula", "dstar", "op2", "barinel"),
        default="ochiai",
        help="How --flakefighters-localise ranks them (default: ochiai).",
    ),
)

#: Literal spellings: an option with an optional value would take the word after it.
_CONFIRM: Final = {
    "": "After the session, run failing tests again to settle what is undecided.",
    "=undecided": "The same.",
    "=all": "The same for every failure that is not proved.",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register our options."""
    group = parser.getgroup("flakefighters", "flaky or genuine: verdicts on failing tests")
    for name, known in _OPTIONS:
        group.addoption(name, **known)
    for value, text in _CONFIRM.items():
        group.addoption(
            f"--flakefighters-confirm{value}",
            action="store_const",
            const=value[1:] or "undecided",
            dest="flakefighters_confirm",
            help=text,
        )
    parser.addini(
        "flakefighters", "Judge failing tests and record runs.", type="bool", default=None
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add ``pytest_flakefighters_verdict``."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Begin to watch before any conftest is imported, if there is anything to do.

    Afterwards register ``--database-url``, unless another plugin has taken the name.
    """
    _begin_early(early_config, args)
    yield
    taken = {
        name
        for group in [parser._anonymous, *parser._groups]
        for option in group.options
        for name in option.names()
    }
    if "--database-url" not in taken:
        group = parser.getgroup("flakefighters")
        group.addoption(
            "--database-url",
            metavar="URL",
            dest="flakefighters_database_url",
            help="The same as --flakefighters-database-url.",
        )


def _begin_early(config: pytest.Config, args: list[str]) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER"):
        with as_installed():
            from flakefighters.session.watching import begin_in_worker

        config.stash[_early_key] = begin_in_worker(config)
        return
    option = config.known_args_namespace
    if any(argument.startswith("--database-url") for argument in args):
        return  # whose option this is will be known when all conftests are loaded
    if not _idle(option) and _active(config, option):
        opening = _opening()
        if opening is not None:
            with as_installed():
                config.stash[_early_key] = opening.prepare(config, option)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Decide whether there is anything to do, and if so begin."""
    config.addinivalue_line("markers", _MARKER)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        if worker.get("flakefighters"):
            from flakefighters.session.watching import register

            register(config, config.stash.get(_early_key, None))
        return
    global _taken
    if _idle(config.option):
        return
    if not _active(config, config.option):
        if _taken and not _in_a_test() and _asked(config, config.option) is None:
            print(_SECOND, file=sys.stderr)
        return
    _taken = True
    opening = _opening()
    if opening is None:
        print("flakefighters: warning: not active: this Python lacks a module", file=sys.stderr)
        return
    ready = config.stash.get(_early_key, None) or opening.prepare(config)
    opening.open_session(config, ready)


def _opening() -> ModuleType | None:
    """All that works; None if this Python was built without a part of its standard library."""
    with as_installed():
        try:
            from flakefighters.session import prepare
        except ImportError:
            return None
    return prepare


def _idle(option: Any) -> bool:
    """Whether no test will be executed."""
    names = (
        "help",
        "version",
        "collectonly",
        "showfixtures",
        "show_fixtures_per_test",
        "markers",
        "setupplan",
        "setuponly",
        "cacheshow",
    )
    return any(getattr(option, name, None) for name in names)


def _active(config: pytest.Config, option: Any) -> bool:
    """Option, then variable, then ini key, then off when nested, then on."""
    asked = _asked(config, option)
    return not (_taken or _in_a_test()) if asked is None else asked


def _asked(config: pytest.Config, option: Any) -> bool | None:
    """What the user wants; None if nothing says so."""
    if option.flakefighters is not None:
        return bool(option.flakefighters)
    variable = os.environ.get("FLAKEFIGHTERS", "").strip().lower()
    if variable in ("1", "true", "yes", "on"):
        return True
    if variable in ("0", "false", "no", "off"):
        return False
    if variable:
        raise pytest.UsageError(
            f"FLAKEFIGHTERS={variable!r} is neither 1 nor 0 (set in the variable FLAKEFIGHTERS)"
        )
    ini: Any = config.getini("flakefighters")
    return None if ini is None else bool(ini)


def _in_a_test() -> bool:
    return "PYTEST_CURRENT_TEST" in os.environ
