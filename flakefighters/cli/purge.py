"""The command ``purge``: take a leaked secret out of a history for good."""

from __future__ import annotations

import re
import sys
import time
from typing import Annotated, Final

import typer

from flakefighters.cli.deciding import login_name
from flakefighters.cli.options import AsJson, DatabaseUrl, Profile, RootDir
from flakefighters.cli.output import say, show, show_json
from flakefighters.cli.place import Asked, Place, find_place
from flakefighters.errors import ConfigError, NotFoundError
from flakefighters.history import History
from flakefighters.history.purge import affected, find_signatures, purge
from flakefighters.history.purge_text import signature_id
from flakefighters.history.run_checks import is_run_id
from flakefighters.model import Target
from flakefighters.reports.retention import purge_page, purge_record
from flakefighters.session.purged_journals import empty_journals, journals_of, journals_saying
from flakefighters.words import count

__all__ = ["purge_secret"]

_HEX: Final = re.compile("[0-9a-f]{1,32}")
#: The id of a run: a UUID of version 7.
_RUN_ID: Final = re.compile("[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
#: So many digits of the id of a signature are asked for.
_DIGITS: Final = 6


def purge_secret(
    name: Annotated[
        str,
        typer.Argument(
            metavar="RUN|SIGNATURE",
            help="The run's id or the last digits of it, or the first digits of a signature's id.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be removed.")
    ] = False,
    as_json: AsJson = False,
    profile: Profile = None,
    database_url: DatabaseUrl = None,
    rootdir: RootDir = None,
) -> None:
    """Remove a run, or all that failures with a signature say, here and wherever it was copied."""
    place = find_place(Asked(profile, database_url, rootdir))
    target = place.resolution.target
    place.need_writable("name a profile of the owner with --profile")
    folders = place.spools
    with place.history() as history:
        if history is None:
            raise NotFoundError(f"no {name}: there is no history yet, looked from {place}")
        history.database.need_owner("purge")
        kind, found, runs = _find(history, name)
        if kind == "run":
            journals = len(journals_of(folders, found))
        else:
            journals = len(journals_saying(folders, [found]))
        if not dry_run:
            if not yes:
                _confirm(kind, found, runs, target)
            purge(history.database, (kind, found, time.time_ns() // 1000, _who(target)))
            _purge_journals(place, kind, found)
    told = (kind, found, runs, journals, target.display)
    if as_json:
        show_json(purge_record(*told, dry_run=dry_run))
    else:
        show(purge_page(*told, dry_run=dry_run))
    if not dry_run:
        say("other histories purge it when they pull, push or sync the next time")
        say("backups, and copies in files, still hold it: if it is a secret, change it")


def _find(history: History, name: str) -> tuple[str, str, int]:
    """Kind and id of what is meant, and how many runs it is in.  NotFoundError if that is open."""
    wanted = name.strip()
    digits = wanted.lower().replace("-", "")
    if not _HEX.fullmatch(digits):
        # The text itself, which is what `--json` shows.
        found = signature_id(wanted)
        if found in find_signatures(history.database, found):
            return "signature", found, len(affected(history.database, [found]))
        raise NotFoundError(
            f"{name!r} is neither a run nor a signature",
            remedy="see `flakefighters runs`, and `flakefighters show RUN --tracebacks`",
        )
    signatures = find_signatures(history.database, digits) if len(digits) >= _DIGITS else {}
    runs = [run for run in history.run_ids() if run.endswith(digits) and is_run_id(run)]
    if len(signatures) + len(runs) > 1:
        what = [f"signature {found[:12]}" for found in signatures]
        what += [f"run {run[-12:]}" for run in runs]
        raise NotFoundError(
            f"{name} may be {', '.join(sorted(what)[:5])}", remedy="give more digits"
        )
    for found in signatures:
        return "signature", found, len(affected(history.database, [found]))
    for run in runs:
        return "run", run, 1
    if _RUN_ID.fullmatch(digits):
        return "run", digits, 0  # it may be elsewhere, and shall not come here
    raise NotFoundError(
        f"neither a run nor a signature {name} in this history",
        remedy="see `flakefighters runs`, and `flakefighters show RUN --tracebacks`",
    )


def _confirm(kind: str, name: str, runs: int, target: Target) -> None:
    """Ask at the terminal.  ConfigError if there is none, an end of the command for a no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("purge cannot be undone", remedy="confirm it with --yes")
    what = f"run {name}"
    if kind == "signature":
        what = f"what failures with signature {name[:12]} say in {count(runs, 'run')}"
    question = f"Purge {what} from {target.display}, and every copy? It cannot be undone."
    if not typer.confirm(question, default=False, err=True):
        raise typer.Exit(1)


def _purge_journals(place: Place, kind: str, name: str) -> None:
    folders = place.spools
    if kind == "run":
        for path in journals_of(folders, name):
            path.unlink(missing_ok=True)
    else:
        empty_journals(folders, [name])


def _who(target: Target) -> str:
    """Whom the tombstone names."""
    return target.user or login_name() or "unknown"
