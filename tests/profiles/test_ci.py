from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from flakefighters.profiles import ci_details
from flakefighters.profiles.ci import CiInfo, detect, runner
from flakefighters.profiles.ci_details import plain_url, read_bounded, repository
from flakefighters.profiles.ci_table import VENDORS
from tests.profiles.ci_environments import (
    CASES,
    GITHUB_PR,
    GITHUB_PUSH,
    HEAD,
    JENKINS,
    SHA,
    github_event,
)

FACTS = list(CiInfo._fields)


def _detect(environ: Mapping[str, str], event: bytes | None) -> CiInfo | None:
    """What is detected where GitHub's event file holds this."""
    with mock.patch.object(ci_details, "read_bounded", return_value=event):
        return detect(environ)


@pytest.mark.parametrize(
    ("environ", "vendor", "facts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_every_fact_of_every_service(
    environ: dict[str, str], vendor: str, facts: dict[str, Any]
) -> None:
    info = _detect(environ, None)
    assert info is not None
    assert info.vendor == vendor
    found = {name: getattr(info, name) for name in FACTS[2:]}
    usual = dict.fromkeys(FACTS[2:]) | {"cell": {}}
    assert found == usual | facts


def test_every_service_of_the_table_has_a_case() -> None:
    assert {vendor.name for vendor in VENDORS} == {case[2] for case in CASES}


@pytest.mark.parametrize("no", ["false", "False", "0", "", "no", " "])
@pytest.mark.parametrize("environ", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_ci_set_to_no_opts_out(environ: dict[str, str], no: str) -> None:
    assert detect({**environ, "CI": no}) is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HOME": "/home/me", "PATH": "/bin"},
        {"GITHUB_ACTIONS": "false"},
        {"GITLAB_CI": ""},
        {"BUILD_NUMBER": "0"},
        {"JENKINS_URL": "https://jenkins.acme.example/"},
        {"JENKINS_HOME": "/var/jenkins_home", "BUILD_ID": "3"},
        {"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "acme/shop"},
    ],
)
def test_no_ci(environ: dict[str, str]) -> None:
    assert detect(environ) is None


def test_event_file_tells_head_number_and_fork() -> None:
    info = _detect(GITHUB_PR, github_event())
    assert info is not None
    assert (info.commit, info.head_commit) == (SHA, HEAD)
    assert (info.pr, info.is_fork_pr) == ("17", True)
    same = _detect(GITHUB_PR, github_event(head="acme/SHOP"))
    assert same is not None
    assert same.is_fork_pr is False


def test_pull_request_target_has_its_number_from_the_event() -> None:
    environ = {
        **GITHUB_PR,
        "GITHUB_EVENT_NAME": "pull_request_target",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_PROTECTED": "true",
    }
    info = _detect(environ, github_event())
    assert info is not None
    assert (info.pr, info.is_fork_pr, info.protected) == ("17", True, False)


def test_deleted_fork() -> None:
    raw = github_event().replace(b'"repo": {"full_name": "mallory/shop"}', b'"repo": null')
    info = _detect(GITHUB_PR, raw)
    assert info is not None
    assert info.is_fork_pr is True


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"pull_request": []}',
        b'{"pull_request": {"number": "1; rm", "head": {"sha": 3}}}',
        b'{"pull_request": {"head": {"sha": "--upload-pack=x"}}}',
        b"[" * 100_000,
        b"{" * 100_000,
        b'{"pull_request": ' * 50_000,
    ],
)
def test_hostile_event_files_change_nothing(raw: bytes) -> None:
    assert _detect(GITHUB_PR, raw) == _detect(GITHUB_PR, None)


def test_event_file_is_read_bounded(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(github_event())
    info = detect({**GITHUB_PR, "GITHUB_EVENT_PATH": str(event)})
    assert info is not None
    assert info.head_commit == HEAD
    os.truncate(event, 5_000_000)
    assert read_bounded(str(event)) is None
    assert read_bounded(str(tmp_path)) is None
    assert read_bounded("\0") is None
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # nobody writes: reading it would block for good
        assert read_bounded(str(tmp_path / "pipe")) is None


def test_values_that_no_service_would_set_are_dropped() -> None:
    info = detect(
        {
            **GITHUB_PUSH,
            "GITHUB_SHA": "HEAD --output=x",
            "GITHUB_RUN_ATTEMPT": "-1",
            "GITHUB_JOB": "a\nb",
            "GITHUB_REF_NAME": "x" * 600,
        }
    )
    assert info is not None
    assert (info.commit, info.attempt, info.job, info.branch) == (None, None, None, None)


def test_no_credentials_anywhere() -> None:
    info = detect(JENKINS)
    assert info is not None
    assert "t0ken" not in repr(info)
    assert plain_url("https://a:b@h/p?token=1#x") == "https://h/p"
    assert plain_url("https://[broken") is None
    assert plain_url("javascript:alert(1)") is None


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("git@github.com:Acme/Shop.git", "github.com/acme/shop"),
        ("https://u:p@GitHub.com/Acme/Shop.git/", "github.com/acme/shop"),
        ("ssh://git@github.com:22/acme/shop", "github.com/acme/shop"),
        ("ssh://git@git.acme.example:2222/acme/shop", "git.acme.example:2222/acme/shop"),
        ("https://dev.azure.com/acme/_git/shop", "dev.azure.com/acme/_git/shop"),
        ("/srv/git/shop.git", None),
        ("C:/git/shop", None),
        ("", None),
        ("https://", None),
    ],
)
def test_repository(address: str, canonical: str | None) -> None:
    assert repository(address) == canonical


