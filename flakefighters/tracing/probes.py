"""Python 3.11: probes in the code of watched files, inserted when they are imported."""

from __future__ import annotations

import ast
import os
import sys
import threading
from collections.abc import Callable
from types import CodeType
from typing import Any

from flakefighters.tracing.audit import Audit
from flakefighters.tracing.importer import ProbingFinder
from flakefighters.tracing.insert import FAR, Flags, Inserter, Reads, seal
from flakefighters.tracing.lookup import UNIT, Label, Lookup
from flakefighters.tracing.tracer import TracerUnavailableError

__all__ = ["ProbeTracer"]


class ProbeTracer:
    """Sees watched functions start and go on, and the watched statements.

    What is watched and was imported before :meth:`start`, or gets by our finder (``runpy``,
    a finder put before ours), has no probes: it is named by :meth:`blind`.
    """

    name = "probes"

    def __init__(self, lookup: Lookup, audit: Audit, *, lines: bool):
        self._lookup = lookup
        self._audit = audit
        self._lines = lines
        self._flags = Flags()
        self._reads = Reads(int)
        #: What each probe tells, by number; those of expressions are counted apart.
        self._labels: list[frozenset[Label]] = []
        mark = os.urandom(8).hex()  # no text of any program
        self._tokens = (f"\0store {mark}", f"\0read {mark}")
        self._blind: set[str] = set()
        self._finder = ProbingFinder(
            self._watched, self._prepare, self._seal, self._is_ours, self._mark
        )
        #: Whether no attempt is under way; then what runs is noted by the module whose body it
        #: runs below.
        self._apart = True
        self._get_ident = threading.get_ident
        self._thread = threading.get_ident()
        self._bodies: list[str] = []
        self._imports: dict[str, set[Label]] = {}
        #: What ran in the window so far and has been taken off the probes.
        self._taken: set[Label] = set()

    def start(self) -> None:
        """Put the finder first, and note what is imported already."""
        if sys.implementation.name != "cpython":
            raise TracerUnavailableError("probes are for CPython")
        self._blind |= {marks.path for marks in self._lookup.imported()}
        self._audit.listen("exec", self._exec_listener())
        sys.meta_path.insert(0, self._finder)

    def begin(self) -> None:
        """Forget what ran."""
        if self._taken:
            self._taken = set()
        self._clear()

    def _clear(self) -> None:
        if self._flags.find(1) >= 0:
            self._flags[:] = bytes(len(self._flags))
        if self._reads:
            self._reads.clear()

    def collect(self) -> set[Label]:
        """What ran in the window so far."""
        labels = set(self._taken)
        at = self._flags.find(1)
        while at >= 0:
            labels |= self._labels[at]
            at = self._flags.find(1, at + 1)
        for key in tuple(self._reads):
            labels |= self._labels[key - FAR]
        return labels

    def between(self, on: bool) -> None:
        """Tell apart below which module's body something runs, or do not."""
        self._apart = on
        self._bodies.clear()

    def imports(self) -> dict[str, set[Label]]:
        """What ran below the bodies of modules so far, by file."""
        return self._imports

    def _mark(self, origin: str | None) -> None:
        """The body of a file of the project begins, or (None) the last begun one ends."""
        if not self._apart or self._get_ident() != self._thread:
            return
        seen = self.collect()
        if self._bodies:
            file = self._bodies[-1]
            units = {label for label in seen - self._taken if label[0] == UNIT}
            if units:
                self._imports.setdefault(file, set()).update(units)
            self._taken = seen - units
        else:
            self._taken = seen
        self._clear()
        if origin is not None:
            self._bodies.append(self._lookup.ours(origin) or origin)
        elif self._bodies:
            self._bodies.pop()

    def common(self) -> set[Label]:
        """Nothing: all is told in each window."""
        return set()

    def blind(self) -> frozenset[str]:
        """Watched files that run without probes."""
        return frozenset(self._blind)

    def trouble(self) -> str | None:
        """None: what is missed is in :meth:`blind`."""
        return None

    def stop(self) -> None:
        """Take the finder away.  Modules that were imported keep their probes, which only store."""
        while self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)

    # -- called by the finder ----------------------------------------------------------------

    def _watched(self, filename: str) -> bool:
        return self._lookup.file(filename) is not None

    def _is_ours(self, filename: str) -> bool:
        return self._lookup.ours(filename) is not None

    def _prepare(
        self, tree: ast.Module, filename: str, source: bytes
    ) -> Callable[[ast.Module], None] | None:
        marks = self._lookup.file(filename)
        if marks is None:
            return None
        inserter = Inserter(marks, source, self._number, self._tokens, lines=self._lines)
        inserter.insert(tree)
        return inserter.insert_body_probe

    def _number(self, labels: frozenset[Label]) -> int:
        self._labels.append(labels)
        self._flags.append(0)
        return len(self._labels) - 1

    def _seal(self, code: CodeType) -> CodeType:
        store, read = self._tokens
        return seal(code, {store: self._flags, read: self._reads})

    def _exec_listener(self) -> Callable[[tuple[Any, ...]], None]:
        """Notices code of watched files that has no probes."""
        lookup, flags, blind = self._lookup, self._flags, self._blind

        def listener(args: tuple[Any, ...]) -> None:
            code = args[0] if args else None
            if code.__class__ is not CodeType:
                return
            marks = lookup.file(code.co_filename)
            if marks is not None and not any(c is flags for c in code.co_consts):
                blind.add(marks.path)

        return listener
