"""What the rest of a project tells of a file whose two versions are compared."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING

from flakefighters.model import ChangeKind
from flakefighters.source import purity as effects
from flakefighters.source.parse import parse, reads_annotations
from flakefighters.state.generated import version_stamp

if TYPE_CHECKING:
    from flakefighters.reach.project import Sources

__all__ = ["Around"]


def _only_wraps(node: ast.AST, called: bool) -> bool:
    """Whether running a function only makes another one and returns it; if it is to be ``called``
    for a decorator, that one as well."""
    if not isinstance(node, ast.FunctionDef):
        return False
    made = False
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            made = True
            if not all(map(effects.is_known_decorator, part.decorator_list)):
                return False
            if called and not _only_wraps(part, called=False):
                return False
        elif isinstance(part, ast.Return):
            if part.value is not None and effects.has_effect(part.value):
                return False
        elif not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)):
            return False
    return made


class Around:
    """Implements :class:`~flakefighters.source.context.Around`."""

    def __init__(self, sources: Sources, path: str):
        self._sources, self._path = sources, path

    def quiet_import(
        self,
        node: ast.AST,
        alias: ast.alias,
        met: frozenset[str] = frozenset(),
        *,
        known: bool = False,
    ) -> bool:
        """Whether an import that the file has or had does nothing but bind its name.

        ``known``: its module is imported all the same.
        """
        if not isinstance(node, ast.Import | ast.ImportFrom):
            return False
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        if not relative and not effects.imports_have_effect(module):
            return True
        wanted = module.split(".") if module else []
        if relative and version_stamp(f"{wanted[-1] if wanted else alias.name}.py"):
            return True  # which a build writes
        # Its package, the module, and what may be a module in it.
        within = self._sources.files_of(alias.name) if isinstance(node, ast.ImportFrom) else []
        files = [file for part in wanted for file in self._sources.files_of(part)] + within
        files = [file for file in files if not self._is_around(file)]
        if not (self._sources.files_of(wanted[-1]) if wanted else relative):
            return False  # somebody else's, or gone
        if known:
            files = within
        return all(self._sources.quiet(file, met) for file in dict.fromkeys(files))

    def _is_around(self, file: str) -> bool:
        """Whether a file is that of a package around this one, which is imported before it."""
        folder, _, name = file.rpartition("/")
        return name == "__init__.py" and self._path.startswith(f"{folder}/")

    def builds(self, name: str) -> bool:
        """Whether calling a dotted name only builds a value, by what it is in this project."""
        last = name.rpartition(".")[2]
        if self._sources.is_record(last):
            return True
        renamed = re.compile(rb"\b(\w+)[ \t]+as[ \t]+" + re.escape(last.encode()) + rb"\b")
        found = renamed.findall(self._sources.all().get(self._path, b"")) if last == name else []
        return bool(found) and all(
            effects.is_builder(one.decode()) or self._sources.is_record(one.decode())
            for one in found
        )

    def defines(self, name: str) -> bool:
        """Whether the project has a function or class of that name itself."""
        root, dot, _ = name.partition(".")
        if dot and root in sys.stdlib_module_names and not self._sources.files_of(root):
            return False
        definitions = self._sources.definitions()
        return definitions.has_method(name.rpartition(".")[2]) if dot else definitions.has(name)

    def docs_are_read(self) -> bool:
        """Whether some other file reads the docstring of the module, or of something in it."""
        return self._sources.reads_docs(self._path)

    def annotations_are_read(self) -> bool:
        """Whether some code but single tests looks at annotations of the file's."""
        tree = parse(self._sources.all().get(self._path, b""))
        return tree is None or reads_annotations(tree) or self._sources.annotated()

    def is_listed(self) -> bool:
        """Whether some other file goes through what the module has, in its order."""
        last = (
            self._path.removesuffix(".py")
            .removesuffix("/__init__")
            .rpartition("/")[2]
            .encode("utf-8", "surrogateescape")
        )
        sign = re.compile(
            rb"\bvars\(\s*(?:\w+\.)*"
            + re.escape(last)
            + rb"\s*\)|\b"
            + re.escape(last)
            + rb"\.__dict__\b"
        )
        return any(
            sign.search(content)
            for path, content in self._sources.all().items()
            if last in content and path != self._path
        )

    def examples_are_run(self) -> bool:
        """Whether some code runs the examples in docstrings."""
        return self._sources.runs_examples()

    def has_protocols(self) -> bool:
        """Whether some class counts others among its own by the methods that they have."""
        return self._sources.definitions().has_protocols()

    def only_wraps(self, decorator: ast.expr) -> bool:
        """Whether a decorator of this project does nothing but give back another function."""
        name = effects.dotted(decorator).rpartition(".")[2]
        sign = re.compile(rb"\bdef[ \t]+" + re.escape(name.encode()) + rb"\b")
        found = [
            one.unit.entry.node
            for path, content in (self._sources.all().items() if name else ())
            if sign.search(content)
            for one in self._sources.units(path)
            if one.unit.entry.name == name and one.unit.entry.kind is ChangeKind.FUNCTION
        ]
        called = isinstance(decorator, ast.Call)
        return bool(found) and all(_only_wraps(node, called) for node in found)

    def plain_class(self, name: str) -> bool:
        """Whether a dotted name is that of classes which do not learn of their subclasses."""
        return self._sources.definitions().plain_class(name.rpartition(".")[2])

    def has_effect(self, node: ast.AST) -> bool:
        """Whether a definition may do more than bind its name."""
        if isinstance(node, ast.ClassDef) and all(
            self.plain_class(effects.dotted(base)) for base in node.bases
        ):
            node = ast.ClassDef(
                name=node.name,
                bases=[],
                keywords=node.keywords,
                body=node.body,
                decorator_list=node.decorator_list,
            )
        return effects.has_effect(node, self)
