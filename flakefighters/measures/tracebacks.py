"""What makes two failures the same one: a key of a failure's stored text and its signature.

This is the text matching of Alshammari, Ammann, Hilton and Bell, *230,439 Test Failures Later: An
Empirical Evaluation of Flaky Failure Classifiers* (2024), section II.A: a failure is the same as
an earlier one if their normalised texts are equal.

The signature holds exception, places and causes, without line numbers and frames of other
people's code, but makes the compared values of an assertion equal.  The key adds the message of
each exception in full.  Of a message addresses, ids, ports, times, durations and temporary paths
are masked, of an assertion nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

__all__ = ["VERSION", "key", "masked"]

#: To be raised whenever a rule changes.  Keys are never stored, evidence names their version.
VERSION: Final = 1


def key(text: str, signature: str) -> str:
    """What equal failures share; takes time linear in the text.

    It is the same in pytest's styles ``long``, ``short`` and ``native``, and in ``line`` and
    ``no``, which store no code, but for assertions: there the code that failed is part of it.
    """
    return "\n\n".join([signature, *map(_shown, _messages(text.split("\n")))])


def masked(line: str) -> str:
    """A line of a message without what differs from run to run; twice is the same as once."""
    for pattern, to in _MASKS:
        line = re.sub(pattern, to, line)
    return line


# -- the messages in a text ------------------------------------------------------------------

_BEGIN: Final = ("Traceback (most recent call last)", "Exception Group Traceback (")
_CHAINED: Final = ("The above exception was the direct cause", "During handling of the above")
#: A group's members are drawn as a tree.
_TREE: Final = r"^(?:\s{0,200}[|+](?![-+]))+ ?"
#: What pytest says of its own output.
_HINTS: Final = r"\s*(?:Use -v+ to get|\.\.\.Full output truncated|\.\.\. ?\(truncated|Full diff:$)"
#: Where a text without a traceback has line numbers: a doctest, a fixture that is not found.
_NUMBERED: Final = r"^\d{3,6} |(?<=:)\d{1,7}(?=$|: )"


def _messages(lines: Sequence[str]) -> list[list[str]]:
    """The messages of the exceptions in a text, in their order; else all of it."""
    found = [*_marked(lines), *_native(lines)]
    if not found:
        found = [[re.sub(_NUMBERED, "#", line) for line in lines]]
    return found


def _marked(lines: Iterable[str]) -> Iterator[list[str]]:
    """Messages that pytest marks with an E: each line, or in some styles the first only."""
    block: list[str] = []
    for line in lines:
        if line == "E" or line.startswith("E  ") or (block and line.startswith("    ")):
            block.append(line[1:])
        elif block:
            yield _dedented(block)
            block = []
    if block:
        yield _dedented(block)


def _dedented(block: Sequence[str]) -> list[str]:
    """Without the indentation of the first line, which is that of the code that failed."""
    margin = block[0][: len(block[0]) - len(block[0].lstrip(" "))]
    return [line.removeprefix(margin) for line in block]


def _native(lines: Sequence[str]) -> Iterator[list[str]]:
    """Messages in Python's own format: what follows the frames."""
    tree = any("Exception Group Traceback (" in line for line in lines)
    block: list[str] | None = None
    inside = False
    for given in lines:
        line = re.sub(_TREE, "", given) if tree else given
        if line.startswith(_BEGIN):
            if block:
                yield block
            block, inside = [], True
        elif not inside or block is None:
            continue
        elif line.startswith(_CHAINED):
            yield block
            block, inside = None, False
        elif not block and (line.startswith('  File "') or line[:4].isspace() or not line):
            continue  # a frame, and the code in it
        elif not line.startswith("  [Previous line repeated"):
            block.append(line)
    if block:
        yield block


_ASSERTION: Final = r"(?:[A-Za-z_][\w.]{0,200}\.)?AssertionError(?::|$) ?"


def _shown(block: Sequence[str]) -> str:
    """A message as part of a key: operands of an assertion stay as they are."""
    lines = [line.rstrip() for line in block]
    lines = [line for line in lines if line and re.match(_HINTS, line) is None]
    if not lines:
        return ""
    first = re.match(_ASSERTION, lines[0])
    if first is not None:  # pytest leaves the name out where "assert" follows
        lines[0] = lines[0][first.end() :]
    at = next((n for n, line in enumerate(lines) if line.startswith("assert ")), None)
    if at is None:
        at = len(lines) if first is None else 0
    return "\n".join([*map(masked, lines[:at]), *lines[at:]])


# -- what is masked --------------------------------------------------------------------------

_NAMED: Final = (
    "id|pid|tid|uid|gid|uuid|guid|process|thread|worker|session|request|job|task|transaction"
)
_UNITS: Final = "ns|us|µs|μs|ms|s|secs?|seconds?|mins?|minutes?|h|hours?"
_CLOCK: Final = r"[0-2]?\d:[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?"
_ZONE: Final = r"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?"


def _below(match: re.Match[str]) -> str:
    """A temporary path: its last part, without numbers."""
    name = re.sub(r"\d+", "#", re.split(r"[/\\]", match[0])[-1]) if match[1] else ""
    return f"<tmp>/{name}" if name else "<tmp>"


_TEMPORARY: Final = (
    r"(?<![\w.])(?:<tmp>|(?:/private)?(?:/var)?/tmp(?=[/\s'\",;)]|$)"
    r"|(?:/private)?/var/folders/[^\s'\"/]{1,99}/[^\s'\"/]{1,99}/T"
    r"|[A-Za-z]:[/\\]{1,2}(?:[^\s'\"/\\:]{1,99}[/\\]{1,2}){0,9}?Temp(?=[/\\]))"
    r"((?:[/\\]{1,2}[^\s'\"/\\,;)]+)*)[/\\]?"
)
#: Patterns, bounded so that they take linear time, and what takes their place.
_MASKS: Final[tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...]] = (
    (r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b0x[0-9a-fA-F]+\b", "<address>"),
    (rf"\b(?:19|20)\d\d[-/][01]?\d[-/][0-3]?\d(?:[T ]{_CLOCK}{_ZONE})?(?![\w-])", "<time>"),
    (rf"(?<![\w.:]){_CLOCK}{_ZONE}(?![\w:])", "<time>"),
    (r"(?<![\w.])1[5-9]\d{8}(?:\d{3}|\d{6}|\.\d{1,9})?(?![\w.])", "<time>"),
    (_TEMPORARY, _below),
    (rf"(?<![\w.])\d{{1,12}}(?:\.\d{{1,12}})? ?(?:{_UNITS})\b", "<duration>"),
    (r"(?i)\b(ports?)([ =:]{1,3})\d{1,5}\b", r"\1\2<port>"),
    (r"(?<=[\w\])]):\d{2,5}(?![\w:.])", ":<port>"),
    (r"(?<=['\"])(, ?)\d{2,5}(?=\))", r"\1<port>"),
    (
        rf"(?i)(?<![a-z0-9])({_NAMED})((?:['\"]?\s?[=:#]\s?|\s)[#'\"]?)\d{{1,20}}\b",
        r"\1\2<id>",
    ),
    (r"\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}\b", "<id>"),
    (r"\bgw\d{1,4}\b", "gw<id>"),
    (r"(?<=, )line \d{1,7}\b", "line #"),
)
