"""From a running code object to the changed units it belongs to."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, Literal, NamedTuple

from flakefighters.tracing.watch import FileWatch, Touched, Watch

__all__ = ["CodeMarks", "FileMarks", "Kind", "Label", "Lookup", "labels_to_touched"]


#: What a label names.  (Not an Enum: this is imported in every run, and making classes costs.)
Kind = Literal["unit", "body", "data"]

UNIT: Final = "unit"
BODY: Final = "body"  # a module's body
DATA: Final = "data"  # a template that became code

#: kind, path relative to the base, unit's name or line (None unless a unit).
Label = tuple[Kind, str, str | int | None]

_GENERATOR_FLAGS: Final = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator


def labels_to_touched(labels: frozenset[Label] | set[Label]) -> Touched:
    """Sort labels by kind."""
    return Touched(
        units=frozenset(
            (path, unit) for kind, path, unit in labels if kind == UNIT and unit is not None
        ),
        imported=frozenset(path for kind, path, _ in labels if kind == BODY),
        opened=frozenset(path for kind, path, _ in labels if kind == DATA),
    )


class CodeMarks(NamedTuple):
    """What running one code object touches."""

    #: Touched when it starts or goes on.
    whole: frozenset[Label]
    #: Touched line by line; empty unless a span covers the code in part.
    lines: dict[int, frozenset[Label]]
    #: It can be left and entered again.
    resumable: bool

    def everything(self) -> frozenset[Label]:
        """All labels, for those who do not see lines."""
        return self.whole.union(*self.lines.values())


class FileMarks:
    """The spans of one watched file."""

    def __init__(self, path: str, watch: FileWatch | None, *, data: bool = False):
        """``watch`` None: every function counts, by its own name."""
        self.path = path
        #: Every function counts, by its own name.
        self.by_name = watch is None and not data
        self.body: Label = (BODY, path, None)
        self._data: Label | None = (DATA, path, None) if data else None
        #: Line to what running it touches.
        self.lines: dict[int, frozenset[Label]] = {}
        if watch is not None:
            found: dict[int, set[Label]] = {}
            for span in watch.units:
                for line in range(span.first_line, span.last_line + 1):
                    found.setdefault(line, set()).add(self.unit_of(span.name))
            for line in watch.module_lines:
                found.setdefault(line, set()).add((UNIT, path, line))
            self.lines = {line: frozenset(labels) for line, labels in found.items()}

    def unit_of(self, name: str) -> Label:
        """The label of a unit of this file."""
        return (UNIT, self.path, name)

    def of_code(self, code: CodeType) -> CodeMarks | None:
        """What running ``code`` touches, None if nothing."""
        resumable = bool(code.co_flags & _GENERATOR_FLAGS)
        if self._data is not None:
            return CodeMarks(frozenset([self._data]), {}, resumable)
        is_module = code.co_name == "<module>"
        if self.by_name:
            if is_module:
                return CodeMarks(frozenset([self.body]), {}, False)
            label = self.unit_of(code.co_qualname.replace("<locals>.", ""))
            return CodeMarks(frozenset([label]), {}, resumable)
        own = _own_lines(code)
        lines = {line: self.lines[line] for line in own if line in self.lines}
        whole: frozenset[Label] = frozenset([self.body] if is_module else ())
        if lines and not is_module and len(lines) == len(own):
            whole = frozenset.intersection(*lines.values())
        lines = {line: labels - whole for line, labels in lines.items() if labels - whole}
        return CodeMarks(whole, lines, resumable) if whole or lines else None


def _all_lines(code: CodeType) -> set[int]:
    return {line for _, _, line in code.co_lines() if line}


def _own_lines(code: CodeType) -> set[int]:
    """The lines that run when ``code`` runs, without headers of definitions.

    The header of a function (decorators, defaults) runs where the function is defined, yet its
    change is the function's: it belongs to neither.  Lines of lambdas and comprehensions are
    shared with the statement around them.
    """
    lines = _all_lines(code)
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and not inner.co_name.startswith("<"):
            body = _all_lines(inner)
            lines.difference_update(range(inner.co_firstlineno, max(body, default=0) + 1))
    if len(lines) > 1 and not code.co_name.startswith("<"):
        lines.discard(code.co_firstlineno)
    # A module that only defines things has no line of its own.
    return lines or (set() if code.co_name == "<module>" else {code.co_firstlineno})


class Lookup:
    """Finds what is watched by the file name that a code object carries.

    Cached per file name and per code object; safe to call from any thread, opens nothing.
    """

    def __init__(self, watch: Watch):
        self._realpath = os.path.realpath
        self._join = os.path.join
        self._get_ident = threading.get_ident
        self._cwd = str(Path.cwd())
        self._base = self._realpath(watch.base)
        self.everything = watch.everything
        self._files: dict[str, FileMarks] = {}
        #: The labels of all module bodies.
        self.bodies: set[Label] = set()
        #: co_filename to the file of the project that it is.
        self._ours: dict[str, str | None] = {}
        #: co_filename to what is watched there; the answer None is kept too.
        self._cache: dict[str, FileMarks | None] = {}
        # Code objects are equal by value: keyed by identity, and kept alive with the answer.
        self._codes: dict[int, tuple[CodeType, CodeMarks | None]] = {}
        for path, file in watch.files.items():
            self._add(path, file, data=False)
        for path in watch.data:
            self._add(path, None, data=True)
        self._names = {path[path.rfind(os.sep) + 1 :] for path in self._files}
        libraries = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
        self._outside = tuple({os.path.realpath(path) + os.sep for path in libraries if path})

    def _add(self, path: str, file: FileWatch | None, *, data: bool) -> None:
        real = self._realpath(path)
        marks = FileMarks(self.relative(path), file, data=data)
        self.bodies.add(marks.body)
        self._files[real] = self._cache[path] = self._cache[real] = marks

    def relative(self, path: str) -> str:
        """``path`` relative to the base with ``/`` if it lies there, else as it is."""
        for candidate in (path, self._realpath(path)):
            if candidate.startswith(self._base + os.sep):
                return candidate[len(self._base) + 1 :].replace(os.sep, "/")
        return path.replace(os.sep, "/")

    def below(self, files: Iterable[str]) -> frozenset[str]:
        """Those of some files that lie below the base, relative to it."""
        paths = {self._realpath(self._join(self._cwd, file)) for file in files if file[:1] != "<"}
        return frozenset(self.relative(one) for one in paths if one.startswith(self._base + os.sep))

    def module(self, frame: FrameType | None) -> str | None:
        """The file of the project whose body is under way, the innermost below ``frame``."""
        while frame is not None:
            code = frame.f_code
            if code.co_name == "<module>":
                found = self.ours(code.co_filename)
                if found is not None:
                    return found
            frame = frame.f_back
        return None

    def ours(self, filename: str) -> str | None:
        """A file of the project relative to the base; None for any other."""
        try:
            return self._ours[filename]
        except KeyError:
            if filename.startswith("<"):  # generated code has such names without end
                return None
        try:
            real = self._realpath(self._join(self._cwd, filename))
        except (OSError, ValueError):
            return None
        found = self._ours[filename] = self.relative(real) if self._is_ours(real) else None
        return found

    def _is_ours(self, real: str) -> bool:
        """Whether a file is one of the project's, not of a package that is installed below it."""
        return (
            real.startswith(self._base + os.sep)
            and not real.startswith(self._outside)
            and not any(part in real for part in _PACKAGE_FOLDERS)
        )

    def paths(self) -> Iterator[tuple[str, FileMarks]]:
        """The watched files by their real paths."""
        yield from self._files.items()

    def file(self, filename: str) -> FileMarks | None:
        """What is watched in the file that code objects call ``filename``."""
        try:
            return self._cache[filename]
        except KeyError:
            if filename.startswith("<"):  # generated code has such names without end
                return None
            marks = self._cache[filename] = self._find(filename)
            return marks

    def _find(self, filename: str) -> FileMarks | None:
        name = filename[filename.rfind(os.sep) + 1 :]
        if name not in self._names and not self.everything:
            return None
        try:
            real = self._realpath(self._join(self._cwd, filename))
        except (OSError, ValueError):
            return None
        marks = self._files.get(real)
        if marks is None and self.everything and real.endswith(".py") and self._is_ours(real):
            marks = self._files[real] = FileMarks(self.relative(real), None)
            self.bodies.add(marks.body)
        return marks

    def imported(self) -> set[FileMarks]:
        """Watched files of which a module is loaded already."""
        found = set()
        for module in list(sys.modules.values()):
            try:
                spec = getattr(module, "__spec__", None)
                names = [getattr(module, "__file__", None), getattr(spec, "origin", None)]
            except Exception:  # noqa: S112 - any object may stand there: protects the start
                continue
            files = {self.file(name) for name in names if isinstance(name, str)}
            found |= {marks for marks in files if marks is not None}
        return found

    def modules_since(self, known: int) -> frozenset[str] | None:
        """Files below the base of the modules that came in since there were ``known``.

        None if that cannot be told.
        """
        try:
            modules = list(sys.modules.values())
            if len(modules) < known:
                return None  # some were taken out, and their places with them
            files = {getattr(module, "__file__", None) for module in modules[known:]}
            return self.below(file for file in files if isinstance(file, str))
        except Exception:  # any object may stand there: protects the collection of tests
            return None

    def code(self, code: CodeType) -> CodeMarks | None:
        """What running ``code`` touches, None if nothing."""
        known = self._codes.get(id(code))
        if known is not None:
            return known[1]
        file = self.file(code.co_filename)
        if file is None:
            return None  # not kept: programs may make such code without end
        marks = file.of_code(code)
        self._codes[id(code)] = (code, marks)
        return marks

    def running(self) -> set[Label]:
        """What code touches that is on the stack of another thread now.

        A worker may stay in one function over many tests, and nothing tells that it goes on.
        """
        found: set[Label] = set()
        frames = sys._current_frames()
        if len(frames) > 1:
            frames.pop(self._get_ident(), None)
            for top in frames.values():
                frame: FrameType | None = top
                while frame is not None:
                    code = frame.f_code
                    if self._cache.get(code.co_filename) is not None:
                        marks = self.code(code)
                        if marks is not None:
                            found |= marks.whole
                    frame = frame.f_back
        return found


_PACKAGE_FOLDERS: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
