"""Workflows for CI services that `flakefighters init` writes; docs/ci.md shows the same."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from flakefighters import __version__

__all__ = ["SERVICES", "Service", "requirement", "workflow"]

_URL: Final = "FLAKEFIGHTERS_PROFILES__CI__URL"
#: How the recipes install flakefighters.
_PLACEHOLDER: Final = "flakefighters @ git+https://git.example.org/flakefighters@v0.1.0"


@dataclass(frozen=True, slots=True)
class Service:
    """What one CI service needs."""

    name: str
    #: Where its workflow lies, from git's top level.
    path: str
    #: Where its secrets are set.
    settings: str
    #: The name of the one secret, the whole URL.
    secret: str
    #: What a job that is there already needs.
    lines: tuple[str, ...]


SERVICES: Final = {
    "github": Service(
        "GitHub",
        ".github/workflows/tests.yml",
        "Settings > Secrets and variables > Actions",
        "FLAKES_URL",
        ("env:", f"  {_URL}: ${{{{ secrets.FLAKES_URL }}}}"),
    ),
    "gitlab": Service(
        "GitLab",
        ".gitlab-ci.yml",
        "Settings > CI/CD > Variables (masked and hidden)",
        _URL,
        (),
    ),
}


def workflow(service: str, *, shared: bool) -> str:
    """The text of a workflow: with a shared history, or with one that the service caches."""
    name = service if shared else f"{service}-cache"
    path = Path(__file__).with_name("recipes") / f"{name}.yml"
    return path.read_text(encoding="utf-8").replace(_PLACEHOLDER, requirement() or _PLACEHOLDER)


def requirement() -> str | None:
    """How pip installs this very flakefighters elsewhere; None if only this machine has it."""
    with suppress(metadata.PackageNotFoundError, ValueError, KeyError):
        found = metadata.distribution("flakefighters").read_text("direct_url.json")
        if found is None:  # it came from an index
            return f"flakefighters=={__version__}"
        origin = json.loads(found)
        url, how = str(origin["url"]), origin.get("vcs_info")
        if how is not None and "@" not in url and '"' not in url:
            return f"flakefighters @ {how['vcs']}+{url}@{how['commit_id']}"
    return None
