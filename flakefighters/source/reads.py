"""What some code looks up, calls, hands on and alters, as data."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import field

from flakefighters.model import Name
from flakefighters.records import NamedTuple, record

__all__ = ["Call", "Computed", "Reads"]


class Computed(NamedTuple):
    """A way of reaching names that the text does not show.

    ``kind``: "any" name at all, a "member" of an object, one of the code's "own" module, one in a
    "text" that is run, a "fixture", one in an "annotation".  ``beginning``: how the name begins, as
    far as it shows.
    """

    kind: str
    beginning: str = ""


class Call(NamedTuple):
    """One call of something that has a name."""

    #: The last part of what it is an attribute of; "" for a bare name, None for anything else.
    base: str | None
    name: str
    #: How many positional arguments (None if some arguments are computed), and the names of the
    #: others.
    given: int | None
    keywords: frozenset[str]
    #: Of calls that import: the module and the package, as far as the text shows them.
    module: str | None = None
    package: str | None = None


@record
class Reads:
    """What some code does with names, by the way it does so."""

    #: Names of its module, of what it imports, or of Python.
    bare: set[str] = field(default_factory=set)
    #: Attributes, each after the last part of what it is one of: ("tax", "RATE") for
    #: ``shop.tax.RATE`` and for ``from shop.tax import RATE``, ("", "total") for ``cart().total``.
    attributes: set[tuple[str, str]] = field(default_factory=set)
    #: Words of short strings: ``getattr(shop, "total")``, ``patch("shop.tax.rate")``.
    words: set[str] = field(default_factory=set)
    #: Parameters of tests and fixtures, which name fixtures.
    parameters: set[str] = field(default_factory=set)
    computed: set[Computed] = field(default_factory=set)
    #: Texts that are no names, other than docstrings.
    texts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    #: Dotted names that are used as values: neither called nor asked for an attribute.
    held: set[str] = field(default_factory=set)
    #: Those among them that something may call, or ask for parameters: ``isinstance`` does not.
    handed_on: set[str] = field(default_factory=set)
    #: What is altered for others: names, and attributes of what is not local.
    alters: set[Name] = field(default_factory=set)
    _plain: frozenset[str] | None = None

    def plain(self) -> frozenset[str]:
        """All that is looked up as mere names; asked for when there will be no more."""
        if self._plain is None:
            names = (name for _, name in self.attributes)
            self._plain = frozenset({*self.bare, *names, *self.words, *self.parameters})
        return self._plain

    def add(self, other: Reads) -> None:
        """Have what another has as well."""
        self.bare |= other.bare
        self.attributes |= other.attributes
        self.words |= other.words
        self.parameters |= other.parameters
        self.computed |= other.computed
        self.texts += other.texts
        self.calls += other.calls
        self.held |= other.held
        self.handed_on |= other.handed_on
        self.alters |= other.alters

    def may_compute(self, kinds: Collection[str], names: Iterable[str]) -> bool:
        """Whether it may compute one of some names, in one of these ways."""
        ways = [one for one in self.computed if one.kind in kinds]
        if any(not one.beginning for one in ways):
            return True
        return any(name.lower().startswith(one.beginning.lower()) for one in ways for name in names)
