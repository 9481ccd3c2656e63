"""What a process has once, so that who alters it may affect all that runs later."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Final

__all__ = ["OF_THE_PROCESS", "alters_process"]

#: What the whole process has once: all that runs later may be affected.
OF_THE_PROCESS: Final = frozenset(
    {
        *("asyncio.set_event_loop", "asyncio.set_event_loop_policy", "builtins"),
        *("decimal.setcontext", "importlib.reload", "locale.setlocale", "logging.basicConfig"),
        *("logging.config.dictConfig", "logging.disable", "os.chdir", "os.environ", "os.putenv"),
        *("os.umask", "os.unsetenv", "random.seed", "signal.signal", "socket.setdefaulttimeout"),
        *("sys.meta_path", "sys.modules", "sys.path", "sys.path_hooks"),
        *("sys.setrecursionlimit", "time.tzset"),
    }
)
#: The same by what they are called at their end: ``np.random.seed(1)``, ``from os import umask``.
_FOR_ALL: Final = frozenset(name.rpartition(".")[2] for name in OF_THE_PROCESS if "." in name) - {
    "disable",
    "environ",
    "modules",
    "path",
    "reload",
    "signal",
}
#: How functions begin that alter what a module of Python's own has, and where none does.
_SETTING: Final = (
    *("add", "capture", "disable", "enable", "field_size_limit", "install", "register", "set"),
    *("umask", "unregister"),
)
_OF_NO_EFFECT: Final = frozenset({"atexit", "operator", "unittest", "warnings"})


def alters_process(name: str, modules: Collection[str], imported: Mapping[str, str]) -> bool:
    """Whether calling ``name`` does: ``mimetypes.add_type``, ``np.random.seed``.

    ``modules`` are the names of those that are imported whole, ``imported`` those of what is
    imported from others, with their names there.
    """
    root, last = name.partition(".")[0], name.rpartition(".")[2]
    if name in OF_THE_PROCESS or imported.get(name) in _FOR_ALL:
        return True
    if last in _FOR_ALL and (root in modules or root in imported):
        return True
    return (
        root in modules
        and root in sys.stdlib_module_names
        and root not in _OF_NO_EFFECT
        and last.startswith(_SETTING)
        and name.count(".") <= 2
    )
