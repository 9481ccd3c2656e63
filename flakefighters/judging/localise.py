"""Lines and functions by how well they set failing attempts at a test apart from passing ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from flakefighters.measures.spectra import METRICS, Counts, ranks
from flakefighters.model.spectra import Localised, Ran, RanFile, RanFunction, Spectrum, Suspect
from flakefighters.originals import real
from flakefighters.records import NamedTuple

__all__ = ["MOST", "Tally", "bounded", "localise"]

#: Bytes of JSON that the spectra of one run may have.
MOST: Final = 200_000


# -- summing up the attempts of one run -----------------------------------------------------------


class _Function:
    """What ran of one function so far."""

    __slots__ = ("line", "lines", "ran")

    def __init__(self, line: int) -> None:
        self.line = line
        self.ran = [0, 0]
        self.lines: dict[int, list[int]] = {}


class Tally:
    """What the attempts at one test ran, as they end."""

    def __init__(self) -> None:
        self.attempts = [0, 0]
        self._functions: dict[tuple[str, str], _Function] = {}

    @property
    def failed(self) -> int:
        """Attempts that failed so far."""
        return self.attempts[0]

    def add(self, failed: bool, ran: Iterable[Sequence[Any]]) -> None:
        """Add an attempt.

        ``ran``: path, qualified name, first line, and lines as firsts and lasts of ranges; lambdas
        and the like may share a name.
        """
        which = 0 if failed else 1
        self.attempts[which] += 1
        met: set[tuple[str, str]] = set()
        lines: set[tuple[str, str, int]] = set()
        for path, name, first, pairs in ran:
            key = (path, name)
            function = self._functions.setdefault(key, _Function(first))
            function.line = min(function.line, first)
            if key not in met:
                met.add(key)
                function.ran[which] += 1
            for start, end in zip(pairs[::2], pairs[1::2], strict=True):
                for line in range(start, end + 1):
                    if (path, name, line) not in lines:
                        lines.add((path, name, line))
                        function.lines.setdefault(line, [0, 0])[which] += 1

    def spectrum(self, blob: Callable[[str], str | None] = lambda _: None) -> Spectrum:
        """All of it; ``blob`` tells the id of a file's content."""
        files: dict[str, dict[str, RanFunction]] = {}
        for (path, name), one in self._functions.items():
            lines = {line: Ran(*counts) for line, counts in one.lines.items()}
            files.setdefault(path, {})[name] = RanFunction(one.line, Ran(*one.ran), lines)
        return Spectrum(
            failed=self.attempts[0],
            passed=self.attempts[1],
            files={path: RanFile(blob(path), functions) for path, functions in files.items()},
        )


# -- within bounds --------------------------------------------------------------------------------


