"""What equal failures share: a short normalised text made of exception, message and place.

Two failures have one signature if they are the same failure on another machine, in another
folder, on another Python, with other numbers in the message.  It is readable on purpose: people
see it when they ask why two failures were held to be the same.

    ValueError
    invalid amount # for 'vat'
    in shop/tax.py:vat
    in shop/cart.py:total
    caused by KeyError: 'rate'

Line numbers are left out, and so is the test function if the failure lies in other code of the
project: many tests that fail for one reason share one signature.
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Any, Final

from flakefighters.capture import longrepr as reading
from flakefighters.capture.normalise import normalised

__all__ = ["VERSION", "frames_of", "from_longrepr", "normalise", "signature"]

#: To be raised whenever a rule changes: signatures of different versions are never equal.
VERSION: Final = 1

#: Failures whose message says little: the line of code that failed tells them apart.
_TOLD_BY_SOURCE: Final = ("AssertionError", "DocTestFailure", "UnexpectedException")
_FRAMES: Final = 3
_LINES: Final = 3
_LINE: Final = 240
_CAUSES: Final = 3

#: Path relative to the base (or settled) and function of a frame.
Frame = tuple[str, str]


def from_longrepr(
    longrepr: Any,
    known: Mapping[str, Any] = MappingProxyType({}),
    base: str = "",
    *,
    cwd: str | None = None,
    redact: Callable[[str], str] = str,
) -> tuple[str, str]:
    """The text to store and the signature of a failing report's ``longrepr``; never raises.

    Of what is attached to the report (``known``), ``exception`` is the qualified name of its type,
    and ``frames`` (see :func:`frames_of`) stand in where ``--tb=no`` or ``--tb=line`` left none.
    ``base`` is the absolute path that paths become relative to, ``cwd`` the folder that pytest was
    started in (pytest shows paths relative to it), ``redact`` takes secrets out of a text and is
    called before all else.
    """
    exception = known.get("exception")
    try:
        raw = redact(str(longrepr))
        text = normalised(raw, base)
        what = reading.read(longrepr, raw)
        bare = hasattr(longrepr, "reprtraceback") and not any(name for _, name in what.frames)
        if bare and known.get("frames"):
            frames = tuple((str(path), str(name)) for path, name in known["frames"])
            what = replace(what, frames=frames)
        made = _signature(what, exception, base, cwd, redact)
    except Exception:
        # Any object can be a longrepr, and its parts can raise what they like.  The failure is
        # recorded all the same; its text is lost, the outcome is not.
        return "", signature(exception, "", ())
    return text, redact(made)


def frames_of(traceback: TracebackType | None) -> list[Frame]:
    """(path, function) of a traceback's innermost frames, outermost first; plain data."""
    frames: deque[Frame] = deque(maxlen=40)
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append((code.co_filename, code.co_name))
        traceback = traceback.tb_next
    return list(frames)


def signature(
    exception: str | None,
    message: str,
    frames: Sequence[Frame],
    *,
    source: str | None = None,
    causes: Sequence[tuple[str | None, str]] = (),
    members: Sequence[str] = (),
) -> str:
    """The signature of one failure.

    ``frames`` are (path relative to the base, function), outermost first.  ``source`` is the line
    that failed (of an assertion or a doctest), ``causes`` are (exception, message) of what it was
    raised from, nearest first, ``members`` describe the exceptions of a group.
    """
    name, message = _split(exception, message)
    lines = [name] if name else []
    lines += _headline(name, message)
    if source and name in _TOLD_BY_SOURCE:
        lines.append("at " + " ".join(source.split())[:_LINE])
    recursive = name == "RecursionError"
    lines += [f"in {_place(frame)}" for frame in _places(frames, recursive=recursive)]
    for cause, said in causes[:_CAUSES]:
        kind, said = _split(cause, said)
        lines.append(": ".join(["caused by " + (kind or "?"), *_headline(kind, said)[:1]]))
    lines += [f"with {member}" for member in sorted(set(members))[:_CAUSES]]
    return "\n".join(lines)


