"""What variables alone do not say of a CI run, service by service, and how to clean it."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "Variables",
    "appveyor",
    "azure",
    "boolean",
    "branch",
    "circleci",
    "codebuild",
    "github",
    "jenkins",
    "plain_url",
    "read_bounded",
    "repository",
    "travis",
]

Facts = dict[str, str | None]

_NO: Final = frozenset({"", "0", "false", "no", "off", "none", "null"})
_NAME: Final = r"\{(\w+)\}"
_MAX_EVENT: Final = 4_000_000
_SCP: Final = r"(?:[^@/]+@)?([^:/@]{2,}):(?!//)(.+)"
#: How Jenkins calls the jobs of pull and merge requests.
_PULL_REQUEST: Final = r"(?:PR|MR|CR)-\d+(?:-(?:head|merge))?"
_MERGE_QUEUE: Final = r"refs/heads/gh-readonly-queue/(.+)/pr-(\d+)-[0-9a-f]+"


class Variables:
    """A view of the environment in which empty means not set."""

    def __init__(self, environ: Mapping[str, str]):
        self._environ = environ

    def get(self, name: str) -> str | None:
        """The variable's text, None if it is absent or blank."""
        return (self._environ.get(name) or "").strip() or None

    def first(self, names: str) -> str | None:
        """The first of several variables that is set."""
        return next((value for name in names.split() if (value := self.get(name))), None)

    def filled(self, template: str) -> str | None:
        """A text with ``{NAMES}`` of variables filled in; None unless all of them are set."""
        names = re.findall(_NAME, template)
        values = {name: self.get(name) for name in names}
        return template.format(**values) if all(values.values()) else None

    def true(self, name: str) -> bool:
        """Is the variable set, and not to a word for no?"""
        return (self.get(name) or "").lower() not in _NO

    def sign(self, sign: str) -> bool:
        """Does a sign of a service ("NAME" or "NAME=value") show?"""
        name, equals, value = sign.partition("=")
        return (self.get(name) or "").lower() == value if equals else self.true(name)


def boolean(text: str | None) -> bool | None:
    """A service's word for yes or no; None if it said nothing."""
    return None if text is None else text.lower() not in _NO


def branch(text: str | None) -> str | None:
    """A branch's short name."""
    if text is None or text.startswith(("refs/tags/", "refs/pull/", "pull/")):
        return None
    return text.removeprefix("refs/heads/") or None


def plain_url(text: str | None) -> str | None:
    """A web address without credentials, parameters and fragment other than a build's number."""
    parts = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    query = f"?{parts.query}" if re.fullmatch(r"buildId=\d+", parts.query) else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"


def repository(text: str | None) -> str | None:
    """The canonical host/owner/name of a repository's address: lower case, no credentials."""
    if text is None:
        return None
    scp = None if "://" in text else re.fullmatch(_SCP, text)
    if scp is not None:
        host, path = scp[1], scp[2]
    else:
        parts = _split(text)
        if parts is None or not parts.netloc:
            return None
        host = parts.netloc.rpartition("@")[2]
        host = host.removesuffix(f":{_USUAL_PORTS.get(parts.scheme, '-')}")
        path = parts.path
    path = path.strip("/").removesuffix(".git").strip("/")
    whole = f"{host}/{path}".lower()
    return whole if host and path and whole.isprintable() and " " not in whole else None


_USUAL_PORTS: Final = {"https": "443", "http": "80", "ssh": "22"}


def _split(text: str | None) -> Any:
    from urllib.parse import urlsplit  # 5 ms that a laptop need not pay

    try:
        return urlsplit(text) if text else None
    except ValueError:
        return None


