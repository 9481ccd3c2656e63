"""The command ``init``: write the settings, and lead through sharing a history."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from flakefighters import profiles
from flakefighters.cli import files
from flakefighters.cli.check import examine_here
from flakefighters.cli.options import RootDir
from flakefighters.cli.output import say, write
from flakefighters.cli.place import Asked, Ground, find_ground
from flakefighters.cli.workflows import SERVICES, requirement, workflow
from flakefighters.errors import ConfigError
from flakefighters.profiles import urls

__all__ = ["init"]

_FILE = "profiles.toml"
_WRITER, _READER = "flakefighters_writer", "flakefighters_reader"
_POOLER = ".pooler.supabase.com"


class Ci(enum.StrEnum):
    """The services that `init` can write a workflow for."""

    GITHUB = "github"
    GITLAB = "gitlab"


def init(
    shared: Annotated[
        str | None,
        typer.Option(
            "--shared",
            metavar="URL",
            help="Share a history in this PostgreSQL database, as the user that CI writes as.",
        ),
    ] = None,
    ci: Annotated[
        Ci | None, typer.Option("--ci", help="Write a workflow for this CI service.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a profiles.toml that is there.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Add the history to .gitignore without asking.")
    ] = False,
    rootdir: RootDir = None,
) -> None:
    """Write a commented profiles.toml, and offer to let git ignore the history.

    With --shared it leads through the set-up of a history for the whole team: it prints the SQL of
    `grants`, and ends with `check`. With --ci it writes a workflow; without --shared one that keeps
    the history in the service's cache.
    """
    url = None if shared is None else _shared(shared)
    ground = find_ground(Asked(rootdir=rootdir))
    path = ground.anchor.path / _FILE
    if files.write_new(path, _settings(url, ci), over=force or _untouched(ground)):
        say(f"wrote {path}: read it, commit it; it may hold no passwords")
    else:
        say(f"{path} is there already, as `init` writes it")
    if ground.inputs.environ.get("FLAKEFIGHTERS_PROFILES_FILE", "").strip():
        say("FLAKEFIGHTERS_PROFILES_FILE is set: that file is read instead")
    _ignore(ground, yes)
    if ci is not None:
        _workflow(ground, ci.value, shared=url is not None)
    if url is not None:
        _lead(ground, url, None if ci is None else ci.value)


# -- files -----------------------------------------------------------------------------------


def _settings(url: urls.DatabaseUrl | None, ci: Ci | None) -> str:
    """The example, with the history in it."""
    made = _example()
    if url is not None:
        writer = url.user or _WRITER
        reader = writer.replace(_role(url), _READER, 1)
        for profile, user in (("ci", writer), ("shared", reader)):
            where = replace(url.without_password(), user=user)
            start = made.index(f"[profiles.{profile}]")
            line = next(one for one in made[start:].splitlines() if one.startswith("# url = "))
            made = made[:start] + made[start:].replace(line, f'url = "{where}"', 1)
    elif ci is not None:
        made = made.replace('ci_profile = "ci"   ', 'ci_profile = "local"', 1)
    return made


def _example() -> str:
    """The commented file; ``profiles.example.toml`` of the source tree is the same."""
    return (Path(profiles.__file__).parent / "example.toml").read_text(encoding="utf-8")


def _untouched(ground: Ground) -> bool:
    """Whether the file is the example itself: the user has written nothing there."""
    try:
        return (ground.anchor.path / _FILE).read_text(encoding="utf-8") == _example()
    except (OSError, UnicodeDecodeError):
        return False


def _ignore(ground: Ground, yes: bool) -> None:
    """Keep the history out of git, if the user wants it."""
    if not ground.checkout.has_git:
        return
    path = ground.anchor.path / ".gitignore"
    lines = files.not_ignored(lambda names: ground.checkout.would_ignore(names, path.parent))
    if not lines:
        say("git ignores the history already")
        return
    what = f"{' and '.join(lines)} to {path}"
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            say(f"git does not ignore the history yet: add {what}, or run `init --yes`")
            return
        if not typer.confirm(f"Add {what}?", default=True, err=True):
            say(f"not done: {path} is as it was")
            return
    files.ignore(path, lines)
    say(f"added {what}")


def _workflow(ground: Ground, name: str, *, shared: bool) -> None:
    """Write the service's workflow, or say what the one that is there needs."""
    service = SERVICES[name]
    path = ground.checkout.base / service.path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        new = files.write_new(path, workflow(name, shared=shared), over=False)
    except ConfigError:
        say(f"{path} is there already, and is left as it is")
        if not shared:
            say("docs/ci.md shows the steps that keep the history in the cache")
        elif service.lines:
            say("give the step that runs pytest these lines:")
            for line in service.lines:
                say(f"  {line}")
        return
    say(f"wrote {path}: read it, commit it" if new else f"{path} is as `init` writes it")
    if new and requirement() is None:
        say("write into it the address that you install flakefighters from")


