"""A finder at the front of ``sys.meta_path`` that has watched files compiled with probes.

It asks the finders behind it and changes only how their loader gets the code of a watched
file.  The loader's own way runs first: it keeps its caches as without us, and its code is used
where ours cannot be made.  Nothing of ours is written to disk.
"""

from __future__ import annotations

import ast
import contextlib
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

__all__ = ["ProbingFinder"]

#: Inserts probes into the tree of the file of this name, before other rewriting, and gives
#: what is to be done after it; None if the file is not watched.
Prepare = Callable[[ast.Module, str, bytes], Callable[[ast.Module], None] | None]

_IMPORTLIB: Final = "<frozen importlib._bootstrap_external>"

#: Says that the body of a file begins (the file) or ends (None).
Mark = Callable[[str | None], None]


def _marked(
    execute: Callable[[ModuleType], None], origin: str, mark: Mark
) -> Callable[[ModuleType], None]:
    def _call_with_frames_removed(module: ModuleType) -> None:
        mark(origin)
        try:
            execute(module)
        finally:
            mark(None)

    _hide(_call_with_frames_removed)
    return _call_with_frames_removed


def _hide(function: Any) -> None:
    """Have a function left out of tracebacks, as Python does with its own code for imports."""
    function.__code__ = function.__code__.replace(co_filename=_IMPORTLIB)


class ProbingFinder(MetaPathFinder):
    """See the module."""

    def __init__(
        self,
        watched: Callable[[str], bool],
        prepare: Prepare,
        seal: Callable[[CodeType], CodeType],
        ours: Callable[[str], bool],
        mark: Mark,
    ):
        """``ours`` tells which files are the project's: ``mark`` is told of their bodies."""
        self._watched = watched
        self._prepare = prepare
        self._seal = seal
        self._ours = ours
        self._mark = mark

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the finders behind this one find."""
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else finders
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None if find is None else find(name, path, target)
            if spec is not None:
                if spec.has_location and spec.origin is not None:
                    watched = self._watched(spec.origin)
                    if watched or self._ours(spec.origin):
                        self._change(spec, spec.origin, watched)
                return spec
        return None

    def _change(self, spec: ModuleSpec, origin: str, watched: bool) -> None:
        loader: Any = spec.loader
        if isinstance(loader, LazyLoader):
            loader = loader.loader  # type: ignore[attr-defined]
        if type(loader).__module__ == "_pytest.assertion.rewrite":
            spec.loader = self._rewriter(loader, origin, watched)
            return
        if watched and hasattr(loader, "get_code") and hasattr(loader, "source_to_code"):
            original = loader.get_code

            def get_code(fullname: str) -> CodeType | None:
                plain: CodeType | None = original(fullname)
                return plain if plain is None else self._probed(loader, fullname) or plain

            try:
                loader.get_code = get_code
            except AttributeError:  # no place for it: the file stays without probes
                return
        if hasattr(loader, "exec_module"):
            with contextlib.suppress(AttributeError):
                loader.exec_module = _marked(loader.exec_module, origin, self._mark)

    def _probed(self, loader: Any, fullname: str) -> CodeType | None:
        """The code with probes, None where it cannot be made."""
        try:
            path = loader.get_filename(fullname)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # given already, by the loader's own compiling
                source = loader.get_data(path)
                tree = ast.parse(source, path)
                finish = self._prepare(tree, path, source)
                if finish is None:
                    return None
                finish(tree)
                return self._seal(loader.source_to_code(tree, path))
        except Exception:  # protects the program's import: it goes on without probes
            return None

    def _rewriter(self, hook: Any, origin: str, watched: bool) -> Loader:
        """pytest's loader of test modules, with probes inserted before its rewriting.

        It is of the same kind and shares all state with the hook, for pytest looks at the
        loader of a module to know whether it was rewritten.
        """
        finder = self

        class ProbedRewriter(type(hook)):  # type: ignore[misc]
            def exec_module(self, module: ModuleType) -> None:
                finder._mark(origin)
                try:
                    code = finder._rewritten(self, module) if watched else None
                    if code is None:
                        super().exec_module(module)
                    else:
                        exec(code, module.__dict__)  # noqa: S102 - the module's own code
                finally:
                    finder._mark(None)

        _hide(ProbedRewriter.exec_module)
        rewriter: Loader = ProbedRewriter.__new__(ProbedRewriter)
        rewriter.__dict__ = hook.__dict__
        return rewriter

    def _rewritten(self, hook: Any, module: ModuleType) -> CodeType | None:
        try:
            from _pytest.assertion import rewrite

            origin = module.__spec__.origin if module.__spec__ else None
            if origin is None:
                return None
            path = Path(origin)
            source = path.read_bytes()
            cached = rewrite.get_cache_dir(path) / (path.name[:-3] + rewrite.PYC_TAIL)
            with warnings.catch_warnings():
                if cached.exists():  # then pytest has given them in an earlier run
                    warnings.simplefilter("ignore")
                tree = ast.parse(source, str(path))
                finish = self._prepare(tree, str(path), source)
                if finish is None:
                    return None
                rewrite.rewrite_asserts(tree, source, str(path), hook.config)
                finish(tree)
                code = self._seal(compile(tree, str(path), "exec", dont_inherit=True))
            hook._rewritten_names[module.__name__] = path
            return code
        except Exception:  # protects the import: pytest's own way follows, and its errors
            return None
