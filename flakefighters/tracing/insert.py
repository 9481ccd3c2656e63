"""Probes in a syntax tree: where watched code starts, goes on, or runs a watched statement.

A statement probe is ``"token"[n] = 1``, an expression probe ``"token"[n]``.  After compiling,
:func:`seal` puts the flags themselves where the token stands among the constants, so that no
name is added to the program.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Final

from flakefighters.tracing.lookup import FileMarks, Label

__all__ = ["FAR", "Flags", "Inserter", "Reads", "seal"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Parts = (ast.excepthandler, ast.match_case)
_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_SPECIAL: Final = re.compile(rb"\b(?:lambda|yield|await)\b")

#: A subscript of a string that is out of range is not folded by the compiler.
FAR: Final = 1_000_000


class Flags(bytearray):
    """One byte per statement probe.  Constants of code must be hashable."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[bytearray], tuple[bytes]]:
        return bytearray, (bytes(self),)  # where code is pickled: needs nothing of ours


class Reads(defaultdict[int, int]):
    """Gains a key for each expression probe that was read; answers 0."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[defaultdict[int, int]], tuple[type[int]]]:
        return defaultdict, (int,)


def seal(code: CodeType, constants: dict[str, object]) -> CodeType:
    """Replace tokens among the constants of ``code`` and all code within it."""
    replaced: list[object] = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            replaced.append(seal(constant, constants))
        elif type(constant) is str and constant in constants:
            replaced.append(constants[constant])
        else:
            replaced.append(constant)
    return code.replace(co_consts=tuple(replaced))


class Inserter(ast.NodeTransformer):
    """Inserts the probes of one file into its tree, in place."""

    def __init__(
        self,
        marks: FileMarks,
        source: bytes,
        number: Callable[[frozenset[Label]], int],
        tokens: tuple[str, str],
        *,
        lines: bool,
    ):
        """``number`` gives a probe's number for what it tells; ``tokens`` for store and read.

        ``lines`` False: a span within a function counts as the whole function.
        """
        self._lines = marks.lines
        #: Lines with an expression that may take a probe, in order.
        self._special = [
            number for number, line in enumerate(source.splitlines(), 1) if _SPECIAL.search(line)
        ]
        self._body = marks.body
        self._number = number
        self._store, self._read = tokens
        self._by_line = lines
        #: What holds for all code below the node being visited.
        self._whole: frozenset[Label] = frozenset()
        self._in_function = False
        self._depth = 0  # of definitions

    def insert(self, tree: ast.Module) -> None:
        """Insert all probes but the module's own."""
        tree.body = self._block(tree.body)

    def insert_body_probe(self, tree: ast.Module) -> None:
        """Insert the probe of the module's body, after docstring and future imports."""
        at = 0
        for at, statement in enumerate(tree.body):
            if not _is_preamble(statement, first=at == 0):
                break
        else:
            at = len(tree.body)
        line = tree.body[at].lineno if at < len(tree.body) else 1
        tree.body.insert(at, self._statement(frozenset([self._body]), line))

    # -- probes ------------------------------------------------------------------------------

    def _statement(self, labels: frozenset[Label], line: int) -> ast.stmt:
        place = ast.Subscript(
            ast.Constant(self._store), ast.Constant(self._number(labels)), ast.Store()
        )
        one = ast.Constant(1)
        probe = ast.Assign([place], one)
        for node in (place, place.value, place.slice, one, probe):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
        return probe

    def _expression(self, labels: frozenset[Label], like: ast.expr) -> ast.expr:
        place = ast.Subscript(
            ast.Constant(self._read), ast.Constant(FAR + self._number(labels)), ast.Load()
        )
        for node in (place, place.value, place.slice):
            ast.copy_location(node, like)
        return place

    # -- what a node tells -------------------------------------------------------------------

    def _covering(self, first: int, last: int) -> frozenset[Label]:
        """Labels of spans that hold all of these lines."""
        none: frozenset[Label] = frozenset()
        return self._lines.get(first, none) & self._lines.get(last, none)

    def _crossing(self, lines: Iterable[int]) -> frozenset[Label]:
        """Labels of spans that hold any of these lines."""
        watched = self._lines
        return frozenset().union(*(watched[line] for line in lines if line in watched))

    # -- statements --------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for at, statement in enumerate(statements):
            first, last = _first_line(statement), statement.end_lineno or statement.lineno
            if self._whole or self._crossing(range(first, last + 1)):
                preamble = not self._depth and _is_preamble(statement, first=at == 0)
                by_line = self._by_line or not self._in_function
                if by_line and not preamble and not isinstance(statement, _Definition):
                    labels = self._own_lines_of(statement) - self._whole
                    if labels:
                        result.append(self._statement(labels, statement.lineno))
                self.visit(statement)  # fills it in place
            result.append(statement)
        return result

    def _own_lines_of(self, statement: ast.stmt) -> frozenset[Label]:
        """Labels of the lines of a statement that are not in a block of its own."""
        lines = set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
        for block in _blocks(statement):
            lines.difference_update(range(_first_line(block[0]), (block[-1].end_lineno or 0) + 1))
        return self._crossing(lines)

    def _expressive(self, first: int, last: int) -> bool:
        """Whether these lines may hold an expression that takes a probe."""
        at = bisect_left(self._special, first)
        return at < len(self._special) and self._special[at] <= last

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit blocks as a whole, so that probes can be put between statements.

        Other parts only where they may hold a probe: most of a tree is plain expressions.
        """
        plain = isinstance(node, ast.stmt | ast.excepthandler) and not self._expressive(
            node.lineno, node.end_lineno or node.lineno
        )
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                if value and isinstance(value[0], ast.stmt):
                    setattr(node, name, self._block(value))
                elif not plain or (value and isinstance(value[0], _Parts)):
                    value[:] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
            elif not plain and isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_Try(self, node: ast.Try | ast.TryStar) -> ast.AST:
        """A generator that is thrown into or closed goes on in a handler."""
        self.generic_visit(node)
        if self._whole:
            for block in [*(h.body for h in node.handlers), node.finalbody]:
                if block:
                    block.insert(0, self._statement(self._whole, block[0].lineno))
        return node

    visit_TryStar = visit_Try  # noqa: N815

    # -- definitions -------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """The header runs outside, the body is code of its own."""
        self._visit_header(node, [*node.decorator_list, *node.bases, *node.keywords])
        self._visit_body(node, self._labels_within(node))
        return node

    def visit_FunctionDef(self, node: _Function) -> ast.AST:
        """The header runs outside, the body is code of its own."""
        self._visit_header(node, [*node.decorator_list, node.args])
        self._visit_body(node, self._labels_within(node))
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _visit_header(self, node: _Function | ast.ClassDef, parts: Iterable[ast.AST]) -> None:
        if self._expressive(_first_line(node), node.body[0].lineno):
            for part in parts:
                self.visit(part)

    def _labels_within(self, node: _Function | ast.ClassDef) -> frozenset[Label]:
        """What entering the body of a definition tells."""
        first, last = _first_line(node.body[0]), node.end_lineno or node.lineno
        labels = self._covering(first, last)
        if all(isinstance(one, _Definition) or _is_docstring(one) for one in node.body):
            labels &= self._covering(_first_line(node), last)  # not those of what it defines
        if not self._by_line:
            labels |= self._labels_below(node.body)
        return labels

    def _labels_below(self, statements: list[ast.stmt]) -> frozenset[Label]:
        """Labels of all lines but those of definitions."""
        labels: frozenset[Label] = frozenset()
        for statement in statements:
            if not isinstance(statement, _Definition):
                labels |= self._own_lines_of(statement)
                for block in _blocks(statement):
                    labels |= self._labels_below(block)
        return labels

    def _visit_body(self, node: _Function | ast.ClassDef, labels: frozenset[Label]) -> None:
        outer = self._whole, self._in_function
        self._whole, self._in_function = labels, not isinstance(node, ast.ClassDef)
        self._depth += 1
        node.body = self._block(node.body)
        self._depth -= 1
        self._whole, self._in_function = outer
        if labels:
            at = int(_is_docstring(node.body[0]))
            line = node.body[at].lineno if at < len(node.body) else node.body[0].lineno
            node.body.insert(at, self._statement(labels, line))

    # -- expressions -------------------------------------------------------------------------

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """``lambda: x`` becomes ``lambda: probe or x``."""
        self.visit(node.args)
        first, last = node.body.lineno, node.body.end_lineno or node.body.lineno
        labels = self._crossing(range(first, last + 1))  # an expression has no finer places
        outer, self._whole = self._whole, labels
        node.body = self.visit(node.body)
        self._whole = outer
        if labels:
            probe = self._expression(labels, node.body)
            node.body = ast.copy_location(ast.BoolOp(ast.Or(), [probe, node.body]), node.body)
        return node

    def _after(self, node: ast.expr) -> ast.expr:
        """``x`` becomes ``(x, probe)[0]``: the probe is read when ``x`` is there."""
        self.generic_visit(node)
        if not self._whole:
            return node
        pair = ast.Tuple([node, self._expression(self._whole, node)], ast.Load())
        zero = ast.Constant(0)
        result = ast.Subscript(pair, zero, ast.Load())
        for new in (pair, zero, result):
            ast.copy_location(new, node)
        return result

    def visit_Yield(self, node: ast.Yield) -> ast.expr:
        """Going on after a yield."""
        return self._after(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.expr:
        """Going on after a ``yield from``."""
        return self._after(node)

    def visit_Await(self, node: ast.Await) -> ast.expr:
        """Going on after an await."""
        return self._after(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Going on in the loop."""
        self.generic_visit(node)
        if self._whole:
            node.body.insert(0, self._statement(self._whole, node.body[0].lineno))
        return node

    visit_AsyncWith = visit_AsyncFor  # type: ignore[assignment]  # noqa: N815


def _first_line(statement: ast.stmt) -> int:
    """With decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    blocks = [getattr(statement, name, None) for name in ("body", "orelse", "finalbody")]
    for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        blocks.append(part.body)  # noqa: PERF401 - plainer
    return [block for block in blocks if block]


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_preamble(statement: ast.stmt, *, first: bool) -> bool:
    """A docstring or a future import: nothing may be put before it."""
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return first and _is_docstring(statement)
