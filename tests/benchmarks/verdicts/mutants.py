"""Bugs as people make them: one small edit of a covered line."""

from __future__ import annotations

import ast
import random
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["OPERATORS", "Mutant", "choose", "compiles", "mutants_of", "unrelated_edit"]

_SWAPPED: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_SIMPLE: Final = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Delete)


@dataclass(frozen=True, slots=True)
class Mutant:
    """An edit: the text between two places (line from 1, byte column) becomes another."""

    path: str
    operator: str
    start: tuple[int, int]
    end: tuple[int, int]
    text: str
    #: Lines of which coverage.py must have seen one.
    lines: tuple[int, ...]

    def apply(self, source: str) -> str:
        """The file with the bug."""
        lines = source.encode().splitlines(keepends=True)
        first, last = lines[self.start[0] - 1], lines[self.end[0] - 1]
        middle = first[: self.start[1]] + self.text.encode() + last[self.end[1] :]
        return b"".join([*lines[: self.start[0] - 1], middle, *lines[self.end[0] :]]).decode()


def mutants_of(path: str, source: str, covered: Collection[int]) -> Iterator[Mutant]:
    """All mutants of the covered lines of a file; a few may not compile."""
    for mutant in _Finder(path, source).find():
        if not set(mutant.lines).isdisjoint(covered):
            yield mutant


def choose(
    found: Mapping[str, Sequence[Mutant]],
    chance: random.Random,
    tests_share: float,
    fits: Callable[[Mutant], bool],
) -> Iterator[Mutant]:
    """Take turns among the operators; ``found`` maps "code" and "tests" to their mutants."""
    heaps: dict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for where, some in found.items():
        for one in some:
            heaps[where, one.operator].append(one)
    for heap in heaps.values():
        chance.shuffle(heap)
    while any(heaps.values()):
        for operator in OPERATORS:
            where = "tests" if chance.random() < tests_share else "code"
            heap = heaps.get((where, operator)) or heaps.get(("code", operator), [])
            while heap:
                mutant = heap.pop()
                if fits(mutant):
                    yield mutant
                    break


def compiles(path: str, source: str) -> bool:
    """Whether this is Python."""
    try:
        with warnings.catch_warnings(action="ignore"):  # `is` beside a literal
            compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def unrelated_edit(source: str, number: int, kind: str) -> str:
    """What somebody else commits on top: a comment, or a function that nobody calls yet."""
    end = "" if source.endswith("\n") else "\n"
    if kind == "comment":
        return f"{source}{end}# Reviewed, see note {number}.\n"
    return f"{source}{end}\n\ndef _added_on_top_{number}(value):\n    return [value, {number}]\n"


