"""The question put to a tracer and its answer, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

__all__ = ["NOTHING", "FileWatch", "Touched", "UnitSpan", "Watch"]


@dataclass(frozen=True, slots=True)
class UnitSpan:
    """A changed unit, or a part of one: its lines in the file as it is now, both included.

    Several spans may share a name.  A function whose body lies within the span is touched as
    soon as it starts or goes on; of a span within a function, the lines themselves count.
    """

    name: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class FileWatch:
    """What changed in one Python file."""

    units: tuple[UnitSpan, ...] = ()
    #: Lines of changed statements of the module itself; reported by number.
    module_lines: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What changed, in all the states that tests of this run are compared with.

    All paths are absolute.  Plain data: :meth:`to_json` carries it to a worker process.
    """

    #: Answers are relative to this folder.
    base: str
    files: Mapping[str, FileWatch] = field(default_factory=dict)
    #: Changed files that are not Python.  For a file added or removed, list its folder too (a
    #: listing of it counts); for a symbolic link of another name, list the link.
    data: frozenset[str] = frozenset()
    #: Changed Python files of which somebody may read the text, to run it otherwise than by import.
    sources: frozenset[str] = frozenset()
    #: Data files that may have changed: what a test writes before it reads it does not count.
    loose: frozenset[str] = frozenset()
    #: Units, by path relative to the base, of which it matters to later tests that a test ran them.
    leavers: frozenset[tuple[str, str]] = frozenset()
    #: The same of places that keep what was computed, which may be by any other of the units.
    keepers: frozenset[tuple[str, str]] = frozenset()
    #: Every Python file below ``base`` counts as changed, outside installed packages.  Functions
    #: that several tests have run may then be taken to run in all that follow; on Python 3.11
    #: execution is not watched at all.
    everything: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.files or self.data or self.loose or self.everything)

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads."""
        return {
            "base": self.base,
            "files": {
                path: {
                    "units": [[u.name, u.first_line, u.last_line] for u in file.units],
                    "lines": sorted(file.module_lines),
                }
                for path, file in self.files.items()
            },
            "data": sorted(self.data),
            "sources": sorted(self.sources),
            "loose": sorted(self.loose),
            "leavers": sorted(map(list, self.leavers)),
            "keepers": sorted(map(list, self.keepers)),
            "everything": self.everything,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Watch:
        """The watch that :meth:`to_json` wrote."""
        return cls(
            base=value["base"],
            files={
                path: FileWatch(
                    tuple(UnitSpan(name, first, last) for name, first, last in file["units"]),
                    frozenset(file["lines"]),
                )
                for path, file in value["files"].items()
            },
            data=frozenset(value["data"]),
            sources=frozenset(value["sources"]),
            loose=frozenset(value["loose"]),
            leavers=frozenset((path, name) for path, name in value["leavers"]),
            keepers=frozenset((path, name) for path, name in value["keepers"]),
            everything=value["everything"],
        )


#: A file with tests, all modules of the project that came in by its import, and changed units
#: of functions that ran meanwhile.
Imported: TypeAlias = tuple[str, frozenset[str], frozenset[tuple[str, str | int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What was touched of what changed.  Paths are relative to the base, with ``/``."""

    #: Changed code that ran: (path, unit), or (path, line) for statements of a module.
    units: frozenset[tuple[str, str | int]] = frozenset()
    #: Changed files whose module body ran.
    imported: frozenset[str] = frozenset()
    #: Changed data files and sources that were opened, and listed folders of the watch.
    opened: frozenset[str] = frozenset()
    #: Each of these that was opened so far, and a file whose code was under way then ("": none
    #: below the base).
    openers: frozenset[tuple[str, str]] = frozenset()
    #: The same where the file's own body was what opened it.
    read_at_import: frozenset[tuple[str, str]] = frozenset()
    #: Child processes started, or still running: "subprocess.Popen git".  Never arguments.
    children: frozenset[str] = frozenset()
    #: Changed files whose code runs unseen: only imports tell of them.
    blind: frozenset[str] = frozenset()
    #: What changed code ran while files with tests were imported; :attr:`units` has the rest.
    imports: frozenset[Imported] = frozenset()
    #: Those of :attr:`Watch.leavers` that ran in earlier tests.
    earlier: frozenset[tuple[str, str]] = frozenset()
    #: Those of :attr:`Watch.keepers` that ran in earlier tests, each with a unit that ran in one of
    #: these tests (path and name of both; empty ones for the unit: too many to tell).
    kept: frozenset[tuple[str, str, str, str]] = frozenset()
    #: Why there may be more than this; None if this is all.
    unknown: str | None = None

    def __or__(self, other: Touched) -> Touched:
        return Touched(
            units=self.units | other.units,
            imported=self.imported | other.imported,
            opened=self.opened | other.opened,
            openers=self.openers | other.openers,
            read_at_import=self.read_at_import | other.read_at_import,
            children=self.children | other.children,
            blind=self.blind | other.blind,
            imports=self.imports | other.imports,
            earlier=self.earlier | other.earlier,
            kept=self.kept | other.kept,
            unknown=self.unknown or other.unknown,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values that :meth:`from_json` reads; what is empty is left out."""
        value: dict[str, Any] = {
            name: sorted(getattr(self, name)) for name in _SETS if getattr(self, name)
        }
        if self.units:
            value["units"] = [
                list(unit) for unit in sorted(self.units, key=lambda u: (u[0], str(u[1])))
            ]
        for name in _PAIRS:
            if getattr(self, name):
                value[name] = sorted(map(list, getattr(self, name)))
        if self.imports:
            value["imports"] = sorted(
                [file, sorted(modules), sorted(map(list, units), key=str)]
                for file, modules, units in self.imports
            )
        if self.unknown is not None:
            value["unknown"] = self.unknown
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Touched:
        """What :meth:`to_json` wrote."""
        pairs: Iterable[tuple[str, str | int]] = value.get("units", ())
        return cls(
            units=frozenset((path, unit) for path, unit in pairs),
            imports=frozenset(
                (file, frozenset(modules), frozenset((path, unit) for path, unit in units))
                for file, modules, units in value.get("imports", ())
            ),
            unknown=value.get("unknown"),
            **{name: frozenset(value.get(name, ())) for name in _SETS},
            openers=_pairs(value, "openers"),
            read_at_import=_pairs(value, "read_at_import"),
            earlier=_pairs(value, "earlier"),
            kept=frozenset((a, b, c, d) for a, b, c, d in value.get("kept", ())),
        )


def _pairs(value: Mapping[str, Any], name: str) -> frozenset[tuple[str, str]]:
    return frozenset((path, other) for path, other in value.get(name, ()))


_SETS: Final = ("imported", "opened", "children", "blind")
_PAIRS: Final = ("openers", "read_at_import", "earlier", "kept")

NOTHING: Final = Touched()
