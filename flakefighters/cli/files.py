"""The files of the user's project that we write, when asked to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from flakefighters.errors import ConfigError

__all__ = ["IGNORED", "ignore", "not_ignored", "write_new"]

#: What git should not see: lines of the ``.gitignore`` beside the history, and what each is for.
IGNORED: Final = {
    "/flakefighters.db*": ("flakefighters.db", "flakefighters.db-wal"),
    "/.flakefighters/": (".flakefighters/spool",),
}


def write_new(path: Path, text: str, *, over: bool) -> bool:
    """Write a file whole or not at all; False if it is there with this very text.

    Raises:
        ConfigError: if there is another one and ``over`` is false, or it cannot be written.
    """
    if os.path.lexists(path):
        with suppress(OSError, UnicodeDecodeError):
            if path.read_text(encoding="utf-8") == text:
                return False
        if not over:
            raise ConfigError(
                f"{path} is there already, and is left as it is",
                remedy="see `flakefighters config` for what it says; --force writes over it",
            )
    _replace(path, text.encode())
    return True


def not_ignored(ignored: Callable[[Sequence[str]], Collection[str]]) -> list[str]:
    """Those of our lines that git needs; ``ignored`` tells which of some paths it ignores."""
    found = ignored([name for names in IGNORED.values() for name in names])
    return [line for line, names in IGNORED.items() if not set(names) <= set(found)]


def ignore(path: Path, lines: Sequence[str]) -> None:
    """Add lines at the end.  ConfigError if that cannot be done."""
    if path.is_symlink():  # git does not read one, and it may lead out of the project
        raise ConfigError(f"{path} is a link, which git does not read", remedy="make it a file")
    try:
        before = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})") from None
    end = b"\r\n" if b"\r\n" in before else b"\n"
    if before and not before.endswith(b"\n"):
        before += end
    _replace(path, before + b"".join(line.encode() + end for line in lines))


def _replace(path: Path, content: bytes) -> None:
    """Put a new file in the place of an old one, with the old one's rights."""
    made: str | None = None
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        handle, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(made).chmod(mode)
        Path(made).replace(path)
    except OSError as error:
        if made is not None:
            Path(made).unlink(missing_ok=True)
        raise ConfigError(
            f"{path} cannot be written ({error.strerror})", remedy="check the rights of its folder"
        ) from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
