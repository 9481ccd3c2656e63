"""What an execution ran, opened and started, and what its process did before it.

The tracer answers in these terms, in the process that runs tests; the judge asks in them, on the
controller.  Nothing here knows what changed in which file: that is found out when a test fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TypeVar

from flakefighters.records import NamedTuple, record

__all__ = ["Code", "Process", "Trace", "Watch"]

T = TypeVar("T")


class Code(NamedTuple):
    """A function of the project, as its code object tells: lambdas and nested ones included.

    Bodies of modules and classes are none.  ``line`` is its first line, decorators included.
    """

    path: str
    name: str
    line: int


class Watch(NamedTuple):
    """What to look for.  Paths are relative to ``base``, with ``/``."""

    #: Absolute; all answers are relative to it.
    base: str
    #: Files that differ from some state which tests last passed on, code and data, also those
    #: that are gone.
    changed: frozenset[str] = frozenset()
    #: Top-level packages and modules of the project to the folder that holds them ("shop": "src"),
    #: so that installed copies are known for what they are.
    packages: Mapping[str, str] = MappingProxyType({})
    #: The same by the file, of those that are installed under other paths ("shop/tax.py":
    #: "impl/tax.py"; "" if nobody knows which it is).
    copies: Mapping[str, str] = MappingProxyType({})
    #: Data files that git ignores and that were edited lately: what a test writes before it reads
    #: it does not count.
    loose: frozenset[str] = frozenset()
    #: Though nothing changed: whether to tell of each test which functions it ran, and of each
    #: attempt which lines.
    each_test: bool = False
    lines: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether nothing changed that a failure could be due to."""
        return not (self.changed or self.loose)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return self.unchanged and not (self.each_test or self.lines)


@record
class Process:
    """What one process did outside of the execution that is asked about.

    It only grows.  Each fact has the number of the failing report that first tells of it, so that
    one object serves all failures of a process: see :meth:`Trace.before`.
    """

    #: Functions that ran in executions which are over.
    earlier: dict[Code, int] = field(default_factory=dict)
    #: Functions that ran while no test did: below the body of this file (the innermost one).
    at_import: dict[tuple[str, Code], int] = field(default_factory=dict)
    #: The same below no module's body, or too often to tell: in hooks, at collection.
    between: dict[Code, int] = field(default_factory=dict)
    #: Files of the project whose body ran, or whose module was there, and by whom: "import" (a
    #: statement in the project), "computed" (a call in the project that is handed a name),
    #: "pytest", "before" (loaded before anybody watched), else the top-level module of the
    #: library that asked for it ("django", "runpy").
    loaded: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Changed files that were opened, each with a file of the project whose code was under way
    #: ("": none was).
    opened: dict[tuple[str, str], int] = field(default_factory=dict)
    #: The same where the file's own body was what opened it.
    read_at_import: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Functions of changed files that started, each with a function of the project that was on the
    #: stack then.
    callers: dict[tuple[Code, Code], int] = field(default_factory=dict)
    #: Child processes started so far: "subprocess.Popen git", never arguments.
    children: dict[str, int] = field(default_factory=dict)
    #: Names of modules that are loaded, the project's own left out.
    modules: dict[str, int] = field(default_factory=dict)
    #: Installed copies of the project's files: path in the checkout to the absolute path.
    installed: dict[tuple[str, str], int] = field(default_factory=dict)


class Trace(NamedTuple):
    """What one execution did up to its failure, wide fixtures that it used included."""

    process: Process
    #: The number of this report among those of its process.
    at: int
    #: How it was watched: "functions", or "imports" where no function was seen (Python 3.11).
    way: str = "functions"
    #: Functions that started or went on.
    ran: frozenset[Code] = frozenset()
    #: Files of the project whose body ran in it.
    imported: frozenset[str] = frozenset()
    #: Changed files that it opened, folders of changed files that it listed.  Changed Python files
    #: are among them if somebody read their text otherwise than to import them.
    opened: frozenset[str] = frozenset()
    #: Child processes that it started, or that still ran.
    children: frozenset[str] = frozenset()
    #: Whether other executions of its process ended before it began.
    first: bool = True
    #: Why there may be more than all this.
    unknown: tuple[str, ...] = ()

    def before(self, facts: Mapping[T, int]) -> frozenset[T]:
        """Those of some facts of the process that were known when this report was made."""
        return frozenset(fact for fact, at in facts.items() if at <= self.at)
