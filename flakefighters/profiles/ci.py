"""Which CI service runs us, and what it says of the run.

One table (:mod:`flakefighters.profiles.ci_table`), one function: :func:`detect`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flakefighters.profiles import ci_details as details
from flakefighters.profiles.ci_details import Variables
from flakefighters.profiles.ci_table import RUNNERS, VENDORS
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.profiles.ci_table import Vendor

__all__ = ["CiInfo", "detect", "runner"]


class CiInfo(NamedTuple):
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
    #: Variable to value of what else tells a job's cells apart.
    cell: Mapping[str, str] = MappingProxyType({})
    #: From 1.
    attempt: int | None = None
    #: Canonical host/owner/name of the repository; of the target on pull requests.
    repository: str | None = None
    is_fork_pr: bool | None = None
    #: True if the service says that the branch is protected; never on pull requests.
    protected: bool | None = None

    @property
    def what(self) -> str:
        """For people: the service, or the variable that shows that it is one."""
        return self.vendor if self.vendor != "unknown" else f"variable {self.evidence}"

    def key(self) -> dict[str, str]:
        """What must be equal to compare two runs: the same job, in the same cell of its matrix."""
        known = {
            "vendor": self.vendor,
            "workflow": self.workflow,
            "job": self.job,
            "shard": self.shard,
            **self.cell,
        }
        return {name: value for name, value in known.items() if value}


_COMMIT: Final = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_LIMIT: Final = 500


def detect(environ: Mapping[str, str]) -> CiInfo | None:
    """Return what is known of the CI run, None outside CI or if ``CI`` says no."""
    variables = Variables(environ)
    if "CI" in environ and not variables.true("CI"):
        return None
    vendor = next((v for v in VENDORS if all(map(variables.sign, v.signs))), None)
    if vendor is None:
        return None
    facts = {fact: variables.first(names) for fact, names in vendor.facts.items()}
    facts["run_url"] = facts.get("run_url") or variables.filled(vendor.url)
    if _number(facts.get("pr")) and vendor.target_branch:
        facts["base_branch"] = variables.get(vendor.target_branch)
    if vendor.sides is not None:
        source, target = map(variables.get, vendor.sides)
        facts["is_fork_pr"] = str(source.lower() != target.lower()) if source and target else None
    if vendor.refine is not None:
        vendor.refine(variables, facts)
    return _finish(vendor, facts, variables)


def runner(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a program like tox runs the tests, in CI or not."""
    variables = Variables(environ)
    return {name: value for name, given in RUNNERS.items() if (value := _fit(variables.get(given)))}


def _finish(vendor: Vendor, facts: dict[str, str | None], variables: Variables) -> CiInfo:
    """Check and normalise what was found; nothing of it is trusted."""

    def get(fact: str) -> str | None:
        return _fit(facts.get(fact))

    pr = get("pr")
    pr = pr if pr and pr.isascii() and pr.isdigit() and int(pr) > 0 else None
    commit = _commit(get("commit"))
    attempt = _attempt(get("attempt"), get("retries"))
    repository = details.repository(get("repository"))
    fork = _is_fork(get("is_fork_pr"), get("source_repository"), repository)
    branch = details.branch(get("branch")) if pr or get("tag") is None else None
    base = details.branch(get("base_branch"))
    return CiInfo(
        vendor=vendor.name,
        evidence=vendor.signs[0].partition("=")[0],
        commit=commit,
        head_commit=_commit(get("head_commit")) or commit,
        branch=branch,
        # Some services repeat the branch here when there is no pull request.
        base_branch=base if pr or base != branch else None,
        pr=pr,
        run_url=details.plain_url(get("run_url")),
        build=get("build"),
        workflow=get("workflow"),
        job=get("job"),
        shard=_shard(get("shard_index"), get("shard_total"), variables),
        cell={name: value for name in vendor.cell.split() if (value := _fit(variables.get(name)))},
        attempt=attempt,
        repository=repository,
        is_fork_pr=fork if pr else None,
        protected=False if pr else details.boolean(get("protected")),
    )


def _fit(text: str | None) -> str | None:
    return text if text and len(text) <= _LIMIT and text.isprintable() else None


def _attempt(attempt: str | None, retries: str | None) -> int | None:
    """From 1; some services count the retries instead."""
    number, again = _number(attempt), _number(retries)
    return again + 1 if number is None and again is not None else number


def _is_fork(said: str | None, source: str | None, repository: str | None) -> bool | None:
    fork, origin = details.boolean(said), details.repository(source)
    if fork is None and repository and origin:
        return origin != repository
    return fork


def _commit(text: str | None) -> str | None:
    return text if text and re.fullmatch(_COMMIT, text) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _shard(index: str | None, total: str | None, variables: Variables) -> str | None:
    """The part of a split suite, by the service's variables, else by those of common splitters."""
    if index is None:
        index = variables.first("CI_NODE_INDEX SHARD_INDEX SHARD")
        total = variables.first("CI_NODE_TOTAL SHARD_TOTAL SHARD_COUNT")
    if _number(index) is None or total == "1":
        return None
    return index if _number(total) is None else f"{index}/{total}"
