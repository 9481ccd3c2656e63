"""Which lines and functions ran in attempts at a test that failed, and in those that passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flakefighters.records import NamedTuple

__all__ = ["Localised", "Ran", "RanFile", "RanFunction", "Spectrum", "Suspect", "ranges"]


class Ran(NamedTuple):
    """How many attempts ran a unit."""

    failed: int
    passed: int


class RanFunction(NamedTuple):
    """What ran of a function; those of one qualified name in a file are one."""

    #: Its first line, decorators included.
    line: int
    ran: Ran
    #: By number.
    lines: Mapping[int, Ran]


class RanFile(NamedTuple):
    """What ran of a file."""

    #: The first 16 digits of its git blob id; None if not known.
    blob: str | None
    #: By qualified name.
    functions: Mapping[str, RanFunction]


class Spectrum(NamedTuple):
    """What the attempts at one test ran in one run."""

    #: How many attempts there were.
    failed: int
    passed: int
    #: By path, relative to the base.
    files: Mapping[str, RanFile] = MappingProxyType({})
    #: How many lines were left out for want of room: what is not listed may have run.
    left: int = 0

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads."""
        value: dict[str, Any] = {
            "failed": self.failed,
            "passed": self.passed,
            "files": {path: _file_json(one) for path, one in self.files.items()},
        }
        return value | ({"left": self.left} if self.left else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Spectrum:
        """The inverse of :meth:`to_json`; ValueError, KeyError or TypeError for anything else."""
        return cls(
            failed=_count(value["failed"]),
            passed=_count(value["passed"]),
            files={
                str(path): RanFile(
                    None if one["blob"] is None else str(one["blob"]),
                    {str(name): _function(part) for name, part in one["functions"].items()},
                )
                for path, one in _mapping(value["files"]).items()
            },
            left=_count(value.get("left", 0)),
        )


class Suspect(NamedTuple):
    """A line or function, with what speaks against it."""

    path: str
    #: Of a function, the first.
    line: int
    function: str
    #: How many attempts ran it, and how many did not.
    ran: Ran
    spared: Ran
    score: float
    #: From 1; equal scores share the best one.
    rank: int


class Localised(NamedTuple):
    """What sets the failing attempts at a test apart."""

    nodeid: str
    metric: str
    #: How many attempts there were in all.
    failed: int
    passed: int
    #: Most suspicious first.
    lines: Sequence[Suspect]
    functions: Sequence[Suspect]
    #: Ids of the runs they are from, newest first.
    runs: Sequence[str] = ()


def ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers as (first, last) of those that follow one another, ascending."""
    first = last = None
    for number in sorted(numbers):
        if first is None or last is None or number > last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def _file_json(file: RanFile) -> dict[str, Any]:
    return {
        "blob": file.blob,
        "functions": {
            name: [one.line, *one.ran, _lines_json(one.lines)]
            for name, one in file.functions.items()
        },
    }


def _lines_json(lines: Mapping[int, Ran]) -> dict[str, str]:
    """Lines that as many attempts ran stand together: "failed,passed" to "12-15 18"."""
    alike: dict[Ran, list[int]] = {}
    for line, ran in lines.items():
        alike.setdefault(ran, []).append(line)
    return {
        f"{ran.failed},{ran.passed}": " ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in ranges(group)
        )
        for ran, group in alike.items()
    }


#: A line beyond this is none; it bounds what a range of foreign origin can stand for.
_LAST_LINE = 1_000_000
_MOST_LINES = 200_000


def _function(value: Any) -> RanFunction:
    line, failed, passed, groups = value
    lines: dict[int, Ran] = {}
    for counts, text in _mapping(groups).items():
        ran = Ran(*map(int, counts.split(",")))
        for part in text.split():
            first, _, last = part.partition("-")
            start, end = int(first), int(last or first)
            if not 0 <= start <= end <= _LAST_LINE or len(lines) + end - start > _MOST_LINES:
                raise ValueError("a range of lines is malformed")
            lines.update(dict.fromkeys(range(start, end + 1), ran))
    return RanFunction(_count(line), Ran(_count(failed), _count(passed)), lines)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("expected an object")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("expected a number")
    return value
