"""Which CI service runs us, and what it says of the run: one table, one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["CiInfo", "detect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CiInfo:
    """What a CI service says of a run.  Everything but the vendor may be unknown (None)."""

    #: The service's name, "unknown" if only a variable like ``CI`` says so.
    vendor: str
    #: The variable that gave it away.
    evidence: str
    #: The commit that is checked out: on pull requests often a merge with the target.
    commit: str | None = None
    #: The commit that the author made.
    head_commit: str | None = None
    branch: str | None = None
    base_branch: str | None = None
    pr: str | None = None
    #: Without credentials.
    run_url: str | None = None
    #: The pipeline: equal for all its jobs, shards and matrix cells.
    build: str | None = None
    workflow: str | None = None
    job: str | None = None
    #: "index/total" as the service counts.
    shard: str | None = None
    #: From 1.
    attempt: int | None = None
    #: Canonical host/owner/name of the repository; of the target on pull requests.
    repository: str | None = None
    is_fork_pr: bool | None = None
    #: True if the service says that the branch is protected; never on pull requests.
    protected: bool | None = None


def detect(
    environ: Mapping[str, str], read_file: Callable[[str], bytes | None] | None = None
) -> CiInfo | None:
    """Return what is known of the CI run, None outside CI or if ``CI`` is set to false."""
    raise NotImplementedError
