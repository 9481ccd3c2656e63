"""Runs that are not in their history yet: where they wait, and how they get there."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flakefighters.capture.journal import FORMAT, lives, make_spool
from flakefighters.capture.recovery import JournalError, heading, recover
from flakefighters.errors import ConflictError, FlakefightersError
from flakefighters.history.intake import Saved
from flakefighters.history.run_checks import Limits, check_run, check_verdicts
from flakefighters.ids import h128, short
from flakefighters.judging.results import without_traces
from flakefighters.judging.retries import late_proofs
from flakefighters.records import NamedTuple, record
from flakefighters.session.places import journals_in, writable
from flakefighters.state.tracked import tracked_in
from flakefighters.words import trouble

if TYPE_CHECKING:
    from flakefighters.capture.recovery import Recovered
    from flakefighters.history import History
    from flakefighters.model import Verdict
    from flakefighters.session.places import Spool

__all__ = [
    "ASIDE",
    "Found",
    "Journal",
    "Refused",
    "deliver",
    "deliver_leftovers",
    "look_into",
    "prove",
    "put_aside",
    "read_back",
    "waiting",
]

#: The folder within a spool for what is no journal of ours.
ASIDE: Final = "set-aside"
_TRACKED: Final = (
    "the journal {name} is tracked by git, so anybody who may commit could have written it: it is "
    "not read; run 'git rm --cached' on it, and let git ignore it"
)
_LATER: Final = "a later version of flakefighters wrote the journal {name}: upgrade this one"


class Journal(NamedTuple):
    """The journal of a run that is over."""

    path: Path
    #: The history that it is meant for.
    address: str
    owners: frozenset[int] | None


class Refused(NamedTuple):
    """What lies among the journals and is not read."""

    path: Path
    #: One line: what is wrong, and what to do.
    reason: str
    #: False for what git tracks, as moving it would change the user's work tree, and for what a
    #: later version of ours can deliver.
    movable: bool = True


@record
class Found:
    """What lies in a spool."""

    journals: list[Journal] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    #: Journals of runs that may be going on.
    living: list[Path] = field(default_factory=list)


def look_into(spool: Spool, now: float | None = None) -> Found:
    """What lies in a spool, in order of name.  Nothing is changed."""
    found = Found()
    now = time.time() if now is None else now
    over: dict[str, Mapping[str, Any] | JournalError] = {}
    for name in journals_in(spool.path):
        path = spool.path / name
        try:
            first = heading(path, spool.owners)
        except JournalError as error:
            over[name] = error
        except OSError:  # another run has delivered it, or it can be read another time
            continue
        else:
            if first["flakefighters"] == FORMAT and lives(first, path, now):
                found.living.append(path)
            else:
                over[name] = first
    # The journal of this very run is always there: for that git is not asked.
    tracked = tracked_in(spool.path, over) if over else ()
    for name, first_or_error in over.items():
        path = spool.path / name
        if name in tracked:
            found.refused.append(Refused(path, _TRACKED.format(name=name), movable=False))
        elif isinstance(first_or_error, JournalError):
            found.refused.append(Refused(path, str(first_or_error)))
        elif first_or_error["flakefighters"] != FORMAT:
            found.refused.append(Refused(path, _LATER.format(name=name), movable=False))
        else:
            found.journals.append(Journal(path, first_or_error["address"], spool.owners))
    return found


def waiting(spools: Iterable[Spool]) -> dict[str, int]:
    """How many runs that are over wait there, by the history that they are meant for."""
    return Counter(one.address for spool in spools for one in look_into(spool).journals)


def read_back(path: Path, owners: frozenset[int] | None = None) -> Recovered:
    """Read a journal back, with all the checks that a foreign file has to stand.

    Raises:
        JournalError: if it is not as we write it.
        OSError: if it cannot be read this time.
    """
    found, limits = recover(path, owners), Limits()
    try:
        check_run(found.run, limits)
        check_verdicts(found.verdicts, found.run, limits)
    except FlakefightersError as error:
        reason = error.message
    except Exception as error:  # whatever malformed data provoke in our own code
        reason = f"malformed ({type(error).__name__})"
    else:
        return found
    raise JournalError(
        f"the journal {path.name} is refused: {reason}", remedy="remove it if you do not know it"
    )


def deliver_leftovers(
    history: History,
    spools: Sequence[Spool],
    *,
    to: str,
    limit: int = 50,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
    proved: list[Verdict] | None = None,
) -> tuple[int, list[str]]:
    """Save the journals of runs that are over and were meant for this history.

    Returns how many were saved, and one-line troubles.  ``proved`` takes the verdicts on failures
    of other runs that these prove flaky.
    """
    saved, notes = 0, []
    end = clock() + seconds
    for found in map(look_into, spools):
        notes += put_aside(found.refused, spools)
        for journal in found.journals:
            if journal.address != to:
                continue
            if saved >= limit or clock() > end:
                return saved, notes
            try:
                run = read_back(journal.path, journal.owners)
                how = deliver(history, run)
            except (JournalError, ConflictError) as error:
                notes += put_aside([Refused(journal.path, str(error))], spools)
                continue
            except OSError:  # as above
                continue
            except FlakefightersError as error:
                return saved, [*notes, str(error)]
            if how is Saved.BEYOND:
                notes.append(f"run {short(run.run.head.id)} is older than the history keeps")
            found_flaky = prove(history, run, how, notes)
            if proved is not None:
                proved += found_flaky
            with suppress(OSError):  # it is known from now on: the next run does not save it again
                journal.path.unlink()
            saved += 1
    return saved, notes


def deliver(history: History, found: Recovered) -> Saved | None:
    """Save one recovered run, unless nothing happened in it or it is there already.

    Raises:
        JournalError: if the history cannot hold what it says.
        DatabaseError: if the history cannot be used.
    """
    run = found.run
    if not run.suite and not run.head.context.get("collection_errors"):
        return None
    # Killed between saving and removing the journal: what was saved is the better copy.
    if history.content_hashes([run.head.id]):
        return None
    try:
        return history.save(without_traces(run), found.verdicts, via="spool")
    except FlakefightersError:
        raise
    except Exception as error:  # whatever the checks did not think of must not come back
        raise JournalError(
            f"the journal {found.path.name} is refused: {type(error).__name__} while it was saved"
        ) from None


def prove(history: History, found: Recovered, how: Saved | None, notes: list[str]) -> list[Verdict]:
    """What a run that was delivered proves of earlier failures; it is stored with these.

    The project's files may be others by now, so it counts if any variable had another value.
    """
    if not how:
        return []
    try:
        later = late_proofs(found.run, history, now=time.time_ns() // 1000)
        return later if later and history.add_verdicts(later) else []
    except Exception as error:  # the run is saved, and the others are still to be delivered
        name = short(found.run.head.id)
        notes.append(f"what run {name} proves of earlier failures was not stored: {trouble(error)}")
        return []


# -- what is no journal ----------------------------------------------------------------------


def put_aside(refused: Iterable[Refused], spools: Sequence[Spool]) -> list[str]:
    """Move what is no journal of ours out of the way, and say so once, one line each."""
    notes = []
    for one in refused:
        moved = _move(one.path) if one.movable else None
        if moved is not None:
            notes.append(f"{one.reason}; it was moved to {moved.parent}")
        elif os.path.lexists(one.path) and not _was_told(one, spools):
            notes.append(one.reason)
    return notes


def _move(path: Path) -> Path | None:
    """Move a file into the folder for such; None if that cannot be done."""
    try:
        folder = _aside(path.parent)
        for name in _names(path):
            if not os.path.lexists(folder / name):
                return path.rename(folder / name)
    except OSError:
        pass
    return None


def _names(path: Path) -> Iterator[str]:
    yield path.name
    for number in range(1, 1000):
        yield f"{path.stem}-{number}{path.suffix}"


def _aside(spool: Path) -> Path:
    """The folder, made if it is not there.  OSError if it cannot be made, or is none."""
    folder = spool / ASIDE
    facts = spool.stat()
    with suppress(FileExistsError):
        folder.mkdir(mode=facts.st_mode & 0o777)
        if hasattr(os, "chown"):  # made by root, it is for the owner of the rest
            with suppress(OSError):
                os.chown(folder, facts.st_uid, facts.st_gid)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise NotADirectoryError(folder)
    return folder


def _was_told(one: Refused, spools: Sequence[Spool]) -> bool:
    """Whether what stays where it is was told before; from now on it was, if we can write."""
    mark = f"{h128('told', str(one.path), one.reason)[:16]}.told"
    for spool in spools:
        try:
            if not spool.path.exists() and writable(spool.path):
                make_spool(spool.path)
            (_aside(spool.path) / mark).open("x", encoding="utf-8").close()
        except FileExistsError:
            return True
        except OSError:
            continue
        return False
    return False
