"""What pytest says of a failure, read without pytest: exception, message, frames, causes.

A report's ``longrepr`` is pytest's chain of formatted tracebacks, the same rebuilt from what an
xdist worker sent, or a plain text (doctests, missing fixtures, crashed workers, XPASS(strict)).
Everything is read by attribute, nothing is assumed to be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Link", "Read", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One exception of a chain or a group."""

    #: Its name as printed, None if it stands in the message or nowhere.
    exception: str | None = None
    message: str = ""
    #: (path as printed, function or "") of its frames, outermost first.
    frames: tuple[tuple[str, str], ...] = ()
    #: The line of code that raised it, a doctest's example.
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Link):
    """The exception that failed the test, what it was raised from, and its members."""

    causes: tuple[Link, ...] = ()  # nearest first
    members: tuple[Link, ...] = ()


def read(longrepr: Any, text: str) -> Read:
    """Take ``longrepr`` apart; ``text`` is what it prints."""
    chain = getattr(longrepr, "chain", None)
    if not chain:
        traceback = getattr(longrepr, "reprtraceback", None)
        if traceback is None:
            return _from_text(text)
        chain = [(traceback, getattr(longrepr, "reprcrash", None), None)]
    links = [_link(link[0], link[1]) for link in chain]
    last = links[-1]
    return Read(
        message=last.message,
        exception=last.exception,
        frames=last.frames,
        source=last.source,
        causes=(*reversed(links[:-1]), *last.causes),
        members=last.members,
    )


# -- pytest's own format ---------------------------------------------------------------------

_DEF: Final = r"[> ](\s*)(?:async\s+)?def\s+(\w+)"


def _link(traceback: Any, crash: Any) -> Read:
    entries: Sequence[Any] = getattr(traceback, "reprentries", None) or ()
    message = str(getattr(crash, "message", "") or "")
    shown = [entry for entry in entries if getattr(entry, "reprfileloc", None) is not None]
    if entries and not shown:
        if str(getattr(traceback, "style", "")) == "native":
            return _native(_lines(entries), message)
        path = getattr(crash, "path", None)
        return Read(
            message=message or "\n".join(_lines(entries)),
            frames=((str(path), ""),) if path else (),
        )
    shown = [entry for entry in shown if not _inside(str(entry.reprfileloc.path))]
    return Read(
        message=message or _errors(_lines(entries[-1:])),
        frames=tuple((str(entry.reprfileloc.path), _function(entry)) for entry in shown),
        source=_source(shown[-1]) if shown else None,
    )


def _inside(path: str) -> bool:
    """Whether a frame is unittest's own; pytest hides them in most styles."""
    return path.endswith(("/unittest/case.py", "\\unittest\\case.py"))


def _function(entry: Any) -> str:
    """The name of a frame's function, "" for modules, lambdas and what is not known."""
    said = str(entry.reprfileloc.message or "")
    if said.startswith("in "):  # the short style, and in it pytest's inner frames
        return said[3:]
    found: re.Match[str] | None = None
    for line in entry.lines:
        found = found or re.match(_DEF, line)
        if line.startswith(">"):
            body = line[1:]
            inside = found is not None and (
                len(body) - len(body.lstrip()) > len(found[1]) or line is found.string
            )
            return found[2] if found is not None and inside else ""
    return ""


def _source(entry: Any) -> str | None:
    """The line that failed: marked in the long style, the only one in the short style."""
    for line in entry.lines:
        if line.startswith(">"):
            return str(line[1:].strip())
    short = str(entry.reprfileloc.message or "").startswith("in ")
    return str(entry.lines[0].strip()) if short and entry.lines else None


def _lines(entries: Iterable[Any]) -> list[str]:
    return [
        line
        for entry in entries
        for given in getattr(entry, "lines", ())
        for line in str(given).rstrip("\n").split("\n")
    ]


def _errors(lines: Iterable[str]) -> str:
    """The lines that pytest marks with an E."""
    return "\n".join(line[1:].strip() for line in lines if line.startswith("E "))


# -- Python's own format ---------------------------------------------------------------------

_TREE: Final = r"(?:\s*[|+](?![-+]))*"
_FRAME: Final = _TREE + r'\s*File "([^"]+)", line \d+(?:, in (.+))?'
_RAISED: Final = _TREE + r" ?([A-Za-z_][\w.<>]*)(?:: (.*))?$"


def _native(lines: list[str], message: str) -> Read:
    """Python's traceback: a chain without a group, or a group with its members."""
    found = _raised(lines)
    if not found:
        return Read(message=message or "\n".join(lines[-1:]))
    tree = any(line.lstrip().startswith("+-") for line in lines)
    own = found[-1]
    if tree:
        own = next((link for link in found if "sub-exception" in link.message), found[0])
    others = tuple(link for link in found if link is not own)
    return Read(
        exception=own.exception,
        message=message or own.message,
        frames=own.frames,
        source=own.source,
        causes=() if tree else others[::-1],
        members=others if tree else (),
    )


def _raised(lines: list[str]) -> list[Link]:
    """The exceptions of Python's traceback, in the order in which they are printed."""
    found: list[Link] = []
    frames: list[tuple[str, str]] = []
    source: str | None = None
    for at, line in enumerate(lines):
        frame = re.match(_FRAME, line)
        if frame is not None and _inside(frame[1]):
            continue
        if frame is not None:
            frames.append((frame[1], (frame[2] or "").strip()))
            source = "".join(lines[at + 1 : at + 2]).strip(" |") or None
            continue
        raised = re.match(_RAISED, line)
        if raised is not None and (frames or not found):
            name, message = raised[1], raised[2] or ""
            found.append(Link(exception=name, message=message, frames=tuple(frames), source=source))
            frames = []
    return found


# -- plain text ------------------------------------------------------------------------------

_LOCATED: Final = r"(.+?):(\d+|None)(?:: (DocTestFailure|UnexpectedException))?$"
_EXAMPLE: Final = r"(?:\d{3} )?\s*>>> (.*)"


def _from_text(text: str) -> Read:
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    located = re.match(_LOCATED, lines[-1]) if lines else None
    frames = ((located[1], ""),) if located is not None else ()
    if located is not None and located[3]:
        return _doctest(lines, located[3], frames)
    return Read(message=_errors(lines) or "\n".join(lines[:3]), frames=frames)


def _doctest(lines: list[str], kind: str, frames: tuple[tuple[str, str], ...]) -> Read:
    """The example that failed, and how; several if doctest went on."""
    examples = [found[1] for line in lines if (found := re.match(_EXAMPLE, line))]
    how = [line for line in lines if line.startswith("UNEXPECTED EXCEPTION")]
    source = examples[-1] if examples else None
    return Read(exception=kind, message="".join(how[:1]), frames=frames, source=source)
