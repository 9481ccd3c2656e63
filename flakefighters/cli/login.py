"""Commands on passwords: ``login`` puts one into the system's keyring, ``logout`` takes it out."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Annotated

import typer

from flakefighters.cli.options import RootDir
from flakefighters.cli.output import say
from flakefighters.cli.place import Asked, find_ground
from flakefighters.errors import ConfigError, DatabaseError, NotFoundError, set_in
from flakefighters.model import Secret, Target
from flakefighters.profiles import detect
from flakefighters.profiles.fields import variable

__all__ = ["login", "logout"]

#: Bytes; longer than any password, shorter than a file piped in by mistake.
_LONGEST = 4096

_ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's name.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """A place that wants a password."""

    label: str
    target: Target
    #: user@host:port/database.
    place: str
    #: Where the URL was set.
    origin: str
    #: The variable that could hold the password.
    variable: str
    #: Another source that holds a password for it, None if none does.
    other: str | None
    #: What shows that this is CI, None if it is not.
    in_ci: str | None


def login(
    profile: _ProfileName,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Log in with it before it is stored (default)."),
    ] = True,
    rootdir: RootDir = None,
) -> None:
    """Store a profile's password in the operating system's keyring."""
    from flakefighters.profiles import keyring

    account = _account(profile, rootdir)
    if account.in_ci:
        raise ConfigError(
            "the keyring is never asked in CI",
            origin=account.in_ci,
            remedy=f"set {account.variable}, as a secret of your CI",
        )
    say(f"profile {account.label} -> {account.target.display}, {set_in(account.origin)}")
    secret = _from_pipe() if password_stdin else _from_person(account.place)
    if check:
        _try(account, secret)
    keyring.store(account.target, secret)
    say(f"stored in the keyring, for {account.place} only")
    if account.other:
        say(f"note that the password in {account.other} comes first")
    say(f"see what it may do with `flakefighters check {account.label}`")


def logout(profile: _ProfileName, rootdir: RootDir = None) -> None:
    """Remove a profile's password from the operating system's keyring."""
    from flakefighters.profiles import keyring

    account = _account(profile, rootdir)
    if not keyring.forget(account.target):
        raise NotFoundError(f"the keyring holds no password for {account.place}")
    say(f"removed from the keyring: the password for {account.place}")
    if account.other:
        say(f"note that there is still one in {account.other}")


def _account(profile: str, rootdir: str | None) -> _Account:
    """The account of a profile.

    Raises:
        ConfigError: if it is unknown, malformed, or nothing that a password is for.
    """
    from flakefighters.profiles.keyring import entry
    from flakefighters.profiles.selection import Selector

    inputs = find_ground(Asked(profile, rootdir=rootdir)).inputs
    ci = detect(inputs.environ)
    selector = Selector.read(inputs, ci)
    name, _ = selector.active()
    label = selector.label(name)
    chosen = selector.build(name, selector.fields(name))
    own = variable("profiles", name, "url")
    if chosen is None:
        raise ConfigError(
            f"profile {label} has no URL", remedy=f"set it in profiles.toml or in {own}"
        )
    target = chosen.target
    if target.backend == "sqlite":
        raise ConfigError(
            f"profile {label} is a SQLite file, which needs no password",
            origin=str(chosen.url_origin),
        )
    service, user = entry(target)
    return _Account(
        label=label,
        target=target,
        place=f"{user}@{service.partition(' ')[2]}",
        origin=str(chosen.url_origin),
        variable=variable("profiles", name, "password"),
        other=str(chosen.password.origin) if chosen.password.origin else None,
        in_ci=None if ci is None else ci.evidence,
    )


def _try(account: _Account, secret: Secret) -> None:
    """Log in and out again.  DatabaseError, and nothing is stored, if that fails."""
    from flakefighters.checks.line import ServerLine
    from flakefighters.checks.results import Budget

    try:
        ServerLine(account.target._replace(password=secret), Budget()).close()
    except DatabaseError as error:
        wrong = "wrong password" in error.message
        raise type(error)(
            f"{error.message}; the password was not stored",
            remedy="give another one"
            if wrong
            else f"{error.remedy or 'try again'}, or store it untried with --no-check",
        ) from None
    say(f"logged in as {account.place}")


def _from_person(place: str) -> Secret:
    """Ask without an echo.  ConfigError if there is no terminal to ask at."""
    import getpass

    if not sys.stdin.isatty():
        raise ConfigError(
            "there is no terminal to ask for the password at", remedy="use --password-stdin"
        )
    try:
        with warnings.catch_warnings():
            # Rather no password than one that shows on the screen.
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