class _Finder:
    """Walks a file with what surrounds each node."""

    def __init__(self, path: str, source: str) -> None:
        self._path = path
        self._lines = source.encode().splitlines(keepends=True)
        self._tree = ast.parse(source)
        self._found: list[Mutant] = []

    def find(self) -> list[Mutant]:
        for statement in self._tree.body:
            self._statement(statement, "module", len(self._tree.body))
        return self._found

    def _statement(self, node: ast.stmt, scope: str, siblings: int) -> None:
        if isinstance(node, _FUNCTIONS):
            self._function(node, scope, siblings)
            scope = "function"
        elif isinstance(node, ast.ClassDef):
            scope = "class"
        elif scope == "function":
            self._in_function(node, siblings)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            operator = "module constant" if scope == "module" else "class attribute"
            self._constants(node.value, operator, (node.lineno,))
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None) or []
            for inner in block:
                if isinstance(inner, ast.stmt) and not _is_text(inner):
                    self._statement(inner, scope, len(block))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            for inner in part.body:
                self._statement(inner, scope, len(part.body))

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: str, siblings: int
    ) -> None:
        inside = tuple(range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1))
        if siblings > 1 and scope in ("module", "class"):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            last = node.end_lineno or node.lineno
            self._delete("removed function", first, last, inside)
        for default in (*node.args.defaults, *(one for one in node.args.kw_defaults if one)):
            self._constants(default, "default argument", (node.lineno, *inside))
        for decorator in node.decorator_list:
            if decorator.lineno == decorator.end_lineno:
                self._delete("removed decorator", decorator.lineno, decorator.lineno, inside)

    def _in_function(self, node: ast.stmt, siblings: int) -> None:
        here = (node.lineno,)
        if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            self._replace("return None", node.value, "None", here)
        if isinstance(node, ast.If):
            self._replace("negation", node.test, f"not ({self._text(node.test)})", here)
        if isinstance(node, _SIMPLE) and not _is_text(node):
            last = node.end_lineno or node.lineno
            if siblings > 1 and self._alone(node):
                self._delete("deleted statement", node.lineno, last, here)
            else:
                self._replace("deleted statement", node, "pass", here)
        for part in _expressions(node):
            if isinstance(part, ast.Compare) and len(part.ops) == 1:
                self._comparison(part)
            elif isinstance(part, ast.Constant):
                self._constants(part, "constant", (part.lineno, node.lineno))

    def _comparison(self, node: ast.Compare) -> None:
        before, after = _SWAPPED[type(node.ops[0])]
        left, right = node.left, node.comparators[0]
        if left.end_lineno != right.lineno:
            return
        line = self._lines[right.lineno - 1]
        between = line[left.end_col_offset : right.col_offset]
        at = between.find(before.encode())
        if at < 0 or between.count(before.encode()) > 1:
            return
        start = (left.end_col_offset or 0) + at
        place = (right.lineno, start), (right.lineno, start + len(before))
        self._found.append(Mutant(self._path, "comparison", *place, after, (node.lineno,)))

    def _constants(self, value: ast.expr, operator: str, lines: tuple[int, ...]) -> None:
        for part in ast.walk(value):
            if isinstance(part, ast.JoinedStr):
                return
            if isinstance(part, ast.Constant):
                text = _other(part.value)
                if text is not None:
                    self._replace(operator, part, text, (*lines, part.lineno))

    def _replace(
        self, operator: str, node: ast.expr | ast.stmt, text: str, lines: tuple[int, ...]
    ) -> None:
        start = node.lineno, node.col_offset
        end = node.end_lineno or node.lineno, node.end_col_offset or 0
        self._found.append(Mutant(self._path, operator, start, end, text, lines))

    def _delete(self, operator: str, first: int, last: int, lines: tuple[int, ...]) -> None:
        end = last, len(self._lines[last - 1])
        self._found.append(Mutant(self._path, operator, (first, 0), end, "", lines))

    def _alone(self, node: ast.stmt) -> bool:
        """Whether a statement has its lines for itself."""
        last = self._lines[(node.end_lineno or node.lineno) - 1]
        before = self._lines[node.lineno - 1][: node.col_offset]
        after = last[node.end_col_offset or 0 :].strip()
        return not before.strip() and (not after or after.startswith(b"#"))

    def _text(self, node: ast.expr) -> str:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if first == last:
            return self._lines[first][node.col_offset : node.end_col_offset].decode()
        lines = [
            self._lines[first][node.col_offset :],
            *self._lines[first + 1 : last],
            self._lines[last][: node.end_col_offset],
        ]
        return b"".join(lines).decode()


OPERATORS: Final = (
    *("comparison", "constant", "return None", "deleted statement", "negation"),
    *("removed function", "default argument", "module constant", "class attribute"),
    "removed decorator",
)


def _expressions(node: ast.stmt) -> Iterator[ast.AST]:
    """Expressions of a statement itself, not of the statements in it; no parts of f-strings."""
    pending: list[ast.AST] = [
        child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
    ]
    while pending:
        part = pending.pop()
        if isinstance(part, ast.JoinedStr):
            continue
        yield part
        pending.extend(ast.iter_child_nodes(part))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _other(value: object) -> str | None:
    """Another constant of the same type, as source."""
    make: dict[type, Callable[[], str]] = {
        bool: lambda: repr(not value),
        int: lambda: repr(value + 1),  # type: ignore[operator]
        float: lambda: repr(value + 1.5),  # type: ignore[operator]
        str: lambda: repr(f"{value}x"),
        bytes: lambda: repr(value + b"x"),  # type: ignore[operator]
        type(None): lambda: "0",
    }
    made = make.get(type(value))
    return made() if made is not None else None
