"""Which changed distributions may matter to a test: asked for only where one changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flakefighters.environment.requirements import behind
from flakefighters.model import Change, ChangeKind

__all__ = ["Installed"]


class Installed:
    """Answers for all failures of a run; what is found out is kept."""

    def __init__(self, modules: Iterable[str] | None):
        """``modules``: the top-level ones that the session had imported; None if not known."""
        self._modules = modules
        self._loaded: frozenset[str] | None = None
        self._found: dict[tuple[str, frozenset[str]], frozenset[str]] = {}

    def loaded(self, changes: Iterable[Change]) -> frozenset[str] | None:
        """Distributions that the process had imported; None if that is not known or not asked."""
        if self._loaded is None and self._modules is not None and _changed(changes):
            self._loaded = behind(self._modules, deep=False)
        return self._loaded

    def imported(
        self, file: str, changes: Iterable[Change], outside: Callable[[], Iterable[str]]
    ) -> frozenset[str]:
        """Distributions that the code of a test's file imports, directly or not.

        ``outside`` gives the top-level modules that the code asks for.
        """
        changed = _changed(changes)
        if not changed:
            return frozenset()
        loaded = self.loaded(changes)
        sought = frozenset(
            name
            for name, how in changed.items()
            if how == "removed" or loaded is None or name in loaded
        )
        key = (file, sought)
        if key not in self._found:
            self._found[key] = behind(outside(), sought=sought, among=loaded)
        return self._found[key]


def _changed(changes: Iterable[Change]) -> dict[str, str]:
    """Distributions that changed, and how."""
    return {change.path: change.how for change in changes if change.kind is ChangeKind.DISTRIBUTION}