def test_shards_of_splitters() -> None:
    found = detect({"CI": "true", "CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "5"})
    assert found is not None
    assert found.shard == "0/5"
    alone = detect({"CI": "true", "CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "1"})
    assert alone is not None
    assert alone.shard is None


# -- cells of a matrix -------------------------------------------------------------------------

BASES = {case[0]: case[1] for case in CASES}


@pytest.mark.parametrize(
    ("service", "one", "other"),
    [
        ("gitlab branch", {"CI_JOB_NAME": "test: [mysql]"}, {"CI_JOB_NAME": "test: [postgres]"}),
        ("gitlab branch", {"CI_NODE_INDEX": "1"}, {"CI_NODE_INDEX": "2"}),
        ("circleci", {"CIRCLE_NODE_INDEX": "0"}, {"CIRCLE_NODE_INDEX": "1"}),
        ("buildkite", {"BUILDKITE_LABEL": "mysql"}, {"BUILDKITE_LABEL": "postgres"}),
        ("buildkite", {"BUILDKITE_PARALLEL_JOB": "0"}, {"BUILDKITE_PARALLEL_JOB": "1"}),
        ("azure", {"AGENT_JOBNAME": "mysql"}, {"AGENT_JOBNAME": "postgres"}),
        ("azure", {"SYSTEM_JOBDISPLAYNAME": "mysql"}, {"SYSTEM_JOBDISPLAYNAME": "postgres"}),
        ("travis", {"TRAVIS_JOB_NUMBER": "66.1"}, {"TRAVIS_JOB_NUMBER": "66.2"}),
        ("appveyor", {"APPVEYOR_JOB_NUMBER": "1"}, {"APPVEYOR_JOB_NUMBER": "2"}),
        ("github push", {"ImageOS": "ubuntu22"}, {"ImageOS": "ubuntu24"}),
        ("jenkins", {"JOB_NAME": "shop/DB=mysql"}, {"JOB_NAME": "shop/DB=postgres"}),
        ("jenkins", {"STAGE_NAME": "mysql"}, {"STAGE_NAME": "postgres"}),
    ],
)
def test_what_tells_cells_apart_is_in_the_key(
    service: str, one: dict[str, str], other: dict[str, str]
) -> None:
    if service == "buildkite":
        one, other = ({**each, "BUILDKITE_STEP_KEY": "test"} for each in (one, other))
    [base] = [environ for name, environ in BASES.items() if name.split(",")[0] == service]
    found = [_detect({**base, **each}, None) for each in (one, other)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].key() != found[1].key()


@pytest.mark.parametrize(
    ("service", "build"),
    [
        ("travis", {"TRAVIS_JOB_NUMBER": "67.1", "TRAVIS_BUILD_ID": "67"}),
        ("appveyor", {"APPVEYOR_JOB_ID": "j9", "APPVEYOR_BUILD_ID": "3002"}),
        ("bitbucket", {"BITBUCKET_STEP_UUID": "{78}", "BITBUCKET_PIPELINE_UUID": "{9d2}"}),
        ("jenkins", {"BUILD_ID": "13", "BUILD_TAG": "jenkins-shop-main-13"}),
    ],
)
def test_the_key_is_the_same_in_the_next_build(service: str, build: dict[str, str]) -> None:
    [base] = [environ for name, environ in BASES.items() if name.split(",")[0] == service]
    now, then = (_detect(each, None) for each in (base, {**base, **build}))
    assert now is not None
    assert then is not None
    assert now.key() == then.key()
    assert now.build != then.build


@pytest.mark.parametrize(
    ("name", "branch", "job"),
    [
        ("shop", None, "shop"),
        ("tools/shop", None, "tools/shop"),
        ("shop/main", "main", "shop"),
        ("main/main", "main", "main"),
        ("acme/tools/shop/main", "main", "acme/tools/shop"),
        ("shop/feature%2Ftax", "feature/tax", "shop"),
        ("shop/feature/tax", "feature/tax", "shop"),
        ("shop/fix%20it", "fix it", "shop"),
        ("shop/PR-7", "PR-7", "shop"),
        ("shop/PR-7", None, "shop"),
        ("shop/PR-7-merge", "PR-7-merge", "shop"),
        ("shop/MR-12-head", "MR-12", "shop"),
        ("shop/v1.0", "v1.0", "shop"),
        ("shop/main/DB=mysql,label=x", "main", "shop/DB=mysql,label=x"),
        ("shop/nightly", "main", "shop/nightly"),
    ],
)
def test_the_branch_is_no_part_of_a_jenkins_job(name: str, branch: str | None, job: str) -> None:
    environ = {**JENKINS, "JOB_NAME": name, **({"BRANCH_NAME": branch} if branch else {})}
    info = detect(environ)
    assert info is not None
    assert info.job == job


def test_environments_of_tox_and_others() -> None:
    assert runner({}) == {}
    assert runner({"TOX_ENV_NAME": "py311-mysql"}) == {"tox": "py311-mysql"}
    assert runner({"NOX_CURRENT_SESSION": "tests(db='x')"}) == {"nox": "tests(db='x')"}
    assert runner({"HATCH_ENV_ACTIVE": "test.py3.12"}) == {"hatch": "test.py3.12"}
