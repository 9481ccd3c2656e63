"""What differs between two states or environments, and who is affected by it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flakefighters.records import NamedTuple

__all__ = [
    "EVERYONE",
    "Change",
    "ChangeKind",
    "Changes",
    "Doubt",
    "DoubtKind",
    "Effect",
    "How",
    "Link",
    "Name",
    "Reach",
    "Scope",
    "Touching",
    "Unit",
    "Via",
    "setting",
]

#: Settings of an environment in the words of people; of others by how their names begin.
_SETTINGS: Final[Mapping[str, str]] = {
    "arch": "the processor's architecture",
    "ci.vendor": "the CI service",
    "gil": "the interpreter's lock",
    "implementation": "the implementation of Python",
    "optimize": "Python's option -O",
    "os": "the operating system",
    "python": "Python",
    "timezone": "the time zone",
}
_PREFIXES: Final = {
    "pytest.-": "pytest's option -",
    "pytest.": "pytest's setting ",
    "ci.": "the CI ",
    "runner.": "the environment of ",
    "env.": "the variable ",
}


def setting(name: str) -> str:
    """A setting of an environment as people call it."""
    for prefix, words in _PREFIXES.items():
        if name.startswith(prefix) and name not in _SETTINGS:
            return words + name.removeprefix(prefix)
    return _SETTINGS.get(name, name)


class ChangeKind(enum.StrEnum):
    """What a unit is that differs between two states or environments."""

    FILE = "file"  # a whole file: the finest that is known
    FUNCTION = "function"
    CLASS = "class"
    STATEMENT = "statement"
    DATA = "data"
    DISTRIBUTION = "distribution"
    SETTING = "setting"


class Scope(enum.Enum):
    """Where a name is looked up; the value is how :class:`Name` shows it."""

    MODULE = ""
    MEMBER = "."
    FIXTURE = "@"
    #: It counts wherever and however it is read.
    ANYWHERE = "?"
    #: All that imports the file is affected.
    EVERYONE = "*"
    #: All that imports the file is affected if importing this module does more than bind names,
    #: calling this does more than build a value, this class learns of its subclasses, or this
    #: decorator does more than wrap.
    IF_IMPORT = "import "
    IF_CALL = "call "
    IF_BASE = "base "
    IF_DECORATOR = "decorator "
    #: The class "Cart:Base" counts if its base may read what it has (".Cart:Base": a nested one).
    IF_READ_BY_BASE = "read by base "


class Name(NamedTuple):
    """A name by which a change can be reached without running its lines."""

    scope: Scope
    text: str

    def __str__(self) -> str:
        return self.scope.value + self.text


EVERYONE: Final = Name(Scope.EVERYONE, "")


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
    #: Names whose readers are affected even if none of the unit's lines ran.
    names: tuple[Name, ...] = ()
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


class Unit(NamedTuple):
    """A unit of a file as it is now: a function, a class, a statement of a module."""

    path: str
    #: Qualified name, as a code object has it; how a statement begins.
    name: str
    #: Its first line, decorators included.
    line: int


class Via(enum.Enum):
    """How a change reaches a unit or file."""

    RUN = "run"  # running the unit is running the change
    READ = "read"  # the unit reads a changed name
    ASK = "ask"  # pytest looks at the unit before it runs: its parameters, decorators, class
    MAY_READ = "may_read"  # the unit computes the names that it reads
    IMPORT = "import"  # importing the file does something
    HANDED = "handed"  # importing the file hands the change to a call that may keep it
    NAMED = "named"  # the unit has the name of a data file in a text


class Link(NamedTuple):
    """A change reaches this unit; a unit without a name stands for the file's body."""

    via: Via
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A change in a file, and all that it reaches."""

    change: Change
    links: frozenset[Link] = frozenset()
    #: Names that were bound with the help of the changed ones.
    names: frozenset[str] = frozenset()
    #: What a function that is gone altered, and alters no more.
    undone: frozenset[Name] = frozenset()
    #: It alters things of other files, or of the process, when its file is imported.
    leaves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that differs from a baseline, and whether that is all of it."""

    #: All of them: in files, and between environments.
    changes: tuple[Change, ...]
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
    unknown_in: Mapping[tuple[str, str], str] = field(default_factory=dict)


class How(enum.StrEnum):
    """How an execution touched a change, the strongest first; the value begins the reason."""

    RAN = "ran"
    RAN_AT_IMPORT = "ran at import"
    IMPORTED = "imported"
    ASKS = "asks for"
    READS = "reads"
    OPENED = "opened"
    READ_AT_IMPORT = "read at import"
    LISTED = "listed the folder of"
    #: A library that the test uses loaded the file, and reads what it has.
    READ_BY_LIBRARY = "depends, through a library, on"
    USES = "uses"
    RUNS_WITH = "runs with"


class DoubtKind(enum.StrEnum):
    """Why it cannot be told that an execution touched no change, the gravest first.

    The values are slugs: docs/verdicts.md explains each, and evidence keeps them.
    """

    INCOMPLETE = "incomplete"
    MAY_READ = "may-read"
    MAY_IMPORT = "may-import"
    AT_IMPORT = "at-import"
    HANDED_ON = "handed-on"
    IN_EXAMPLE = "in-example"
    LOADED_EARLY = "loaded-early"
    BY_LIBRARY = "by-library"
    COMPILED = "compiled"
    DIFFERS_INSTALLED = "differs-installed"
    LEFT_BEHIND = "left-behind"
    KEPT = "kept"
    READ_BEFORE = "read-before"
    NAMED = "named"
    OPENED_IN_C = "opened-in-c"
    STEERED = "steered"
    CHILD = "child"
    ELSEWHERE = "elsewhere"
    REMOVED_DISTRIBUTION = "removed-distribution"
    PYTEST_DISTRIBUTION = "pytest-distribution"
    UNSEEN = "unseen"
    IMPORTS_UNKNOWN = "imports-unknown"


class Doubt(NamedTuple):
    """One reason to leave a failure undecided."""

    kind: DoubtKind
    change: Change | None = None
    #: What the kind's sentence has room for.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touching:
    """What an execution had to do with the changes since a baseline."""

    touched: tuple[tuple[How, Change], ...] = ()
    doubts: tuple[Doubt, ...] = ()
    #: Changed code ran in the process before the execution, which had nothing to do with it.
    ran_before: bool = False
    #: Whether that it touched none is sure, and not only likely.
    certain: bool = True
    #: Functions were watched; without, only imports, openings and children are known.
    watched: bool = True
