"""Python source as a syntax tree, and what of it counts."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flakefighters.source import tables

__all__ = ["MAX_BYTES", "Policy", "comparable_lines", "parse", "policy", "reads_annotations"]

#: Larger files are compared as a whole: generated tables, mostly.
MAX_BYTES: Final = 3_000_000


@dataclass(frozen=True, slots=True)
class Policy:
    """What is looked at although Python itself mostly ignores it; one for both versions."""

    #: Docstrings, all of them.
    docs: bool = False
    #: Annotations of parameters and results.
    signatures: bool = True
    #: Annotations of variables at module level.
    variables: bool = True
    #: Some library reads annotations, and acts by them when a function runs.
    annotated: bool = False


def parse(source: bytes) -> ast.Module | None:
    """The tree of a source file, or None if this Python cannot read it."""
    if len(source) > MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            # "invalid escape sequence" and the like, which may have been made errors.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def policy(old: bytes, before: ast.Module, new: bytes, after: ast.Module) -> Policy:
    """What counts when these versions of one file are compared."""
    trees = before, after
    imported = {name for tree in trees for name in _imported(tree)}
    future = all(_postponed(tree) for tree in trees)
    annotated = not imported.isdisjoint(tables.ANNOTATION_READERS)
    return Policy(
        docs=not imported.isdisjoint(tables.DOC_READERS) or _reads_docs(old) or _reads_docs(new),
        signatures=not future or annotated,
        annotated=annotated,
        variables=not future,
    )


def reads_annotations(tree: ast.Module) -> bool:
    """Whether a library that a module imports acts by the annotations of its functions."""
    return not tables.ANNOTATION_READERS.isdisjoint(_imported(tree))


def comparable_lines(old: bytes, new: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines of both versions, counted as the parser does; none if equal bytes could differ.

    That is so in declared encodings; a carriage return may or may not end a line.
    """
    for source in (old, new):
        if b"\r" in source or any(b"coding" in line for line in source.split(b"\n", 2)[:2]):
            return [], []
    return old.split(b"\n"), new.split(b"\n")


def _imported(tree: ast.Module) -> Iterator[str]:
    """Top-level names of the packages that a module imports in its first level."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield alias.name.partition(".")[0]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module.partition(".")[0]


def _postponed(tree: ast.Module) -> bool:
    return any(
        isinstance(statement, ast.ImportFrom)
        and statement.module == "__future__"
        and any(alias.name == "annotations" for alias in statement.names)
        for statement in tree.body
    )


def _reads_docs(source: bytes) -> bool:
    return b"__doc__" in source or b"getdoc" in source