def read_bounded(path: str) -> bytes | None:
    """A regular file's bytes; None if it is anything else, unreadable or too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_EVENT:
            return None
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(_MAX_EVENT)
    except OSError:
        return None
    finally:
        os.close(descriptor)


# -- the services ----------------------------------------------------------------------------


def github(variables: Variables, facts: Facts) -> None:
    """GitHub Actions and its imitators: the commit is a merge on pull requests."""
    ref = variables.get("GITHUB_REF") or ""
    server = variables.get("GITHUB_SERVER_URL") or "https://github.com"
    name = variables.get("GITHUB_REPOSITORY")
    if name:
        facts["repository"] = f"{server}/{name}"
        if run := variables.get("GITHUB_RUN_ID"):
            facts["run_url"] = f"{server}/{name}/actions/runs/{run}"
    facts["branch"] = variables.first("GITHUB_HEAD_REF GITHUB_REF_NAME")
    if variables.get("GITHUB_REF_TYPE") == "tag":
        facts["tag"] = variables.get("GITHUB_REF_NAME")
    if pull := re.match(r"refs/pull/(\d+)/", ref):
        facts["pr"] = pull[1]
    if queued := re.fullmatch(_MERGE_QUEUE, ref):
        # Merges that wait for their turn, several pull requests at once: no single one's run.
        facts["base_branch"] = queued[1]
    event = variables.get("GITHUB_EVENT_NAME") or ""
    if event.startswith("pull_request"):
        _pull_request_event(variables.get("GITHUB_EVENT_PATH"), facts)


def _pull_request_event(path: str | None, facts: Facts) -> None:
    """Take head commit, number and fork from the event file, whatever it may hold."""
    raw = read_bounded(path) if path else None
    if raw is None:
        return
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        return
    number = _dig(event, "pull_request", "number")
    if isinstance(number, int):
        facts["pr"] = str(number)
    sha = _dig(event, "pull_request", "head", "sha")
    if isinstance(sha, str):
        facts["head_commit"] = sha
    head = _dig(event, "pull_request", "head", "repo", "full_name")
    base = _dig(event, "pull_request", "base", "repo", "full_name")
    if isinstance(base, str):
        # A fork that was deleted meanwhile has no name.
        facts["is_fork_pr"] = str(not isinstance(head, str) or head.lower() != base.lower())


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def circleci(variables: Variables, facts: Facts) -> None:
    """The pull request is a web address; a bare number is set for forks only."""
    if facts["pr"] and "/" in facts["pr"]:
        facts["pr"] = facts["pr"].rpartition("/")[2]
        facts["is_fork_pr"] = "false"
    if variables.get("CIRCLE_PR_NUMBER"):
        facts["is_fork_pr"] = "true"


def azure(variables: Variables, facts: Facts) -> None:
    """Put the address together; a merge ref is no branch."""
    collection = variables.first("SYSTEM_COLLECTIONURI SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
    project, build = variables.get("SYSTEM_TEAMPROJECT"), variables.get("BUILD_BUILDID")
    if collection and project and build:
        facts["run_url"] = f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"


def travis(variables: Variables, facts: Facts) -> None:
    """Jobs are numbered within their build."""
    facts["shard_index"] = (variables.get("TRAVIS_JOB_NUMBER") or "").partition(".")[2]


def appveyor(variables: Variables, facts: Facts) -> None:
    """The repository is a name and a provider."""
    name = variables.get("APPVEYOR_REPO_NAME")
    provider = (variables.get("APPVEYOR_REPO_PROVIDER") or "").lower()
    hosts = {"github": "github.com", "bitbucket": "bitbucket.org", "gitlab": "gitlab.com"}
    if name and provider in hosts:
        facts["repository"] = f"https://{hosts[provider]}/{name}"


def codebuild(variables: Variables, facts: Facts) -> None:
    """What triggered the build is spelt pr/12, branch/x or tag/v1."""
    kind, _, value = (variables.get("CODEBUILD_WEBHOOK_TRIGGER") or "").partition("/")
    if kind == "pr":
        facts["pr"] = value
    elif kind == "tag":
        facts["tag"] = value
    elif kind == "branch":
        facts["branch"] = value
    if re.fullmatch(r"pr/\d+|[0-9a-f]{40}|arn:.*", facts["branch"] or ""):
        facts["branch"] = None


def jenkins(variables: Variables, facts: Facts) -> None:
    """Multibranch jobs say more than plain ones; the checkout's branch has its remote in front."""
    facts["job"] = _without_branch(facts["job"], variables.get("BRANCH_NAME"))
    name = facts["branch"]
    if name and name == variables.get("GIT_BRANCH"):
        facts["branch"] = name.removeprefix("origin/")
    if facts["pr"]:
        # The name of the fork, or nothing for the repository's own branches.
        facts["is_fork_pr"] = str(bool(variables.get("CHANGE_FORK")))
        address = variables.get("CHANGE_URL") or ""
        found = re.match(
            r"(https?://.+?)/(?:pull|pulls|-/merge_requests|pull-requests)/\d+", address
        )
        if found:
            facts["repository"] = found[1]


def _without_branch(job: str | None, branch: str | None) -> str | None:
    """The name of a multibranch job without the part that is the branch, tag or pull request.

    That part is escaped (shop/feature%2Ftax); it stands last, but for the axes of a matrix.
    """
    from urllib.parse import unquote  # 5 ms that a laptop need not pay

    if job is None:
        return None
    if branch is not None and "/" in branch and job.endswith(f"/{branch}"):
        return job.removesuffix(f"/{branch}")
    first, *rest = job.split("/")
    kept = [
        part for part in rest if unquote(part) != branch and not re.fullmatch(_PULL_REQUEST, part)
    ]
    return "/".join((first, *kept))