def _signature(
    what: reading.Read,
    exception: str | None,
    base: str,
    cwd: str | None,
    redact: Callable[[str], str],
) -> str:
    def clean(text: str) -> str:
        return normalised(redact(text[:20_000]), base, limit=8_000)

    def near(frames: Sequence[Frame]) -> list[Frame]:
        return [(_relative(path, base, cwd), function) for path, function in frames]

    members = []
    for link in what.members:
        name, said = _split(link.exception, clean(link.message))
        kind = ": ".join([name or "?", *_headline(name, said)[:1]])
        places = _places(near(link.frames), recursive=False)[:1]
        members.append(" in ".join([kind, *map(_place, places)]))
    return signature(
        exception or what.exception,
        clean(what.message),
        near(what.frames),
        source=clean(what.source) if what.source else None,
        causes=[(cause.exception, clean(cause.message)) for cause in what.causes],
        members=members,
    )


# -- the exception and its message -----------------------------------------------------------

_NAMED: Final = r"([A-Za-z_][\w.<>]*)(?:: |:?$)"


def _split(exception: str | None, message: str) -> tuple[str | None, str]:
    """The exception's bare name, and the message freed of it.

    The module is left out: a test module's depends on how it is imported.
    """
    name = exception.rpartition(".")[2] if exception else None
    first, newline, rest = message.partition("\n")
    match = re.match(_NAMED, first)
    if match is not None:
        said = match[1].rpartition(".")[2]
        if said == name or (name is None and said[:1].isupper()):
            return said, first[match.end() :] + newline + rest
    if name is None and message.startswith("assert "):
        name = "AssertionError"  # pytest leaves it out
    return name, message


def _headline(name: str | None, message: str) -> list[str]:
    """The telling lines of a message, normalised."""
    lines = [line.strip() for line in message[:8_000].split("\n")]
    lines = [line for line in lines if line]
    if name == "RecursionError":
        # "... while calling a Python object" is where the limit happened to be reached.
        return ["maximum recursion depth exceeded"]
    if name != "AssertionError":
        return [normalise(line) for line in lines[:_LINES]]
    # Below an assertion's line stands a comparison whose length depends on pytest's verbosity.
    out = [_assertion(line) for line in lines if line.startswith("assert ")][:1]
    if not lines or lines[0].startswith("assert "):
        return out
    return [normalise(lines[0]), *out]


# A status is the failure; another number is a detail of it.
_KEPT: Final = (
    r"(?:\bstatus(?:[ _]code)?|\bhttp|\bresponse \[|\bexit (?:status|code)|\breturncode|\bsignal)"
    r"[ =:]{0,3}\d{1,3}(?![\d.])"
)
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEX: Final = r"\b(?:0x[0-9a-f]+|(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,})\b"
_DECIMAL: Final = r"(?:(?<![\w#)\]}.'\"])[-+])?\d+(?:[._]\d+)*(?:e[-+]?\d+)?"
_VARYING: Final = f"(?i)(?P<kept>{_KEPT})|{_UUID}|{_HEX}|{_DECIMAL}"
_QUOTED: Final = r"'[^'\n]{41,}'|\"[^\"\n]{41,}\""
_SUGGESTED: Final = r"\.? Did you mean:? .*$"


def normalise(line: str) -> str:
    """One line of a message with its numbers, hashes and long quotations made equal.

    Short quotations stay: they name the missing key, attribute or file.
    """
    line = re.sub(_SUGGESTED, "", line[: 8 * _LINE])
    line = re.sub(_QUOTED, lambda quoted: quoted[0][0] + "*" + quoted[0][0], line)
    line = re.sub(_VARYING, lambda found: found["kept"] or "#", line)
    line = re.sub("#(?:, ?#)+", "#", line)
    return " ".join(line.split())[:_LINE].rstrip()


