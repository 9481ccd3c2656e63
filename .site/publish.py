"""Put a site that was built beside those of earlier versions.

    python .site/publish.py build/site FOLDER VERSION

FOLDER is what the web shows: a folder for each version that was released, ``main`` for what was
not, and ``stable``, a copy of the newest release.  VERSION is a release such as 0.2.0, or ``main``.
What was published once stays as it is, so that links to a released version go on working.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from packaging.version import InvalidVersion, Version

UNRELEASED = "main"
STABLE = "stable"


def releases(folder: Path) -> list[str]:
    """The releases that are there, newest first."""
    found = []
    for one in folder.iterdir():
        try:
            found.append(Version(one.name))
        except InvalidVersion:
            continue
    return [str(one) for one in sorted(found, reverse=True)]


def replaced(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def publish(built: Path, folder: Path, version: str) -> None:
    """Add the version, and say in ``versions.json`` and ``index.html`` which there are."""
    if version != UNRELEASED:
        version = str(Version(version))
    folder.mkdir(parents=True, exist_ok=True)
    replaced(built, folder / version)
    known = releases(folder)
    newest = next((one for one in known if not Version(one).is_prerelease), None)
    if newest is not None and newest == version:
        replaced(built, folder / STABLE)
    unreleased = [UNRELEASED] if (folder / UNRELEASED).is_dir() else []
    told = {"newest": newest, "versions": [*known, *unreleased]}
    (folder / "versions.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    front = STABLE if newest is not None else version
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>flakefighters</title>\n'
        f'<meta http-equiv="refresh" content="0; url={front}/">\n'
        f'<a href="{front}/">flakefighters</a>\n',
        "utf-8",
    )
    # GitHub leaves out folders whose names begin with "_" unless this file is there.
    (folder / ".nojekyll").touch()


if __name__ == "__main__":
    publish(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
