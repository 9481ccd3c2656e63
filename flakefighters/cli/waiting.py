"""What can be done with runs that wait for a history."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from flakefighters.errors import ConfigError
from flakefighters.model import Target
from flakefighters.profiles import Inputs, detect
from flakefighters.session.places import Spool, address
from flakefighters.session.spool import look_into

__all__ = ["discard", "what_to_do"]


def what_to_do(inputs: Inputs, where: str, spools: Sequence[Spool]) -> str:
    """Half a sentence: the commands that send runs which wait for ``where``, or drop them."""
    if where == "local":
        return "the next pytest that records there takes them in"
    if where.startswith("sqlite:"):
        url = f"sqlite:///{where.removeprefix('sqlite:')}"
        return f"`flakefighters push --to {shlex.quote(url)}` sends them"
    for name, target in _targets(inputs):
        if address(target) == where:
            return f"`flakefighters push --to {name}` sends them"
    folder = next((spool.path for spool in spools if _holds(spool, where)), None)
    shown = "DIR" if folder is None else shlex.quote(_short(folder))
    return (
        f"no profile has that address; `flakefighters push --spool {shown} --to NAME` sends them "
        f"elsewhere, `flakefighters push --discard {shlex.quote(where)}` drops them"
    )


def discard(spools: Iterable[Spool], where: str) -> int:
    """Drop the journals of runs that wait for ``where``; returns how many those were."""
    found = [one for spool in spools for one in look_into(spool).journals if one.address == where]
    for one in found:
        one.path.unlink(missing_ok=True)
    return len(found)


def _holds(spool: Spool, where: str) -> bool:
    return any(one.address == where for one in look_into(spool).journals)


def _short(folder: Path) -> str:
    """A folder as one would type it here."""
    return os.path.relpath(folder) if folder.is_relative_to(Path.cwd()) else str(folder)


def _targets(inputs: Inputs) -> Iterator[tuple[str, Target]]:
    """Name and history of each profile that may be written to."""
    from flakefighters.profiles.selection import Selector

    usual = replace(inputs, option_profile=None, option_url=None)
    selector = Selector.read(usual, detect(usual.environ))
    for name in selector.merged.profiles:
        with suppress(ConfigError):  # that of another profile is no matter here
            chosen = selector.build(name, selector.fields(name))
            if chosen is not None and not chosen.target.read_only:
                yield selector.label(name), chosen.target
