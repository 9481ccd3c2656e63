"""What is larger or more entangled than the house allows.  These lists only ever shrink."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CIRCLES", "FILES", "FUNCTIONS"]

#: Files of more than 400 lines, and how many they have.
FILES: Mapping[str, int] = {}

#: Functions of more than 60 lines or 15 branches: lines, branches (see ``tests/reading.py``).
FUNCTIONS: Mapping[str, tuple[int, int]] = {}

#: Modules that import each other, be it inside a function or for a type checker.
CIRCLES: tuple[frozenset[str], ...] = ()
