"""Which files of the project were loaded or executed as a whole, and who asked for it.

The audit event ``exec`` carries the code object of a module's body however it comes in: by a
statement, ``exec_module``, ``runpy``, ``exec(compile(...))``, a loader of one's own.
"""

from __future__ import annotations

import os
import sys
from opcode import opmap
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flakefighters.tracing.facts import Facts
    from flakefighters.tracing.paths import Paths

__all__ = ["Loading", "importlibs"]

_IMPORT_NAME: Final = opmap["IMPORT_NAME"]
_IMPORTLIB: Final = f"{os.sep}importlib{os.sep}"
_LIBRARY: Final = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - on each code object
_BOOTSTRAP: Final = "<frozen importlib._bootstrap>"

#: Methods of loaders: they run what others ask for.
_LOADER: Final = ("exec_module", "load_module")

#: Imports by these are pytest's.
_PYTEST: Final = ("_pytest", "pytest", "pluggy", "xdist")


def importlibs(filename: str) -> bool:
    """Whether a file is a part of Python's import system."""
    return filename.startswith("<frozen importlib") or (
        _IMPORTLIB in filename and filename.startswith(_LIBRARY)
    )


class Loading:
    """Notes the fact ``loaded``; what ran in the window is in :attr:`imported`."""

    def __init__(self, paths: Paths, facts: Facts):
        self._paths = paths
        self._facts = facts
        self.imported: set[str] = set()

    def executed(self, args: tuple[Any, ...], frame: FrameType) -> None:
        """Listens to the event ``exec``."""
        code = args[0]
        if code.__class__ is CodeType and not code.co_filename.startswith("<"):
            self.loaded(code.co_filename, frame)

    def loaded(self, filename: str, frame: FrameType) -> None:
        """A file is loaded by the code of ``frame``."""
        names = self._paths.names(filename)
        if names:
            self.imported.update(names)
            by = self._asker(frame)
            for name in names:
                self._facts.note("loaded", (name, by))

    def before(self) -> None:
        """Note what is there already."""
        for module in list(sys.modules.values()):
            try:
                spec = getattr(module, "__spec__", None)
                files = {getattr(module, "__file__", None), getattr(spec, "origin", None)}
                for file in files:
                    for name in self._paths.names(file) if isinstance(file, str) else ():
                        self._facts.note("loaded", (name, "before"))
            except Exception:  # noqa: S112 - any object may stand there: protects the start
                continue

    def _asker(self, inner: FrameType) -> str:
        """Who had a body executed, in the words of ``Process.loaded``."""
        frame: FrameType | None = inner
        asked = False  # importlib was handed a name
        imports = False  # the import system is at work
        while frame is not None:
            filename = frame.f_code.co_filename
            outer = frame.f_back
            if importlibs(filename):
                if frame.f_code.co_name == "__getattribute__":
                    return "computed"  # lazily: the code that looks first did not ask for it
                imports = True
                asked = asked or _IMPORTLIB in filename
            elif (
                outer is not None
                and frame.f_code.co_name in _LOADER
                and outer.f_code.co_filename == _BOOTSTRAP
            ):
                # A finder of the project may give any file any name.
                asked = asked or self._paths.of(filename) is not None
            elif self._paths.of(filename) is not None:
                statement = frame.f_code.co_code[frame.f_lasti] == _IMPORT_NAME
                return "import" if imports and statement and not asked else "computed"
            else:
                name = str(frame.f_globals.get("__name__") or filename).partition(".")[0]
                return "pytest" if name in _PYTEST else name
            frame = outer
        return "python"
