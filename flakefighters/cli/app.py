"""The command as a whole: its groups, its version, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from flakefighters import __version__
from flakefighters.capture.redact_patterns import redact_patterns
from flakefighters.cli import (
    bisect,
    check,
    confirm,
    fighters,
    grants,
    importing,
    localise,
    login,
    mark,
    prune,
    purge,
    quarantine,
    report,
    runs,
    settings,
    setup,
    sync,
    tests,
    upgrade,
)
from flakefighters.cli.help import Grouped, describe
from flakefighters.cli.output import ReaderGoneError, say
from flakefighters.cli.pages import page_of
from flakefighters.errors import FlakefightersError

__all__ = ["app", "run"]

app = typer.Typer(
    name="flakefighters",
    cls=Grouped,
    help="Read the history of your test runs: what failed, and whether it was flaky or genuine.",
    no_args_is_help=True,
    # Plain help: the same in a pipe and on a terminal, and nothing to load for it.
    rich_markup_mode=None,
    # Tracebacks with the values of variables could show a password.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flakefighters {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_version
        ),
    ] = False,
) -> None:
    """Options of the command itself."""


for _group in (
    *(setup, settings, check, login, runs, tests, report, localise, confirm, bisect, mark),
    *(quarantine, fighters, importing, sync, upgrade, grants, prune, purge),
):
    _group.register(app)
describe(app)

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
        done = app(
            args=None if arguments is None else list(arguments),
            prog_name="flakefighters",
            standalone_mode=False,
        )
    except FlakefightersError as error:
        # What was typed may be a URL in a place where none belongs.
        say(f"error: {redact_patterns(str(error))} [{error.slug}]", "bad")
        if (page := page_of(error.slug)) is not None:
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
