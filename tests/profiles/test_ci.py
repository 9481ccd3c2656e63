from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from flakefighters.profiles.ci import CiInfo, detect
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

FACTS = [field.name for field in dataclasses.fields(CiInfo)]


@pytest.mark.parametrize(
    ("environ", "vendor", "facts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_every_fact_of_every_service(
    environ: dict[str, str], vendor: str, facts: dict[str, Any]
) -> None:
    info = detect(environ, lambda path: None)
    assert info is not None
    assert info.vendor == vendor
    found = {name: getattr(info, name) for name in FACTS[2:]}
    assert found == {name: facts.get(name) for name in FACTS[2:]}


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
    info = detect(GITHUB_PR, lambda path: github_event())
    assert info is not None
    assert (info.commit, info.head_commit) == (SHA, HEAD)
    assert (info.pr, info.is_fork_pr) == ("17", True)
    same = detect(GITHUB_PR, lambda path: github_event(head="acme/SHOP"))
    assert same is not None
    assert same.is_fork_pr is False


def test_pull_request_target_has_its_number_from_the_event() -> None:
    environ = {
        **GITHUB_PR,
        "GITHUB_EVENT_NAME": "pull_request_target",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_PROTECTED": "true",
    }
    info = detect(environ, lambda path: github_event())
    assert info is not None
    assert (info.pr, info.is_fork_pr, info.protected) == ("17", True, False)


def test_deleted_fork() -> None:
    raw = github_event().replace(b'"repo": {"full_name": "mallory/shop"}', b'"repo": null')
    info = detect(GITHUB_PR, lambda path: raw)
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
    assert detect(GITHUB_PR, lambda path: raw) == detect(GITHUB_PR, lambda path: None)


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
        },
        lambda path: None,
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
