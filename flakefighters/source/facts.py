"""All that is known of one Python file, as data.

Everything else in this product that wants to know something of a source is a question to these
facts.  They depend on the content alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import field

from flakefighters.model import ChangeKind
from flakefighters.records import NamedTuple, record
from flakefighters.source import purity, tables
from flakefighters.source.reads import Reads
from flakefighters.source.walk import LOCALS

__all__ = ["FileFacts", "Parameters", "Reference", "UnitFacts"]


class Reference(NamedTuple):
    """A module that a file asks for, and the names wanted from it."""

    #: Dots in front; 0: absolute.
    level: int
    module: tuple[str, ...]
    names: tuple[str, ...] = ()
    #: "imported by", "named in".
    how: str = "imported by"


class Parameters(NamedTuple):
    """What a function can be given."""

    only: tuple[str, ...]  # by position alone
    positional: tuple[str, ...]  # by position or name
    needed: int  # how many of both have no default
    keywords: tuple[str, ...]  # by name alone
    needed_keywords: frozenset[str]
    more: bool  # *args
    more_keywords: bool  # **kwargs

    def take(self, count: int, keywords: frozenset[str]) -> bool:
        """Whether so many positional arguments and these keywords can be given."""
        all_ = (*self.only, *self.positional)
        if count > len(all_) and not self.more:
            return False
        taken, left = set(all_[:count]), set(all_[count:])
        by_name = (left - set(self.only)) | set(self.keywords)
        if not self.more_keywords and not keywords <= by_name:
            return False
        if keywords & (taken - set(self.only)):
            return False
        return (set(all_[: self.needed]) - taken) | self.needed_keywords <= keywords


@record
class UnitFacts:
    """One unit of a file, and what it does with names."""

    #: Qualified as Python does it: ``Shop.total``, ``outer.<locals>.inner``.
    name: str
    kind: ChangeKind
    #: Its first line, decorators included, and its last.
    first: int
    last: int
    #: Qualified name of what it stands in, None at module level.
    scope: str | None
    #: The names that it binds where it stands.
    binds: tuple[str, ...]
    reads: Reads
    #: What is read where a definition stands: decorators, defaults, bases; also in ``reads``.
    head: Reads
    #: What the annotations of a function read, which few look at.
    annotations: Reads = field(default_factory=Reads)
    #: On which conditions running a statement does more than bind.
    impure: purity.Conditions = frozenset()
    #: Of an import of one name: what it asks for.
    imports: Reference | None = None
    #: Of a function.
    parameters: Parameters | None = None
    decorators: frozenset[str] = frozenset()
    is_fixture: bool = False
    #: A fixture that lives longer than a test.
    is_wide: bool = False
    #: Of a class: its bases as dotted names, whether it has keywords, and whether it only holds
    #: values.
    bases: tuple[str, ...] = ()
    has_keywords: bool = False
    is_record: bool = False
    #: Of a decorator: whether it only makes another function; called with arguments, that one too.
    wraps: bool = False
    wraps_called: bool = False
    #: Of a statement: another name for one thing (``Total = Cart``).
    is_alias: bool = False

    @property
    def own_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def is_local(self) -> bool:
        """Whether it stands in a function."""
        return self.scope is not None and f"{LOCALS}." in f"{self.name}."

    @property
    def keeps_results(self) -> bool:
        """Whether it may answer from what an earlier call gave."""
        return not self.decorators.isdisjoint(tables.CACHING_DECORATORS)


@record
class FileFacts:
    """One file."""

    units: tuple[UnitFacts, ...] = ()
    references: tuple[Reference, ...] = ()
    #: Why the references may not be all, as a clause whose subject is the file; and the same by
    #: the function (a qualified name) that must run for it to matter.
    opaque: str | None = None
    opaque_in: dict[str, str] = field(default_factory=dict)
    #: Names that imports bind, at any depth, and what they stand for.
    aliases: tuple[tuple[str, Reference], ...] = ()
    #: The names in ``__all__``, None if it is computed, empty if there is none.
    exports: tuple[str, ...] | None = ()
    #: Whether it imports all that some module exports.
    has_star: bool = False
    #: Whether it asks classes which others inherit from them.
    asks_for_subclasses: bool = False
    _bound: dict[str, int] | None = None
    _by_line: dict[int, UnitFacts] | None = None

    def bound(self) -> dict[str, int]:
        """The names that it binds at its top, imports included, and by how many units each."""
        if self._bound is None:
            self._bound = Counter(
                name for one in self.units if one.scope is None for name in set(one.binds)
            )
        return self._bound

    def at(self, name: str, line: int) -> UnitFacts | None:
        """The unit that a code object of this name and first line belongs to."""
        if self._by_line is None:
            self._by_line = {
                one.first: one for one in self.units if one.kind is ChangeKind.FUNCTION
            }
        found = self._by_line.get(line)
        if found is not None and (found.own_name == name.rpartition(".")[2]):
            return found
        # A lambda or comprehension belongs to the smallest unit around it.
        around = [one for one in self.units if one.first <= line <= one.last]
        return min(around, key=lambda one: one.last - one.first, default=None)

    def modules(self) -> Iterator[tuple[str, Reference]]:
        """The names that imports bind, at any depth, with what each stands for."""
        return iter(self.aliases)
