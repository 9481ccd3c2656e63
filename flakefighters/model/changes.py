"""What differs between two states or environments, and what was seen to touch it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Change", "ChangeKind", "Changes", "Effect", "Imported", "Reach", "Touch", "Unit"]


class ChangeKind(enum.StrEnum):
    """What a unit is that differs between two states or environments."""

    FILE = "file"  # a whole file: the finest that is known, or not Python
    FUNCTION = "function"
    CLASS = "class"
    STATEMENT = "statement"
    DATA = "data"
    DISTRIBUTION = "distribution"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A unit that differs between two states or environments."""

    kind: ChangeKind
    #: A path for what lies in a file, else the distribution's or setting's name.
    path: str
    #: Qualified name within the file ("Shop.total"), None for a whole file.
    unit: str | None = None
    #: First line in the newer state, None if it is gone.
    line: int | None = None
    #: "added", "removed" or "changed".
    how: str = "changed"
    #: Short before and after for distributions and settings.
    before: str | None = None
    after: str | None = None
    #: Names whose readers are affected even if none of the unit's lines ran; "*": any importer.
    #: In front of those of attributes stands ".", of fixtures "@", "?" where any use counts.
    names: tuple[str, ...] = ()
    #: Of a function with other parameters, or a new one: of the readers of its names only those
    #: are affected that run it, or whose calls it refuses.
    by_call: bool = False
    #: False if even running it is no touch: only annotations differ, which some may read, or (then
    #: it has no names) examples in its docstring.
    by_run: bool = True
    #: Of a class: its decorators, bases or keywords differ, or what bases may read.  Tests in it
    #: need not name that.
    headed: bool = False

    def __str__(self) -> str:
        if self.unit is None:
            return self.path
        return f"{self.unit} in {self.path}"


#: A unit of a file: (path, qualified name).
Unit = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A change in a file, and what must run for it to matter."""

    change: Change
    #: Running any of these touches the change.
    targets: frozenset[Unit] = frozenset()
    #: Running any of these may touch it: they reach names by computing them.
    maybe: frozenset[Unit] = frozenset()
    #: Whoever imports the file may be affected.
    at_import: bool = False
    #: Tests that are affected before they run: they have other parameters, or ask for it.
    asked: frozenset[Unit] = frozenset()
    #: Python files that name it outside of any function, where anything may be done with it.
    named_in: frozenset[str] = frozenset()
    #: Names that are bound with the help of those of the change.
    carried: frozenset[str] = frozenset()
    #: Functions of the change that leave something altered behind, those that read it, and
    #: whether any code may: it is the process's own.
    leavers: frozenset[Unit] = frozenset()
    left_to: frozenset[Unit] = frozenset()
    left_to_all: bool = False
    #: The same is done when the file is imported.
    leaves_at_import: bool = False
    #: It may have run, or been read, when modules were imported before anybody could watch.
    unseen: bool = False
    #: Functions that may notice it by looking at files; without a name: the body of a module.
    looked: frozenset[Unit] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that differs from a baseline, and whether that is all of it."""

    #: All of them: in files, and between environments.
    changes: tuple[Change, ...]
    #: Those in files, with what must run for each to matter.
    effects: tuple[Effect, ...] = ()
    #: False when something could not be compared; ``unknown`` says what.
    complete: bool = True
    unknown: str | None = None
    #: How it was found: "git" (objects), "recorded" (descriptions of states).
    source: str = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which files one test can run, as far as its imports tell."""

    #: Path to how it is reached ("imported by tests/test_tax.py").
    files: Mapping[str, str]
    #: Why the answer may be incomplete, None if it is not.
    unknown: str | None = None
    #: The same as far as it does not matter which functions run.
    unknown_anyway: str | None = None
    #: The same by the function that must run for it to matter.
    unknown_in: Mapping[Unit, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The import of a file with tests in which changed code ran."""

    file: str
    #: The modules of the project that came in by it, itself included.
    modules: frozenset[str]
    #: Changed functions that ran meanwhile.
    ran: frozenset[Unit] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A place that kept something in an earlier test."""

    #: "rate keeps RATES".
    unit: Unit
    #: Changed units that ran in these tests; ("", "") if there were many.
    ran: frozenset[Unit]
    #: Functions that read what it keeps; None if it is not known which.
    readers: frozenset[Unit] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """What an execution was seen to touch of what changed.  Paths are relative to the base."""

    #: Changed code that ran in the execution or in a wide fixture that it used.
    ran: frozenset[Unit] = frozenset()
    #: The same outside of any execution, for all tests of the process.
    ran_before: frozenset[Unit] = frozenset()
    #: Changed code that leaves something altered behind and ran in an earlier test.
    ran_earlier: frozenset[Unit] = frozenset()
    #: What code may have kept in earlier tests that this process ran.
    kept: tuple[Kept, ...] = ()
    #: The same while files with tests were imported.
    imports: frozenset[Imported] = frozenset()
    #: Changed files whose module body ran in the execution, and before it.
    imported: frozenset[str] = frozenset()
    imported_before: frozenset[str] = frozenset()
    #: Changed data files, and sources, that were opened.
    opened: frozenset[str] = frozenset()
    opened_before: frozenset[str] = frozenset()
    #: Each file opened so far, and a file whose code was under way then ("": none below the base).
    openers: frozenset[tuple[str, str]] = frozenset()
    #: The same where it was the body of that file, so that it matters to all who depend on it.
    read_at_import: frozenset[tuple[str, str]] = frozenset()
    #: Child processes that were started or still ran: "subprocess.Popen git".
    children: frozenset[str] = frozenset()
    children_before: frozenset[str] = frozenset()
    #: Changed files whose code runs unseen.
    blind: frozenset[str] = frozenset()
    #: Why there may be more, None if this is all.
    unknown: str | None = None
