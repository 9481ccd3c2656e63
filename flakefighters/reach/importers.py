"""Who asked for a module before there was one: a new file may change what they do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from flakefighters.reach.module_escapes import module_parts

__all__ = ["seekers"]

_WALKING: Final = re.compile(rb"\b(?:iter_modules|walk_packages)\b")
_ASKING: Final = re.compile(
    rb"\b(?:__import__|find_loader|find_module|find_spec|import_module|import_string|importorskip"
    rb"|load_module|resolve_name)\b"
)


def seekers(path: str, texts: Mapping[str, bytes]) -> frozenset[str]:
    """The files that import the module of ``path``, or may look whether there is one.

    ``texts`` are all files as they were before.  By ``import tax`` an older file may have had
    another module of that name, or have gone on without it.
    """
    parts = module_parts(path)
    if not parts:
        return frozenset(texts)
    name = re.escape(parts[-1].encode("utf-8", "surrogateescape"))
    importing = re.compile(
        rb"^[ \t]*(?:from|import)\b[^\n#]*\b" + name + rb"\b"
        # A line of its own in brackets.
        rb"|^[ \t]+" + name + rb"[ \t]*(?:as[ \t]+\w+[ \t]*)?,?[ \t]*(?:#[^\n]*)?$",
        re.MULTILINE,
    )
    naming = re.compile(rb"[\"'](?:[\w.]*\.)?" + name + rb"[\"']")
    package = path.removesuffix("__init__.py") if path.endswith("__init__.py") else None
    return frozenset(
        other
        for other, text in texts.items()
        if (package is not None and other.startswith(package))  # it has another name now
        or _WALKING.search(text)
        or importing.search(text)
        or (_ASKING.search(text) and naming.search(text))
    )
