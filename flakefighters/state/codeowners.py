"""Who owns a file, by the project's CODEOWNERS, as GitHub reads it.

The places and the patterns are GitHub's: like those of ``.gitignore``, without ``!``, ``[ ]`` and
escapes; the last line that matches counts, and one without owners takes them away.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

__all__ = ["owners", "owners_in"]

#: The first of these files counts; the last place is GitLab's.
PLACES: Final = (
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
)
#: GitHub reads no larger file.
_MOST_BYTES: Final = 3_000_000
_SECTION: Final = re.compile(r"\^?\[")


def owners(base: Path, path: str) -> str:
    """The owners of a file, with blanks between them; empty if there are none.

    ``path`` is relative to ``base``, the repository's top level.
    """
    for place in PLACES:
        file = base / place
        try:
            if file.is_file() and file.stat().st_size <= _MOST_BYTES:
                return owners_in(file.read_text("utf-8", "replace"), path)
        except OSError:
            continue
    return ""


def owners_in(text: str, path: str) -> str:
    """The same by the text of a CODEOWNERS file."""
    found = ""
    for line in text.splitlines():
        pattern, *names = line.partition("#")[0].split() or [""]
        # A section of GitLab's, and what GitHub does not understand, is no pattern.
        known = pattern and not pattern.startswith("!") and not _SECTION.match(pattern)
        if known and _expression(pattern).fullmatch(path):
            found = " ".join(names)
    return found


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern as an expression for whole paths."""
    anchored = "/" in pattern.rstrip("/")
    folder = pattern.endswith("/")
    parts = pattern.strip("/").split("/")
    last = len(parts) - 1
    out = "" if anchored else "(?:.*/)?"
    for at, part in enumerate(parts):
        if part == "**":
            out += ".*" if at == last else "(?:[^/]+/)*"
            continue
        out += "".join({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in part)
        out += "" if at == last else "/"
    if folder:
        out += "/.*"
    elif anchored and parts[last] == "*":
        pass  # docs/* are the files in the folder, not those further down
    elif parts[last] != "**":
        out += "(?:/.*)?"
    return re.compile(out)
