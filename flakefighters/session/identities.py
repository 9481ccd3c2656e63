"""The identities that a folder's project has had: a remote that was added gives it another one.

They are kept beside the history, one a line.  Runs that were recorded under any of them are
evidence for this folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flakefighters.capture.journal import make_private
from flakefighters.ids import h128, uuid7
from flakefighters.session.places import own_folders

if TYPE_CHECKING:
    from flakefighters.state.checkout import Checkout

__all__ = ["identities", "local_identity", "meet", "recorded"]

_NAMES: Final = "identities"
#: The oldest ones are forgotten: each costs a question to the history.
_MOST: Final = 8
_LONGEST: Final = 500


def identities(checkout: Checkout) -> tuple[str, ...]:
    """Every identity that was met in the anchor's folder, the newest last.

    Files that git tracks are not read: a commit could name any project.
    """
    folder = checkout.base / checkout.prefix
    found: dict[str, None] = {}
    for home in _homes(folder):
        for name in ("project", _NAMES):
            lines = _lines(home / name)
            if lines and not checkout.is_tracked(home / name):
                found.update(dict.fromkeys(lines))
    return tuple(found)[-_MOST:]


def meet(folder: Path, identity: str) -> None:
    """Remember the identity of the project in ``folder``; nothing if that cannot be written."""
    if len(identity) > _LONGEST or not identity.isprintable():
        return
    for home in _writable(folder):
        known = [*_lines(home / "project"), *_lines(home / _NAMES)]
        if identity in known:
            return
        try:
            make_private(home)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            file = os.open(home / _NAMES, flags, 0o600)
            try:
                os.write(file, f"{identity}\n".encode())
            finally:
                os.close(file)
        except OSError:
            continue
        return


def local_identity(folder: Path, main: Path | None = None) -> str:
    """A random name for a project without a remote, kept beside its history.

    ``main`` is the same folder in the main work tree, whose name this one has.
    """
    known = recorded(folder) or (None if main is None else recorded(main))
    identity = known or f"local:{uuid7()}"
    for home in _writable(folder):
        path = home / "project"
        if known and os.path.lexists(path) and recorded(folder) == known:
            return known
        try:
            make_private(home)
            if os.path.lexists(path):
                path.unlink()  # it was damaged
            with path.open("x", encoding="utf-8") as file:
                file.write(identity + "\n")
        except FileExistsError:
            return recorded(folder) or identity  # another run was faster
        except OSError:
            continue
        return identity
    return known or f"local:{h128('folder', str(folder))}"


def recorded(folder: Path) -> str | None:
    """The random name that ``folder`` has; None if none was needed yet."""
    for home in _homes(folder):
        for known in _lines(home / "project")[:1]:
            if known.startswith("local:") and len(known) == 38 and known[6:].isalnum():
                return known
    return None


def _homes(folder: Path) -> Iterator[Path]:
    yield folder / ".flakefighters"
    yield from (home for home, _ in own_folders(folder))


def _writable(folder: Path) -> Iterator[Path]:
    yield from (home for home, _ in own_folders(folder))


def _lines(path: Path) -> list[str]:
    try:
        if path.is_symlink() or not path.is_file():
            return []
        with path.open("rb") as file:
            text = file.read(_MOST * 4 * _LONGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and len(line) <= _LONGEST and line.isprintable()]
