"""Python source as a syntax tree, and what of it counts."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_BYTES", "Policy", "comparable_lines", "parse", "policy", "reads_annotations"]

#: Larger files are compared as a whole: generated tables, mostly.
MAX_BYTES: Final = 3_000_000

#: Libraries that turn docstrings into behaviour: help texts, grammars, schemas.
_DOC_READERS: Final = frozenset(
    {"cleo", "click", "cmd", "cyclopts", "docopt", "fastapi", "fire", "ply", "strawberry", "typer"}
)
#: Libraries that read the annotations of functions even where Python does not evaluate them.
_ANNOTATION_READERS: Final = frozenset(
    {
        "beartype",
        "cyclopts",
        "dependency_injector",
        "fastapi",
        "hypothesis",
        "injector",
        "litestar",
        "ninja",
        "pydantic",
        "strawberry",
        "typeguard",
        "typer",
    }
)
#: The members of a class in the order in which they are defined.
_LISTING: Final = re.compile(rb"\bvars\(\s*(\w+)\s*\)|\b(\w+)\.__dict__\b")
#: ``{Sequence: 1}``, ``TABLE[Sequence] = 1``, ``kind is Sequence``.
_COMPARED: Final = re.compile(
    rb"[{,]\s*([A-Z]\w*)[ \t]*:(?!=)|^[^#\n:]*\[([A-Z]\w*)\][ \t]*="
    rb"|(?:\bis(?:[ \t]+not)?[ \t]|[!=]=)[ \t]*([A-Z]\w*)",
    re.MULTILINE,
)


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
    #: Some code runs the examples in docstrings, other than pytest by itself.
    examples: bool = True
    #: Classes of which somebody lists the members, in their order; "cls" stands for any.
    listed: frozenset[str] = frozenset()
    #: Names that are compared, or keys of a table: it matters which object they mean.
    compared: frozenset[str] = frozenset()


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


def policy(
    old: bytes,
    before: ast.Module,
    new: bytes,
    after: ast.Module,
    *,
    docs: bool = False,
    examples: bool = True,
) -> Policy:
    """What counts when these versions of one file are compared.

    ``docs``: another file reads docstrings of this one; ``examples``: some code runs what they
    show.
    """
    trees = before, after
    imported = {name for tree in trees for name in _imported(tree)}
    future = all(_postponed(tree) for tree in trees)
    return Policy(
        docs=docs or bool(imported & _DOC_READERS) or _reads_docs(old) or _reads_docs(new),
        signatures=not future or bool(imported & _ANNOTATION_READERS),
        annotated=bool(imported & _ANNOTATION_READERS),
        variables=not future,
        examples=examples,
        listed=frozenset(
            (match[1] or match[2]).decode()
            for source in (old, new)
            for match in _LISTING.finditer(source)
        )
        - {"self"},
        compared=frozenset(
            (match[1] or match[2] or match[3]).decode()
            for source in ((old, new) if b"typing" in old + new else ())
            for match in _COMPARED.finditer(source)
        ),
    )


def reads_annotations(tree: ast.Module) -> bool:
    """Whether a library that a module imports acts by the annotations of its functions."""
    return not _ANNOTATION_READERS.isdisjoint(_imported(tree))


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