# -- a shared history ------------------------------------------------------------------------


def _shared(given: str) -> urls.DatabaseUrl:
    """The database that a team shares.  ConfigError if it cannot be one."""
    try:
        url = urls.parse(given)
    except urls.UrlError as error:
        raise ConfigError(f"the URL {error}", origin="--shared") from None
    if url.backend != "postgresql" or not url.host or not url.database:
        raise ConfigError(
            "a history is shared in PostgreSQL",
            origin="--shared",
            remedy="write postgresql://ci_writer@db.example.org:5432/flakes; without a server, "
            "`flakefighters init --ci github` keeps the history in CI's cache",
        )
    return url if url.user else replace(url, user=_WRITER)


def _lead(ground: Ground, url: urls.DatabaseUrl, ci: str | None) -> None:
    """Say what is left to do, print the SQL, and check what can be checked already."""
    from flakefighters.history.roles import Roles
    from flakefighters.history.roles_sql import grants_sql

    writer = _role(url)
    sql = grants_sql("flakefighters", Roles.named("flakefighters", writer=writer, reader=_READER))
    if url.password is not None:
        say("the password in --shared was not written anywhere")
    say("what is left to do:", "strong")
    for number, (step, *more) in enumerate(_steps(url, writer, ci), 1):
        say(f"{number}. {step}")
        for line in more:
            say(f"   {line}")
    write(sql)
    say("what works already:", "strong")
    examine_here(replace(ground, inputs=replace(ground.inputs, option_profile="ci")), talk=True)


def _steps(url: urls.DatabaseUrl, writer: str, ci: str | None) -> Iterator[tuple[str, ...]]:
    """What people have to do themselves, each a line and the lines below it."""
    place = url.without_password()
    where, secret = "your CI's secrets", "FLAKEFIGHTERS_PROFILES__CI__URL"
    if ci is not None:
        service = SERVICES[ci]
        where, secret = f"{service.name} ({service.settings})", service.secret
    yield (
        "create the tables, as the database's owner:",
        f"flakefighters upgrade --database-url {replace(place, user='OWNER')}",
    )
    yield ("run the SQL below as the owner: it makes the roles and gives them their rights",)
    yield (
        "let the roles log in, each with a password of its own:",
        f"ALTER ROLE {writer} LOGIN PASSWORD '...';",
        f"ALTER ROLE {_READER} LOGIN PASSWORD '...';",
    )
    yield (
        f"store one secret, {secret}, in {where}:",
        str(place).replace("@", ":PASSWORD@", 1),
        "in the password write @ as %40, / as %2F, : as %3A, # as %23, % as %25",
    )
    yield ("let developers store theirs: flakefighters login shared",)
    yield ("check it all: flakefighters check ci",)


def _role(url: urls.DatabaseUrl) -> str:
    """The role that the URL's user is; Supabase's pooler adds the project after a dot."""
    user = url.user or _WRITER
    return user.partition(".")[0] if (url.host or "").endswith(_POOLER) else user
