"""Whether a function writes, moves or removes files at places that its text fixes.

What a test does below ``tmp_path``, or in a folder that it went to, is its own.
"""

from __future__ import annotations

import ast
from typing import Final

from flakefighters.source import purity as effects
from flakefighters.source.dynamic_names import assigned_once

__all__ = ["writes_files"]

#: Methods of paths that no other objects have.
_METHODS: Final = frozenset(
    {
        *("hardlink_to", "mkdir", "rmdir", "symlink_to", "touch", "unlink", "write_bytes"),
        *("write_text",),
    }
)
_FUNCTIONS: Final = frozenset(
    {
        *("os.link", "os.makedirs", "os.mkdir", "os.remove", "os.removedirs", "os.rename"),
        *("os.replace", "os.rmdir", "os.symlink", "os.truncate", "os.unlink", "shutil.copy"),
        *("shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree"),
    }
)
_WRITING: Final = frozenset("wax+")
_ELSEWHERE: Final = ("chdir", "isolated_filesystem", "tmp_path", "tmpdir")


def writes_files(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """By the text of its body alone."""
    hidden = set()
    calls = []
    values = assigned_once(node)
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            calls.append(part)
        if isinstance(part, ast.arg):
            hidden.add(part.arg)
            name = part.arg
        elif isinstance(part, ast.Name):
            name = part.id
            if not isinstance(part.ctx, ast.Load) and name not in values:
                hidden.add(name)
        else:
            name = getattr(part, "attr", "")
        if any(word in name for word in _ELSEWHERE):
            return False
    return any(_writes(call, hidden, values) for call in calls)


def _writes(call: ast.Call, hidden: set[str], values: dict[str, ast.expr]) -> bool:
    name = effects.dotted(call.func)
    if isinstance(call.func, ast.Attribute):
        path, mode = call.func.value, call.args[:1]
        if call.func.attr in _METHODS or (call.func.attr == "open" and _is_writing(mode, call)):
            return _is_fixed(path, hidden, values)
    elif name == "open" and call.args and _is_writing(call.args[1:2], call):
        return _is_fixed(call.args[0], hidden, values)
    return name in _FUNCTIONS and any(_is_fixed(arg, hidden, values) for arg in call.args[-1:])


def _is_writing(mode: list[ast.expr], call: ast.Call) -> bool:
    modes = [*mode, *(one.value for one in call.keywords if one.arg == "mode")]
    return any(
        isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and not _WRITING.isdisjoint(one.value)
        for one in modes
    )


def _is_fixed(node: ast.expr, hidden: set[str], values: dict[str, ast.expr]) -> bool:
    """Whether a path is made of nothing but texts and names of the module."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            if part.id in hidden:
                return False
            value = values.get(part.id)
            if value is not None and not _is_fixed(value, hidden | {part.id}, values):
                return False
        elif isinstance(part, ast.Call) and not _makes_path(part):
            return False
    return True


def _makes_path(call: ast.Call) -> bool:
    name = effects.dotted(call.func).rpartition(".")[2]
    return name in ("Path", "PurePath", "join", "joinpath", "resolve", "absolute", "with_name")
