"""Commands on two histories: ``clone``, ``pull``, ``push`` and ``sync``."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flakefighters.cli.meter import meter
from flakefighters.cli.options import AsJson, RootDir, moment
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import need_writable
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.reports.revisions import revision_lines, revision_records
from flakefighters.reports.transfers import transfer_page, transfer_record
from flakefighters.words import count

if TYPE_CHECKING:
    from flakefighters.cli.sides import Sides
    from flakefighters.judging.revisions import Revisions
    from flakefighters.model import Target
    from flakefighters.session.places import Spool
    from flakefighters.sync import Transfer

__all__ = ["clone", "pull", "push", "sync"]

_From = Annotated[
    str | None,
    typer.Option(
        "--from",
        "-p",
        "--profile",
        metavar="NAME",
        help="The profile, URL, file or folder to copy from (default: shared, else ci).",
    ),
]
_Into = Annotated[
    str | None,
    typer.Option(
        "--into", metavar="NAME", help="The profile or URL to copy into (default: local)."
    ),
]
_To = Annotated[
    str | None,
    typer.Option(
        "--to",
        "-p",
        "--profile",
        metavar="NAME",
        help="The profile or URL to send to (default: shared, or ci if shared is read-only).",
    ),
]
_Follow = Annotated[
    bool,
    typer.Option(
        "--follow-retention",
        help="Keep no more than the other history does: prune what it no longer keeps.",
    ),
]
_LocalRuns = Annotated[
    bool,
    typer.Option(
        "--local-runs", help="Send also the runs in the local history that had no changes."
    ),
]
_Spool = Annotated[
    str | None,
    typer.Option(
        "--spool",
        metavar="DIR",
        help="Send the journals in this folder (default: the project's), with --to all of them.",
    ),
]


def clone(
    source: _From = None,
    into: _Into = None,
    follow: _Follow = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="WHEN",
            help="Only runs since then, now and later: 90d, 2026-11-01.",
        ),
    ] = None,
    as_json: AsJson = False,
    rootdir: RootDir = None,
) -> None:
    """Copy a whole history into the local one, which keeps all that it has."""
    from flakefighters import sync as room
    from flakefighters.cli.sides import find_sides

    sides = find_sides(rootdir)
    start = None if since is None else moment(since, time.time_ns() // 1000)
    origin, target = sides.source(source), sides.local(into)
    with meter() as report, sides.reading(origin) as opened:
        tracked = sides.tracked(target)
        done = room.clone(
            opened, target, tracked=tracked, follow=follow, since=start, report=report
        )
    told = _told_late(sides, target, done)
    _end(as_json, _Part("cloned", _shown(origin), target.display, done, late=told))


def pull(
    source: _From = None,
    into: _Into = None,
    follow: _Follow = False,
    as_json: AsJson = False,
    rootdir: RootDir = None,
) -> None:
    """Fetch the runs, verdicts and marks that the local history lacks."""
    from flakefighters.cli.sides import find_sides

    sides = find_sides(rootdir)
    origin, target = sides.source(source), sides.local(into)
    _end(as_json, _pull(sides, origin, target, follow=follow))


def push(
    to: _To = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="The profile or URL to send from (local)."),
    ] = None,
    local_runs: _LocalRuns = False,
    spool: _Spool = None,
    unwanted: Annotated[
        str | None,
        typer.Option(
            "--discard",
            metavar="ADDRESS",
            help="Drop the runs that wait for ADDRESS, as `runs` shows it, and send nothing.",
        ),
    ] = None,
    as_json: AsJson = False,
    rootdir: RootDir = None,
) -> None:
    """Send the runs that could not be delivered, and with --local-runs those recorded here."""
    from flakefighters.cli.sides import find_sides

    sides = find_sides(rootdir)
    if unwanted is not None:
        _discard(sides, spool, unwanted)
        return
    target = sides.remote(to, "--to", writing=True)
    need_writable(target, "name another history with --to")
    local = sides.local(source, "--from")
    redirect = to is not None and spool is not None
    _end(as_json, _push(sides, target, local, spool, local_runs=local_runs, redirect=redirect))


def sync(
    source: _From = None,
    into: _Into = None,
    follow: _Follow = False,
    local_runs: _LocalRuns = False,
    spool: _Spool = None,
    as_json: AsJson = False,
    rootdir: RootDir = None,
) -> None:
    """Pull, then push: afterwards each side has what the other one may give it."""
    from flakefighters.cli.sides import find_sides

    sides = find_sides(rootdir)
    origin, target = sides.source(source), sides.local(into)
    parts = [_pull(sides, origin, target, follow=follow)]
    if isinstance(origin, Path):
        say(f"{origin} is a folder of journals: nothing is sent there")
    elif origin.read_only:
        say(f"{origin.display} is read-only: nothing is sent there")
    else:
        parts.append(_push(sides, origin, target, spool, local_runs=local_runs))
    _end(as_json, *parts, several=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """One direction of a transfer."""

    verb: str
    source: str
    into: str
    done: Transfer
    notes: list[str] = field(default_factory=list)
    #: What the runs that arrived change in verdicts that are there; None if it was not asked.
    late: Revisions | None = None


def _shown(origin: Target | Path) -> str:
    return str(origin) if isinstance(origin, Path) else origin.display


def _pull(sides: Sides, origin: Target | Path, target: Target, *, follow: bool) -> _Part:
    from flakefighters import sync as room

    with meter() as report, sides.reading(origin) as opened, sides.open(target) as into:
        done = room.pull(opened, into, follow=follow, report=report)
    told = _told_late(sides, target, done)
    return _Part("pulled", _shown(origin), target.display, done, late=told)


def _told_late(sides: Sides, target: Target, done: Transfer) -> Revisions | None:
    """What runs that arrived change in recent verdicts; nothing is asked if none arrived."""
    if not done.arrived:
        return None
    from flakefighters.judging.revisions import find_revisions

    with sides.open(target) as history:
        return find_revisions(history, done.arrived)


def _push(
    sides: Sides,
    target: Target,
    local: Target,
    spool: str | None,
    *,
    local_runs: bool,
    redirect: bool = False,
) -> _Part:
    from flakefighters import sync as room
    from flakefighters.cli import journals
    from flakefighters.cli.waiting import what_to_do

    folders = _spools(sides, spool)
    source = "the spool"
    with meter() as report:
        sent = journals.send(folders, target, lambda: sides.open(target), redirect=redirect)
        done = sent.done
        for note in sent.notes:
            say(note)
        if local_runs:
            source += f" and {local.display}"
            sides.need_name()
            with sides.open(local) as here, sides.open(target) as there:
                done.add(room.push(here, there, report=report))
        else:
            _send_decisions(sides, local, target, done)
    notes = []
    for address, number in sorted(sent.waiting.items()):
        if address != "local":
            advice = what_to_do(sides.ground.inputs, address, folders)
            notes.append(
                f"{number} more {'waits' if number == 1 else 'wait'} for {address}: {advice}"
            )
    if spool is not None and "local" in sent.waiting:
        number = sent.waiting["local"]
        notes.append(
            f"{number} more {'was' if number == 1 else 'were'} meant for the local history there: "
            f"`flakefighters pull --from {shlex.quote(spool)}` takes them in here"
        )
    return _Part("pushed", source, target.display, done, notes)


def _spools(sides: Sides, named: str | None) -> tuple[Spool, ...]:
    """The folders to send from.  ConfigError if there is no such folder."""
    from flakefighters.session.places import Spool

    if named is None:
        return sides.ground.spools
    if not os.path.isdir(named):  # noqa: PTH112
        raise ConfigError(f"no such folder: {named}", origin="--spool")
    own = {os.path.realpath(one.path): one for one in sides.ground.spools}
    return (own.get(os.path.realpath(named), Spool(Path(named))),)


def _discard(sides: Sides, spool: str | None, address: str) -> None:
    """Drop what waits for an address.  NotFoundError if nothing does."""
    from flakefighters.cli.waiting import discard

    dropped = discard(_spools(sides, spool), address)
    if not dropped:
        raise NotFoundError(
            f"no run waits for {address}", remedy="`flakefighters runs` shows what waits"
        )
    say(f"dropped {count(dropped, 'run')} that waited for {address}")


def _send_decisions(sides: Sides, local: Target, target: Target, done: Transfer) -> None:
    """What was purged and decided here has to go there too, even if no runs of here do."""
    from flakefighters.sync.push import push_decisions

    if local.path is None or not os.path.lexists(local.path):
        return
    with sides.open(local) as here:
        push_decisions(here, lambda: sides.open(target), done)


def _end(as_json: bool, *parts: _Part, several: bool = False) -> None:
    """Show what was done; exit code 1 if anything was refused."""
    if as_json:
        records = [_record(part) for part in parts]
        show_json(records if several else records[0])
    else:
        for part in parts:
            show(transfer_page(part.verb, part.source, part.into, part.done))
    for part in parts:
        for note in part.notes:
            say(note)
        if part.late is not None:
            for text in revision_lines(part.late.revisions, part.late.left):
                say(text)
    if not all(part.done.clean for part in parts):
        raise typer.Exit(1)


def _record(part: _Part) -> dict[str, Any]:
    record = transfer_record(part.verb, part.source, part.into, part.done)
    record["would_differ"] = revision_records(part.late.revisions if part.late else ())
    return record
