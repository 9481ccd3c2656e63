"""What a commit changed, and which tests run it by coverage.py's account.

Written apart from the product's own way of comparing, which it is to judge: functions are told by
their trees without docstrings and places, everything else of a file is its module-level code.
"""

from __future__ import annotations

import ast
import configparser
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "SETTINGS",
    "Changed",
    "changed_units",
    "other_settings",
    "ran_at_import",
    "tests_running",
]

#: Files that may set up pytest.
SETTINGS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "pytest.toml")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(slots=True)
class Changed:
    """What differs between two versions of a file."""

    #: Qualified names of functions that are new or differ, and the lines of their bodies.
    functions: dict[str, range] = field(default_factory=dict)
    #: Statements outside of functions, headers of functions, or something that is gone.
    module_level: bool = False


@dataclass(slots=True)
class _File:
    #: Name to body, header, and lines of the body.
    functions: dict[str, tuple[str, str, range]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def changed_units(old: str | None, new: str | None) -> Changed:
    """Compare two versions of a Python file; None where there is none."""
    before, after = _read(old), _read(new)
    found = Changed(module_level=before.rest != after.rest)
    for name, (body, header, lines) in after.functions.items():
        then = before.functions.get(name)
        if then is None or then[:2] != (body, header):
            found.functions[name] = lines
            found.module_level |= then is not None and then[1] != header
    found.module_level |= any(name not in after.functions for name in before.functions)
    return found


def other_settings(old: Mapping[str, str | None], new: Mapping[str, str | None]) -> bool:
    """Whether pytest is set up in another way; both map names of files to their texts."""
    return _settings(old) != _settings(new)


def _settings(files: Mapping[str, str | None]) -> list[object]:
    found: list[object] = []
    for name, text in sorted(files.items()):
        if not text:
            continue
        if name.endswith(".toml"):
            try:
                tools = tomllib.loads(text).get("tool", {})
            except tomllib.TOMLDecodeError:
                tools = {}
            found.append(tools.get("pytest") or None)
        else:
            parser = configparser.RawConfigParser(strict=False)
            try:
                parser.read_string(text)
            except configparser.Error:
                continue
            found += [parser.items(one) for one in ("pytest", "tool:pytest") if one in parser]
    return [one for one in found if one]


def tests_running(
    changes: Mapping[str, Changed], contexts: Mapping[str, Mapping[int, set[str]]]
) -> set[str]:
    """Tests in whose context a line of a changed function ran."""
    found: set[str] = set()
    for path, changed in changes.items():
        lines = contexts.get(path, {})
        for body in changed.functions.values():
            for line in body:
                found |= lines.get(line, set())
    return found - {""}


def ran_at_import(
    changes: Mapping[str, Changed], contexts: Mapping[str, Mapping[int, set[str]]]
) -> list[str]:
    """Files of which changed code ran, or something is gone, while no test was running.

    It may concern any test that imports the file: contexts do not tell.
    """
    return sorted(
        path
        for path, changed in changes.items()
        if path in contexts
        and (
            changed.module_level
            or any(
                "" in contexts[path].get(line, ())
                for body in changed.functions.values()
                for line in body
            )
        )
    )


def _read(source: str | None) -> _File:
    found = _File()
    if source is not None:
        _scope(ast.parse(source).body, "", found)
    return found


def _scope(body: list[ast.stmt], prefix: str, found: _File) -> None:
    for node in body:
        if isinstance(node, _FUNCTIONS):
            _function(node, prefix, found)
        elif isinstance(node, ast.ClassDef):
            header = [*node.decorator_list, *node.bases, *node.keywords]
            found.rest.append(f"class {prefix}{node.name} {[ast.dump(one) for one in header]}")
            _scope(node.body, f"{prefix}{node.name}.", found)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            found.rest.append(prefix + ast.dump(node))


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str, found: _File) -> None:
    name, number = f"{prefix}{node.name}", 1
    while name in found.functions:  # overloads, property setters
        number += 1
        name = f"{prefix}{node.name}#{number}"
    body = [
        one
        for one in node.body
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    header = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    names = [one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)]
    lines = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
    text = str([ast.dump(one) for one in header]) + str(names)
    found.functions[name] = (str([ast.dump(one) for one in body]), text, lines)
