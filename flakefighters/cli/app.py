"""The command as a whole: its groups, its version, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from flakefighters import __version__
from flakefighters.capture.redact_patterns import redact_patterns
from flakefighters.cli.help import Grouped, describe
from flakefighters.cli.output import ReaderGoneError, say
from flakefighters.errors import FlakefightersError

__all__ = ["application", "run"]


_ABOUT: Final = (
    "Read the history of your test runs: what failed, and whether it was flaky or genuine."
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flakefighters {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_version
        ),
    ] = False,
) -> None:
    """Options of the command itself."""


#: The function of each command, in this package.
_COMMANDS: Final[Mapping[str, str]] = {
    "init": "setup.init",
    "profiles": "settings.profiles",
    "config": "settings.config",
    "check": "check.check",
    "login": "login.login",
    "logout": "login.logout",
    "runs": "runs.runs",
    "show": "runs.show_run",
    "tests": "tests.list_tests",
    "explain": "tests.explain",
    "report": "report.report",
    "localise": "localise.localise",
    "confirm": "confirm.confirm",
    "bisect": "bisect.bisect",
    "mark": "mark.mark",
    "fighters": "fighters.fighters",
    "clone": "sync.clone",
    "pull": "sync.pull",
    "push": "sync.push",
    "sync": "sync.sync",
    "upgrade": "upgrade.upgrade",
    "grants": "grants.grants",
    "prune": "prune.prune_history",
    "purge": "purge.purge_secret",
}
#: What a command with commands below it is for, and those.
_GROUPS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "quarantine": (
        "Quarantine tests: their flaky failures need not fail a run.",
        {
            "add": "quarantine.add",
            "list": "quarantine.list_them",
            "remove": "quarantine.remove",
            "suggest": "quarantine.suggest",
            "export": "quarantine.export",
            "import": "quarantine.import_",
        },
    ),
    "import": (
        "Bring runs that other tools recorded.",
        {"junit": "importing.junit", "pytest-flakefighters": "importing.peer"},
    ),
}


def application(named: str | None = None) -> typer.Typer:
    """The command with all commands below it, or with one of them: it loads what these need."""
    app = typer.Typer(
        name="flakefighters",
        cls=Grouped,
        help=_ABOUT,
        callback=_options,
        no_args_is_help=True,
        # Plain help: the same in a pipe and on a terminal, and nothing to load for it.
        rich_markup_mode=None,
        # Tracebacks with the values of variables could show a password.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, place in _COMMANDS.items():
        if named in (None, name):
            app.command(name)(_function(place))
    for name, (about, parts) in _GROUPS.items():
        if named in (None, name):
            group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
            for part, place in parts.items():
                group.command(part)(_function(place))
            app.add_typer(group, name=name, help=about)
    describe(app)
    return app


def _function(place: str) -> Callable[..., None]:
    module, _, name = place.partition(".")
    function: Callable[..., None] = getattr(import_module(f"flakefighters.cli.{module}"), name)
    return function


#: Wrong usage, as Typer tells of it; its module is not the same in all of Typer's versions.
_UsageError: type[Exception] = next(
    one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 done, 1 not found or failed, 2 usage, 3 database."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is shown escaped instead of ending the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except ReaderGoneError:
        # What is still buffered goes nowhere, or Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: Sequence[str] | None) -> int:
    try:
        words = sys.argv[1:] if arguments is None else list(arguments)
        called = words[0] if words and (words[0] in _COMMANDS or words[0] in _GROUPS) else None
        done = application(called)(
            args=words,
            prog_name="flakefighters",
            standalone_mode=False,
        )
    except FlakefightersError as error:
        # What was typed may be a URL in a place where none belongs.
        say(f"error: {redact_patterns(str(error))} [{error.slug}]", "bad")
        if (page := _page_of(error.slug)) is not None:
            say(f"more: {page}", "faint")
        return error.exit_code
    except typer.Abort:
        say("aborted")
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except _UsageError as error:
        return _misused(error)
    return done if isinstance(done, int) else 0


def _misused(error: Any) -> int:
    """Say what was wrong with the arguments, and where the right ones are told."""
    context = getattr(error, "ctx", None)
    message = str(error.format_message()).strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message, err=True)
        return int(error.exit_code)
    if context is not None:
        for line in context.get_usage().splitlines():
            say(line)
    say(f"error: {redact_patterns(message)}", "bad")
    if context is not None:
        say(f"see {context.command_path} --help", "faint")
    return int(error.exit_code)


def _page_of(slug: str) -> str | None:
    """The page and section that tell more of an error; None if the page is not installed."""
    path = _installed() or _in_checkout()
    return None if path is None else f"{path}#{slug}"


def _installed() -> Path | None:
    """The page as the wheel brought it."""
    with suppress(Exception):  # whatever the environment is like: there is an error to show
        for file in metadata.files("flakefighters") or ():
            if file.name == "messages.md" and "doc" in file.parts:
                path = Path(str(file.locate())).resolve()
                return path if path.is_file() else None
    return None


def _in_checkout() -> Path | None:
    path = Path(__file__).resolve().parents[2] / "docs" / "messages.md"
    return path if path.is_file() else None
