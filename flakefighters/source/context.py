"""What the comparison of one file asks of the rest of a project."""

from __future__ import annotations

import ast
from typing import Protocol

from flakefighters.source import purity as effects

__all__ = ["Around"]


class Around(effects.Known, Protocol):
    """What the rest of the project tells of a file."""

    def quiet_import(self, node: ast.AST, alias: ast.alias, *, known: bool = False) -> bool:
        """Whether an import that the file has or had does nothing but bind its name.

        ``known``: its module is imported all the same.
        """
        ...

    def plain_class(self, name: str) -> bool:
        """Whether a dotted name is that of classes which do not learn of their subclasses."""
        ...

    def docs_are_read(self) -> bool:
        """Whether some other file reads the docstring of the module, or of something in it."""
        ...

    def annotations_are_read(self) -> bool:
        """Whether some code but single tests looks at annotations of the file's."""
        ...

    def is_listed(self) -> bool:
        """Whether some other file goes through what the module has, in its order."""
        ...

    def examples_are_run(self) -> bool:
        """Whether some code runs the examples in docstrings."""
        ...

    def has_protocols(self) -> bool:
        """Whether some class counts others among its own by the methods that they have."""
        ...

    def only_wraps(self, decorator: ast.expr) -> bool:
        """Whether a decorator of this project does nothing but give back another function."""
        ...
