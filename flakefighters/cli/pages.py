"""Where the documentation of this very version lies on this machine."""

from __future__ import annotations

from contextlib import suppress
from importlib import metadata
from pathlib import Path

__all__ = ["page_of"]

_MESSAGES = "messages.md"


def page_of(slug: str) -> str | None:
    """The page and section that tell more of an error; None if the page is not installed."""
    path = _installed() or _in_checkout()
    return None if path is None else f"{path}#{slug}"


def _installed() -> Path | None:
    """The page as the wheel brought it."""
    with suppress(Exception):  # whatever the environment is like: there is an error to show
        for file in metadata.files("flakefighters") or ():
            if file.name == _MESSAGES and "doc" in file.parts:
                path = Path(str(file.locate())).resolve()
                return path if path.is_file() else None
    return None


def _in_checkout() -> Path | None:
    path = Path(__file__).resolve().parents[2] / "docs" / _MESSAGES
    return path if path.is_file() else None
