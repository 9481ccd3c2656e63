"""Commands on passwords: ``login`` puts one into the system's keyring, ``logout`` takes it out."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Annotated

import typer

from flakefighters.cli.check import examine_here
from flakefighters.cli.options import RootDir
from flakefighters.cli.output import say
from flakefighters.cli.place import Asked, Ground, find_ground
from flakefighters.errors import ConfigError, NotFoundError, set_in
from flakefighters.model import Secret

if TYPE_CHECKING:
    from flakefighters.profiles.logins import Account

__all__ = ["register"]

#: Bytes; longer than any password, shorter than a file piped in by mistake.
_LONGEST = 4096

_ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's name.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("login")(login)
    app.command("logout")(logout)


def login(
    profile: _ProfileName,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Try it: `flakefighters check` afterwards.")
    ] = False,
    rootdir: RootDir = None,
) -> None:
    """Store a profile's password in the operating system's keyring."""
    from flakefighters.profiles import keyring

    ground, account = _account(profile, rootdir)
    if account.in_ci:
        raise ConfigError(
            "the keyring is never asked in CI",
            origin=account.in_ci,
            remedy=f"set {account.variable}, as a secret of your CI",
        )
    say(f"profile {account.label} -> {account.target.display}, {set_in(account.origin)}")
    secret = _from_pipe() if password_stdin else _from_person(account.place)
    keyring.store(account.target, secret)
    say(f"stored in the keyring, for {account.place} only")
    if account.other:
        say(f"note that the password in {account.other} comes first")
    if not check:
        say(f"try it with `flakefighters check {account.label}`")
    elif not examine_here(ground):
        say("the password stays in the keyring; `flakefighters login` again replaces it")
        raise typer.Exit(1)


def logout(profile: _ProfileName, rootdir: RootDir = None) -> None:
    """Remove a profile's password from the operating system's keyring."""
    from flakefighters.profiles import keyring

    _, account = _account(profile, rootdir)
    if not keyring.forget(account.target):
        raise NotFoundError(f"the keyring holds no password for {account.place}")
    say(f"removed from the keyring: the password for {account.place}")
    if account.other:
        say(f"note that there is still one in {account.other}")


def _account(profile: str, rootdir: str | None) -> tuple[Ground, Account]:
    from flakefighters.profiles.logins import find_account

    ground = find_ground(Asked(profile, rootdir=rootdir))
    return ground, find_account(ground.inputs)


def _from_person(place: str) -> Secret:
    """Ask without an echo.  ConfigError if there is nobody to ask."""
    import getpass

    if not sys.stdin.isatty():
        raise ConfigError(
            "there is no terminal to ask for the password at", remedy="use --password-stdin"
        )
    try:
        with warnings.catch_warnings():
            # Rather no password than one that everybody can read on the screen.
            warnings.simplefilter("error", getpass.GetPassWarning)
            return _checked(getpass.getpass(f"Password for {place}: ", stream=sys.stderr))
    except getpass.GetPassWarning:
        raise ConfigError(
            "the terminal would show the password", remedy="use --password-stdin"
        ) from None
    except EOFError:
        raise ConfigError("no password was given; nothing is stored") from None


def _from_pipe() -> Secret:
    """Read all of stdin; one line end after the password is not part of it."""
    if sys.stdin.isatty():
        raise ConfigError(
            "--password-stdin reads a pipe or a file", remedy="leave it out to be asked"
        )
    raw = sys.stdin.buffer.read(_LONGEST + 3)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ConfigError("the password is not UTF-8", origin="--password-stdin") from None
    for end in ("\r\n", "\n"):
        if text.endswith(end):
            return _checked(text.removesuffix(end))
    return _checked(text)


def _checked(text: str) -> Secret:
    if not text:
        raise ConfigError("the password is empty; nothing is stored")
    if len(text.encode()) > _LONGEST or not text.isprintable():
        # A key file, two lines, a pasted escape: none of it is what the user meant.
        raise ConfigError(
            "that is no password: it is too long, or holds line ends or control characters"
        )
    return Secret(text)