def bounded(
    spectra: Mapping[str, Spectrum], most: int = MOST
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The spectra as JSON values of at most so many bytes, and the tests that found no room.

    Tests that both failed and passed come first, then those that failed.  Of a test that does not
    fit whole the functions that failing attempts ran are kept, the most suspicious first.
    """

    def importance(nodeid: str) -> tuple[bool, bool, str]:
        one = spectra[nodeid]
        return (not (one.failed and one.passed), not one.failed, nodeid)

    kept: dict[str, Any] = {}
    out: list[str] = []
    for nodeid in sorted(spectra, key=importance):
        room = most - len(real.dumps(nodeid)) - 2
        for one in _smaller(spectra[nodeid]):
            value = one.to_json()
            size = len(real.dumps(value))
            if size <= room and (one.files or not one.left):
                kept[nodeid] = value
                most = room - size
                break
        else:
            out.append(nodeid)
    return kept, tuple(out)


def _smaller(whole: Spectrum) -> Iterator[Spectrum]:
    """The spectrum, and less and less of it."""
    yield whole
    ranked = sorted(
        (
            (path, name, one)
            for path, file in whole.files.items()
            for name, one in file.functions.items()
            if one.ran.failed
        ),
        key=lambda one: (-_score(whole, one[2].ran, METRICS["ochiai"]), one[0], one[1]),
    )
    total = sum(len(one.lines) for file in whole.files.values() for one in file.functions.values())
    while ranked:
        files: dict[str, dict[str, RanFunction]] = {}
        kept = 0
        for path, name, one in ranked:
            lines = {line: ran for line, ran in one.lines.items() if ran.failed}
            kept += len(lines)
            files.setdefault(path, {})[name] = one._replace(lines=lines)
        yield whole._replace(
            files={path: RanFile(whole.files[path].blob, those) for path, those in files.items()},
            left=max(1, total - kept),
        )
        ranked = ranked[: len(ranked) * 3 // 4]


# -- ranking --------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A unit, with how it is called in each spectrum that has it."""

    path: str
    line: int
    function: str


#: Of one spectrum: the counts of each unit; of all: where it is shown.
_Units = dict[tuple[str, Any], Ran]


def localise(
    nodeid: str, spectra: Mapping[str, Spectrum], metric: str = "ochiai", *, most: int | None = None
) -> Localised:
    """Rank what the attempts at a test ran.

    ``spectra``: run to spectrum, newest first; ``most``: of lines and of functions.  Lines are
    joined over the runs in which their file had the content that it had in the newest of them,
    functions over all runs, by their qualified name.
    """
    known = list(spectra.values())
    return Localised(
        nodeid=nodeid,
        metric=metric,
        failed=sum(one.failed for one in known),
        passed=sum(one.passed for one in known),
        lines=_ranked(known, _lines, METRICS[metric], blobs=True)[:most],
        functions=_ranked(known, _functions, METRICS[metric], blobs=False)[:most],
        runs=tuple(spectra),
    )


def _lines(path: str, file: RanFile) -> Iterator[tuple[_Place, Any, Ran]]:
    """The lines of a file; one that several functions share is the outermost one's."""
    found: dict[int, tuple[str, Ran]] = {}
    for name, function in sorted(file.functions.items(), key=lambda item: -len(item[0])):
        for line, ran in function.lines.items():
            other = found[line][1] if line in found else ran
            both = Ran(max(ran.failed, other.failed), max(ran.passed, other.passed))
            found[line] = (name, both)
    for line, (name, ran) in found.items():
        yield _Place(path, line, name), line, ran


def _functions(path: str, file: RanFile) -> Iterator[tuple[_Place, Any, Ran]]:
    for name, function in file.functions.items():
        yield _Place(path, function.line, name), name, function.ran


def _ranked(
    spectra: Sequence[Spectrum],
    units_of: Callable[[str, RanFile], Iterator[tuple[_Place, Any, Ran]]],
    metric: Callable[[Counts], float],
    *,
    blobs: bool,
) -> list[Suspect]:
    newest: dict[str, str | None] = {}
    shown: dict[tuple[str, Any], _Place] = {}
    counted: list[tuple[Spectrum, _Units, set[str]]] = []
    for number, spectrum in enumerate(spectra):
        units: _Units = {}
        other: set[str] = set()
        for path, file in spectrum.files.items():
            # A content that is not known equals no other one.
            blob = file.blob or f"unknown {number}"
            if blobs and newest.setdefault(path, blob) != blob:
                other.add(path)
                continue
            for place, key, ran in units_of(path, file):
                units[path, key] = ran
                shown.setdefault((path, key), place)
        counted.append((spectrum, units, other))
    found = []
    for unit, place in shown.items():
        counts = _joined(unit, counted)
        found.append((place, counts, metric(counts)))
    places = ranks([score for _, _, score in found])
    suspects = [
        Suspect(
            *place, Ran(counts.ef, counts.ep), Ran(counts.nf, counts.np), score=score, rank=rank
        )
        for (place, counts, score), rank in zip(found, places, strict=True)
    ]
    return sorted(suspects, key=lambda one: (one.rank, one.path, one.line, one.function))


def _joined(unit: tuple[str, Any], counted: Iterable[tuple[Spectrum, _Units, set[str]]]) -> Counts:
    """The counts of a unit over all spectra that can tell of it."""
    ef = ep = nf = np = 0
    for spectrum, units, other in counted:
        ran = units.get(unit)
        if ran is None:
            if unit[0] in other or spectrum.left:
                continue
            ran = Ran(0, 0)
        ef, ep = ef + ran.failed, ep + ran.passed
        nf, np = (
            nf + max(0, spectrum.failed - ran.failed),
            np + max(0, spectrum.passed - ran.passed),
        )
    return Counts(ef, ep, nf, np)


def _score(spectrum: Spectrum, ran: Ran, metric: Callable[[Counts], float]) -> float:
    return metric(Counts(*ran, spectrum.failed - ran.failed, spectrum.passed - ran.passed))
