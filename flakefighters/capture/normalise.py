"""Failure texts that are equal from run to run and from machine to machine.

:func:`normalised` takes out of a failure's text what differs although the failure is the same:
addresses, temporary folders, where the project and the interpreter are installed, process ids,
times, ports.  It is mild: what a person needs to understand the failure stays, numbers and
compared values above all.  It takes time linear in the text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

__all__ = ["ELIDED", "LIMIT", "normalised", "shorten_bytes"]

#: At most this many bytes of UTF-8 are kept.
LIMIT: Final = 65_536
#: A text is cut to this many characters before it is read at all.
_READ: Final = 1_000_000
ELIDED: Final = "[... left out by flakefighters: too long ...]"


def normalised(text: str, base: str = "", *, limit: int = LIMIT) -> str:
    """``text`` without what differs in every run, at most ``limit`` bytes of UTF-8.

    Paths below ``base`` (an absolute path) become relative to it.  The middle of a longer text is
    replaced by a line that says so.  Applying it twice is the same as applying it once.
    """
    if len(text) > _READ:
        text = _without_middle(text, _READ)
    rules = _RULES if not base else (*_base_rules(base), *_RULES)
    # A rule's result may be the beginning of another's match, so repeat until nothing changes;
    # nearly always the second round finds nothing.
    for _ in range(4):
        before = text
        for hint, pattern, to in rules:
            if hint in text:
                text = re.sub(pattern, to, text)
        text = shorten_bytes(text, limit)
        if text == before:
            break
    return text


def shorten_bytes(text: str, limit: int) -> str:
    """``text`` with its middle left out so that it has at most ``limit`` bytes of UTF-8."""
    if len(text) * 4 <= limit:
        return text
    size = len(text.encode("utf-8", "surrogatepass"))
    if size <= limit:
        return text
    keep = len(text)
    while size > limit:
        # What is left has, by and large, as many bytes per character as the whole.
        keep = min(keep - 1, keep * limit // size)
        shortened = _without_middle(text, keep)
        size = len(shortened.encode("utf-8", "surrogatepass"))
    return shortened


def _without_middle(text: str, keep: int) -> str:
    """The first third and the last two thirds (the failure itself is at the end), whole lines."""
    room = max(0, keep - len(ELIDED) - 2)
    head, tail = text[: room // 3], text[len(text) - (room - room // 3) :]
    # Cut at the end of a line if there is one near.
    at = head.rfind("\n")
    if at > len(head) // 2:
        head = head[:at]
    at = tail.find("\n")
    if 0 <= at < len(tail) // 2:
        tail = tail[at + 1 :]
    return f"{head}\n{ELIDED}\n{tail}"


# Characters of a path in a text, and where a path may start.
_IN: Final = r"[^\s\"'`<>|:;,*?()\[\]{}=]"
_START: Final = r"(?<![^\s\"'`<>|:;,*?()\[\]{}=])"
_SEP: Final = r"(?:/|\\{1,2})"

#: A plain string that must occur (a filter that costs nothing), a pattern, its replacement.
_RULES: Final = (
    # Colours, and all else that starts with an escape character.
    (
        "\x1b",
        r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)?|[()*+][0-9A-B])?",
        "",
    ),
    ("\r\n", r"(?<!\r)\r++\n", "\n"),
    # Where an installed package or the standard library is.
    (
        "-packages",
        rf"{_START}(?:[A-Za-z]:)?{_IN}{{1,500}}{_SEP}(?:site|dist)-packages{_SEP}",
        "<site>/",
    ),
    ("python3", rf"{_START}{_IN}{{1,300}}/lib/python3\.\d{{1,2}}t?/", "<python>/"),
    ("Lib", rf"(?<![A-Za-z])[A-Za-z]:{_IN}{{1,300}}{_SEP}Lib{_SEP}(?=[a-z_])", "<python>/"),
    (
        "python",
        rf"{_START}/{_IN}{{1,300}}/bin/python(?:3(?:\.\d{{1,2}})?)?(?![\w.-])",
        "<bin>/python",
    ),
    # Temporary folders.
    (
        "pytest-of-",
        (
            rf"(?:(?:{_START}|(?<=:)){_SEP}{_IN}{{0,300}}{_SEP}|{_START}[A-Za-z]:{_IN}{{1,300}}{_SEP})"
            rf"pytest-of-[^/\\\s\"']{{1,100}}{_SEP}pytest-(?:\d{{1,9}}|current)(?:{_SEP}popen-gw\d{{1,4}})?"
        ),
        "<tmp>",
    ),
    ("tmp", rf"{_START}/(?:private/)?(?:var/)?tmp/tmp[a-z0-9_]{{8}}(?![a-z0-9_])", "<tmp>"),
    (
        "/T/tmp",
        rf"{_START}/(?:private/)?var/folders/{_IN}{{1,100}}/T/tmp[a-z0-9_]{{8}}(?![a-z0-9_])",
        "<tmp>",
    ),
    (
        "Temp",
        rf"(?<![A-Za-z])[A-Za-z]:{_IN}{{1,200}}{_SEP}Temp{_SEP}tmp[a-z0-9_]{{8}}(?![a-z0-9_])",
        "<tmp>",
    ),
    # Homes.
    ("/home/", rf"{_START}/home/[^/\s\"'<>:;,()]{{1,64}}(?=/)", "~"),
    ("/Users/", rf"{_START}/Users/[^/\s\"'<>:;,()]{{1,64}}(?=/)", "~"),
    ("/root/", rf"{_START}/root(?=/)", "~"),
    ("Users", rf"(?<![A-Za-z])[A-Za-z]:{_SEP}Users{_SEP}[^/\\\s\"'<>:;,()]{{1,64}}(?={_SEP})", "~"),
    # Addresses of objects, ids of processes, threads and workers.
    (" 0x", r"(?:(?<=\bat)|(?<=\bThread)) 0x[0-9a-fA-F]{6,16}(?![0-9a-zA-Z])", " 0x..."),
    (" id='", r" id='\d{6,20}'", " id='...'"),
    ("id", r"(?i)\b(p?pid|process id)(\)?[ =:]{1,3}|'?: ?)\d{1,10}\b", r"\1\2..."),
    ("[gw", r"\[gw\d{1,4}\]", "[gw]"),
    (
        "-",
        r"\b(Thread|Task|Dummy|PoolWorker|ForkProcess|SpawnProcess|ForkServerProcess)-\d{1,9}\b",
        r"\1-N",
    ),
    ("ThreadPoolExecutor-", r"\bThreadPoolExecutor-\d{1,9}_\d{1,9}\b", "ThreadPoolExecutor-N"),
    # What depends on which plugins are installed, and on how deep the stack was.
    ("available fixtures:", r"(?m)^(> +available fixtures:) .*$", r"\1 ..."),
    ("out of", r"stack frames out of \d{1,9}", "stack frames out of ..."),
    # How long it took, and when.
    (
        ".",
        (
            r"(?i)\b(in|after|took|elapsed|duration|within)([ =:]{1,2})\d{1,9}\.\d{1,9}"
            r"( ?(?:[mnuµμ]?s|sec|seconds?|minutes?)\b)"
        ),
        r"\1\2...\3",
    ),
    (
        ":",
        (
            r"\b(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d:[0-6]\d[.,](?!0{3,9}\b)\d{3,9}"
            r"(?:Z|[+-]\d\d:?\d\d)?\b"
        ),
        "<time>",
    ),
    (
        ":",
        (
            r"(?m)^((?:E {1,12})?[\[(]?)(?:19|20)\d\d[-/][01]\d[-/][0-3]\d[T ][0-2]\d:[0-5]\d"
            r":[0-6]\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?(?!\d)"
        ),
        r"\1<time>",
    ),
    ("1", r"(?<![\d.])1[5-9]\d{8}\.\d{1,9}(?!\d)", "<time>"),
    # Ports that the system chose.
    (
        "1",
        r"(?<![\w.])(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])('?(?:, |:)(?:port=)?)(?!0)\d{4,5}(?!\d)",
        r"\1\2...",
    ),
    ("localhost", r"(?<![\w.])(localhost)('?(?:, |:)(?:port=)?)(?!0)\d{4,5}(?!\d)", r"\1\2..."),
)


@cache
def _base_rules(base: str) -> tuple[tuple[str, str, str], ...]:
    """Rules that make paths below ``base`` relative, in each spelling of its separators."""
    stem = base.rstrip("/\\")
    if len(stem) < 2:
        return ()  # the file system's root is the prefix of all paths
    rules = []
    for spelled in dict.fromkeys((stem, stem.replace("\\", "/"), stem.replace("\\", "\\\\"))):
        literal = re.escape(spelled)
        rules.append((spelled, rf"(?<![\w./\\-])(?:{literal}{_SEP})++(?=[\w.<@+~-])", ""))
        rules.append((spelled, rf"(?<![\w./\\-]){literal}{_SEP}?(?![\w/\\-]|\.\w)", "."))
    return tuple(rules)