_OPERATORS: Final = (
    " == ", " != ", " <= ", " >= ", " < ", " > ", " is not ", " is ", " not in ", " in ",
)  # fmt: skip
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_STATUS: Final = frozenset(map(str, (*range(200, 209), *range(300, 309), *range(400, 512))))


def _assertion(line: str) -> str:
    """``assert LEFT == RIGHT`` with the operands' values reduced to their shapes."""
    body = line.removeprefix("assert ")[: 8 * _LINE]
    at, operator = _comparison(body)
    if operator is None:
        return "assert " + _shape(body)
    left, right = body[:at], body[at + len(operator) :]
    if left in _STATUS and right in _STATUS:
        return f"assert {left}{operator}{right}"
    return f"assert {_shape(left)}{operator}{_shape(right)}"


def _comparison(body: str) -> tuple[int, str | None]:
    """Where the first comparison outside quotes and brackets is, and its operator."""
    quote, depth, skip = "", 0, False
    for at, character in enumerate(body):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == " " and depth <= 0:
            for operator in _OPERATORS:
                if body.startswith(operator, at):
                    return at, operator
    return len(body), None


def _shape(value: str) -> str:
    """An operand as it is if short, else what kind of thing it is.

    pytest cuts operands of 30 characters and more unless it is verbose; sets have no order.
    """
    value = value.strip()
    if value.startswith("{") and ": " not in value:
        return "{*}"
    if len(value) <= 24 and "..." not in value:
        return normalise(value)
    if value[0] in _CLOSING:
        return f"{value[0]}*{_CLOSING[value[0]]}"
    if value[0] in "'\"":
        return "'*'"
    if value[0] == "<":
        return "<*>"
    if value[0].isdigit() or value[0] in "+-":
        return "#"
    called = re.match(r"[A-Za-z_][\w.]*(?=[('\"\[{])", value)
    return f"{called[0]}(*)" if called is not None else "*"


# -- the place -------------------------------------------------------------------------------

_FOREIGN: Final = ("<", "/", "~", "../", ".venv/", "venv/", ".tox/", ".nox/", ".eggs/")


def _places(frames: Sequence[Frame], *, recursive: bool) -> list[Frame]:
    """The innermost frames of the project, innermost first; others only if it has none."""
    named = [frame for frame in frames if frame[1] and not frame[1].startswith("<")]
    known = named or [(path, "") for path, _ in frames]
    inner = [frame for frame in known if not _foreign(frame[0])]
    if not inner:
        inner = known[-1:]
    if recursive:
        # Which function meets the limit is chance: those that repeat, in a fixed order.
        repeated = {frame for frame in inner if inner.count(frame) > 1}
        return sorted(repeated or set(inner))[:_FRAMES]
    outside = [*itertools.filterfalse(_is_test, inner)]
    innermost_first = dict.fromkeys(reversed(outside or inner))
    return list(innermost_first)[:_FRAMES]


def _place(frame: Frame) -> str:
    path, function = frame
    return f"{path}:{function}" if function else path


def _foreign(path: str) -> bool:
    return path.startswith(_FOREIGN) or path[1:2] == ":" or "-packages/" in path


def _is_test(frame: Frame) -> bool:
    path, function = frame
    file = path.rpartition("/")[2]
    return function.startswith("test") and (
        file.startswith("test") or file.endswith(("_test.py", "_tests.py"))
    )


def _relative(path: str, base: str, cwd: str | None) -> str:
    """A frame's path in POSIX form, relative to the base if it lies below it."""
    path = path.replace("\\", "/")
    base = base.replace("\\", "/").rstrip("/")
    if cwd and not path.startswith(("/", "<")) and path[1:2] != ":":
        path = _joined(cwd.replace("\\", "/"), path)
    if base and path.startswith(base + "/"):
        return path[len(base) + 1 :]
    return normalised(path)


def _joined(folder: str, path: str) -> str:
    parts = folder.rstrip("/").split("/")
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1] or parts
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
