"""Whether a tag may become a release, and what the release says of itself.

    python .ci/release.py v0.1.0 [ADDRESS]

The tag, the version in pyproject.toml, the one in the package and a dated section of CHANGELOG.md
must agree, and nothing may be left under "Unreleased".  Prints that section; links to files of the
repository lead below ADDRESS if it is given.  Exit code 1, with a line for each reason, if not.
"""

from __future__ import annotations

import datetime
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

UNRELEASED = "Unreleased"

_HEADING = re.compile(r"^## (.*)\n", re.MULTILINE)
_RELEASED = re.compile(r"(\S+) - (\d{4}-\d{2}-\d{2})")
_RELATIVE = re.compile(r"(?<=\]\()(?![a-z]+:|#)(?=[^()\s]+\))")


@dataclass(frozen=True)
class Section:
    """What follows a heading of the second rank, such as ``0.1.0 - 2026-01-31``."""

    title: str
    text: str

    @property
    def version(self) -> str:
        return self.title.partition(" ")[0]

    @property
    def date(self) -> datetime.date | None:
        """When it was released; None if it has not been."""
        match = _RELEASED.fullmatch(self.title)
        return datetime.date.fromisoformat(match[2]) if match else None


def sections(changelog: str) -> list[Section]:
    """The sections of a changelog in their order."""
    parts = _HEADING.split(changelog)[1:]
    return [
        Section(title.strip(), text.strip())
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def reasons_against(tag: str, root: Path = ROOT) -> Iterator[str]:
    """Why a tag cannot be released from this checkout; nothing if it can."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    package = (root / "flakefighters" / "__init__.py").read_text("utf-8")
    own = re.search(r'^__version__ = "(.*)"$', package, re.MULTILINE)
    versions = {
        "pyproject.toml": project["version"],
        "flakefighters/__init__.py": own[1] if own else "none",
    }
    for file, version in versions.items():
        if tag != f"v{version}":
            yield f"the tag is {tag}, and {file} has version {version}"
    known = {one.version: one for one in sections((root / "CHANGELOG.md").read_text("utf-8"))}
    section = known.get(tag.removeprefix("v"))
    if section is None:
        yield f"CHANGELOG.md has no section {tag.removeprefix('v')}"
    elif section.date is None:
        yield f"the section '{section.title}' of CHANGELOG.md must end in ' - YYYY-MM-DD'"
    elif not section.text:
        yield f"the section '{section.title}' of CHANGELOG.md is empty"
    if UNRELEASED in known and known[UNRELEASED].text:
        yield f"CHANGELOG.md has lines under {UNRELEASED}: move them into the version's section"


def notes(tag: str, address: str, root: Path = ROOT) -> str:
    """The section of a tag, with links that work elsewhere."""
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    [text] = [one.text for one in sections(changelog) if f"v{one.version}" == tag]
    return _RELATIVE.sub(f"{address.rstrip('/')}/", text) if address else text


def main(tag: str, address: str = "") -> int:
    reasons = list(reasons_against(tag))
    for reason in reasons:
        print(f"{tag} cannot be released: {reason}", file=sys.stderr)
    if not reasons:
        print(notes(tag, address))
    return bool(reasons)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
