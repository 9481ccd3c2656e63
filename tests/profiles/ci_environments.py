"""What CI services set, shortened to what matters and to what could mislead."""

from __future__ import annotations

import json
from typing import Any

SHA = "0123456789abcdef0123456789abcdef01234567"
HEAD = "89abcdef0123456789abcdef0123456789abcdef"

GITHUB_PUSH = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_BASE_REF": "",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_EVENT_PATH": "/home/runner/work/_temp/_github_workflow/event.json",
    "GITHUB_HEAD_REF": "",
    "GITHUB_JOB": "test",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_PROTECTED": "true",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": "Acme/Shop",
    "GITHUB_REPOSITORY_OWNER": "Acme",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_RUN_NUMBER": "3",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": SHA,
    "GITHUB_WORKFLOW": "CI",
    "GITHUB_WORKSPACE": "/home/runner/work/shop/shop",
    "RUNNER_OS": "Linux",
}
GITHUB_PR = {
    **GITHUB_PUSH,
    "GITHUB_BASE_REF": "main",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_HEAD_REF": "feature/tax",
    "GITHUB_REF": "refs/pull/17/merge",
    "GITHUB_REF_NAME": "17/merge",
    "GITHUB_REF_PROTECTED": "false",
}
GITHUB_TAG = {
    **GITHUB_PUSH,
    "GITHUB_REF": "refs/tags/v1.0",
    "GITHUB_REF_NAME": "v1.0",
    "GITHUB_REF_TYPE": "tag",
    "GITHUB_REF_PROTECTED": "false",
}
GITHUB_QUEUE = {
    **GITHUB_PUSH,
    "GITHUB_EVENT_NAME": "merge_group",
    "GITHUB_REF": f"refs/heads/gh-readonly-queue/main/pr-17-{HEAD}",
    "GITHUB_REF_NAME": f"gh-readonly-queue/main/pr-17-{HEAD}",
    "GITHUB_REF_PROTECTED": "false",
}
GITEA = {
    **GITHUB_PUSH,
    "GITEA_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://git.acme.example:3000",
    "GITHUB_RUN_ATTEMPT": "",
}
FORGEJO = {**GITEA, "FORGEJO_ACTIONS": "true", "GITHUB_SERVER_URL": "https://codeberg.org"}
GITLAB_BRANCH = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_REF_PROTECTED": "true",
    "CI_COMMIT_SHA": SHA,
    "CI_JOB_ID": "991",
    "CI_JOB_NAME": "test 2/4",
    "CI_JOB_URL": "https://gitlab.com/acme/shop/-/jobs/991",
    "CI_NODE_INDEX": "2",
    "CI_NODE_TOTAL": "4",
    "CI_PIPELINE_ID": "4711",
    "CI_PROJECT_PATH": "acme/shop",
    "CI_PROJECT_URL": "https://gitlab.com/acme/shop",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:glcbt-s3cret@gitlab.com/acme/shop.git",
    "CI_SERVER_HOST": "gitlab.com",
}
GITLAB_FORK_MR = {
    **GITLAB_BRANCH,
    "CI_COMMIT_BRANCH": "",
    "CI_COMMIT_REF_NAME": "tax",
    "CI_COMMIT_REF_PROTECTED": "false",
    "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
    "CI_MERGE_REQUEST_IID": "5",
    "CI_MERGE_REQUEST_PROJECT_ID": "1",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.com/acme/shop",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "tax",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_NODE_INDEX": "",
    "CI_NODE_TOTAL": "1",
    "CI_PROJECT_PATH": "mallory/shop",
    "CI_PROJECT_URL": "https://gitlab.com/mallory/shop",
}
CIRCLE = {
    "CI": "true",
    "CIRCLECI": "true",
    "CIRCLE_BRANCH": "tax",
    "CIRCLE_BUILD_NUM": "88",
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/shop/88",
    "CIRCLE_JOB": "test",
    "CIRCLE_NODE_INDEX": "0",
    "CIRCLE_NODE_TOTAL": "3",
    "CIRCLE_PROJECT_REPONAME": "shop",
    "CIRCLE_PROJECT_USERNAME": "acme",
    "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/17",
    "CIRCLE_REPOSITORY_URL": "git@github.com:acme/shop.git",
    "CIRCLE_SHA1": SHA,
    "CIRCLE_WORKFLOW_ID": "a1b2",
}
CIRCLE_FORK = {
    **CIRCLE,
    "CIRCLE_BRANCH": "pull/18",
    "CIRCLE_NODE_TOTAL": "1",
    "CIRCLE_PR_NUMBER": "18",
    "CIRCLE_PR_USERNAME": "mallory",
    "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/18",
}
BUILDKITE = {
    "CI": "true",
    "BUILDKITE": "true",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_BUILD_ID": "0187-aa",
    "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/shop/builds/7",
    "BUILDKITE_COMMIT": SHA,
    "BUILDKITE_LABEL": ":pytest: tests",
    "BUILDKITE_PARALLEL_JOB": "1",
    "BUILDKITE_PARALLEL_JOB_COUNT": "2",
    "BUILDKITE_PIPELINE_SLUG": "shop",
    "BUILDKITE_PULL_REQUEST": "false",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "",
    "BUILDKITE_PULL_REQUEST_REPO": "",
    "BUILDKITE_REPO": "git@github.com:acme/shop.git",
    "BUILDKITE_RETRY_COUNT": "1",
    "BUILDKITE_TAG": "",
}
BUILDKITE_FORK = {
    **BUILDKITE,
    "BUILDKITE_BRANCH": "mallory:tax",
    "BUILDKITE_COMMIT": "HEAD",
    "BUILDKITE_PULL_REQUEST": "17",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
    "BUILDKITE_PULL_REQUEST_REPO": "https://github.com/mallory/shop.git",
}
JENKINS = {
    "BUILD_ID": "12",
    "BUILD_NUMBER": "12",
    "BUILD_TAG": "jenkins-shop-main-12",
    "BUILD_URL": "https://bob:t0ken@jenkins.acme.example/job/shop/12/",
    "GIT_BRANCH": "origin/main",
    "GIT_COMMIT": SHA,
    "GIT_URL": "https://bob:t0ken@github.com/acme/shop.git",
    "JENKINS_HOME": "/var/jenkins_home",
    "JENKINS_URL": "https://jenkins.acme.example/",
    "JOB_NAME": "shop",
}
JENKINS_FORK = {
    **JENKINS,
    "BRANCH_NAME": "PR-17",
    "CHANGE_BRANCH": "tax",
    "CHANGE_FORK": "mallory",
    "CHANGE_ID": "17",
    "CHANGE_TARGET": "main",
    "CHANGE_URL": "https://github.com/acme/shop/pull/17",
    "GIT_BRANCH": "PR-17",
    "JOB_NAME": "shop/PR-17",
}
AZURE = {
    "TF_BUILD": "True",
    "AGENT_JOBNAME": "Test py311",
    "BUILD_BUILDID": "505",
    "BUILD_DEFINITIONNAME": "shop-ci",
    "BUILD_REPOSITORY_URI": "https://github.com/acme/shop",
    "BUILD_SOURCEBRANCH": "refs/pull/17/merge",
    "BUILD_SOURCEVERSION": SHA,
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_JOBATTEMPT": "1",
    "SYSTEM_JOBPOSITIONINPHASE": "1",
    "SYSTEM_PULLREQUEST_ISFORK": "False",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "99123",
    "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "17",
    "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/feature/tax",
    "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
    "SYSTEM_TEAMPROJECT": "shop",
    "SYSTEM_TOTALJOBSINPHASE": "1",
}
BITBUCKET = {
    "CI": "true",
    "BITBUCKET_BRANCH": "tax",
    "BITBUCKET_BUILD_NUMBER": "33",
    "BITBUCKET_COMMIT": SHA[:12],
    "BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/acme/shop",
    "BITBUCKET_PIPELINE_UUID": "{9d1}",
    "BITBUCKET_PR_DESTINATION_BRANCH": "main",
    "BITBUCKET_PR_ID": "4",
    "BITBUCKET_STEP_UUID": "{77}",
}
TEAMCITY = {
    "BUILD_NUMBER": "8",
    "BUILD_URL": "https://tc.acme.example/build/8",
    "BUILD_VCS_NUMBER": SHA,
    "TEAMCITY_BUILDCONF_NAME": "Tests",
    "TEAMCITY_PROJECT_NAME": "Shop",
    "TEAMCITY_VERSION": "2025.07 (build 197242)",
}
TRAVIS = {
    "CI": "true",
    "TRAVIS": "true",
    "CONTINUOUS_INTEGRATION": "true",
    "TRAVIS_BRANCH": "main",
    "TRAVIS_BUILD_ID": "66",
    "TRAVIS_COMMIT": SHA,
    "TRAVIS_JOB_NUMBER": "66.1",
    "TRAVIS_JOB_WEB_URL": "https://app.travis-ci.com/acme/shop/jobs/661",
    "TRAVIS_PULL_REQUEST": "17",
    "TRAVIS_PULL_REQUEST_BRANCH": "tax",
    "TRAVIS_PULL_REQUEST_SHA": HEAD,
    "TRAVIS_PULL_REQUEST_SLUG": "mallory/shop",
    "TRAVIS_REPO_SLUG": "acme/shop",
    "TRAVIS_TAG": "",
}
APPVEYOR = {
    "CI": "True",
    "APPVEYOR": "True",
    "APPVEYOR_ACCOUNT_NAME": "acme",
    "APPVEYOR_BUILD_ID": "3001",
    "APPVEYOR_JOB_ID": "j8",
    "APPVEYOR_PROJECT_SLUG": "shop",
    "APPVEYOR_PULL_REQUEST_HEAD_COMMIT": HEAD,
    "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH": "tax",
    "APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME": "acme/shop",
    "APPVEYOR_PULL_REQUEST_NUMBER": "17",
    "APPVEYOR_REPO_BRANCH": "main",
    "APPVEYOR_REPO_COMMIT": SHA,
    "APPVEYOR_REPO_NAME": "acme/shop",
    "APPVEYOR_REPO_PROVIDER": "gitHub",
    "APPVEYOR_URL": "https://ci.appveyor.com",
}
CODEBUILD = {
    "CODEBUILD_BUILD_ARN": "arn:aws:codebuild:eu-west-1:1:build/shop:b1",
    "CODEBUILD_BUILD_ID": "shop:b1",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA,
    "CODEBUILD_SOURCE_REPO_URL": "https://github.com/acme/shop.git",
    "CODEBUILD_SOURCE_VERSION": "pr/17",
    "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main",
    "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/tax",
    "CODEBUILD_WEBHOOK_TRIGGER": "pr/17",
}
DRONE = {
    "CI": "true",
    "DRONE": "true",
    "DRONE_BUILD_LINK": "https://drone.acme.example/acme/shop/6",
    "DRONE_BUILD_NUMBER": "6",
    "DRONE_COMMIT_SHA": SHA,
    "DRONE_REPO_LINK": "https://github.com/acme/shop",
    "DRONE_SOURCE_BRANCH": "main",
    "DRONE_STAGE_NAME": "default",
    "DRONE_STEP_NAME": "test",
    "DRONE_TARGET_BRANCH": "main",
}
WOODPECKER = {
    "CI": "woodpecker",
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_PULL_REQUEST": "17",
    "CI_COMMIT_SHA": SHA,
    "CI_COMMIT_SOURCE_BRANCH": "tax",
    "CI_COMMIT_TARGET_BRANCH": "main",
    "CI_PIPELINE_NUMBER": "9",
    "CI_PIPELINE_URL": "https://ci.codeberg.org/repos/1/pipeline/9",
    "CI_REPO_URL": "https://codeberg.org/acme/shop",
    "CI_STEP_NAME": "test",
    "CI_WORKFLOW_NAME": "tests",
}
SEMAPHORE = {
    "CI": "true",
    "SEMAPHORE": "true",
    "SEMAPHORE_GIT_BRANCH": "main",
    "SEMAPHORE_GIT_PR_NUMBER": "17",
    "SEMAPHORE_GIT_PR_SHA": HEAD,
    "SEMAPHORE_GIT_PR_SLUG": "mallory/shop",
    "SEMAPHORE_GIT_REPO_SLUG": "acme/shop",
    "SEMAPHORE_GIT_SHA": SHA,
    "SEMAPHORE_GIT_URL": "git@github.com:acme/shop.git",
    "SEMAPHORE_GIT_WORKING_BRANCH": "tax",
    "SEMAPHORE_JOB_COUNT": "2",
    "SEMAPHORE_JOB_INDEX": "1",
    "SEMAPHORE_JOB_NAME": "tests - 1/2",
    "SEMAPHORE_ORGANIZATION_URL": "https://acme.semaphoreci.com",
    "SEMAPHORE_PROJECT_NAME": "shop",
    "SEMAPHORE_WORKFLOW_ID": "wf1",
}
CIRRUS = {
    "CI": "true",
    "CIRRUS_CI": "true",
    "CIRRUS_BASE_BRANCH": "main",
    "CIRRUS_BRANCH": "pull/17",
    "CIRRUS_BUILD_ID": "55",
    "CIRRUS_CHANGE_IN_REPO": SHA,
    "CIRRUS_PR": "17",
    "CIRRUS_REPO_CLONE_URL": "https://github.com/acme/shop.git",
    "CIRRUS_TASK_ID": "551",
    "CIRRUS_TASK_NAME": "test",
}
BITRISE = {
    "CI": "true",
    "BITRISE_IO": "true",
    "BITRISEIO_GIT_BRANCH_DEST": "main",
    "BITRISE_BUILD_SLUG": "slug1",
    "BITRISE_BUILD_URL": "https://app.bitrise.io/build/slug1",
    "BITRISE_GIT_BRANCH": "tax",
    "BITRISE_GIT_COMMIT": SHA,
    "BITRISE_PULL_REQUEST": "17",
    "BITRISE_TRIGGERED_WORKFLOW_ID": "test",
    "GIT_REPOSITORY_URL": "git@github.com:acme/shop.git",
}

REPO = "github.com/acme/shop"
_COMMON = {"commit": SHA, "head_commit": SHA, "repository": REPO}
_PR17 = {"pr": "17", "base_branch": "main", "protected": False}

#: Name, environment, vendor, and every fact that is known; all others must be None.
CASES: list[tuple[str, dict[str, str], str, dict[str, Any]]] = [
    (
        "github push",
        GITHUB_PUSH,
        "GitHub Actions",
        _COMMON
        | {
            "branch": "main",
            "run_url": "https://github.com/Acme/Shop/actions/runs/1658821493",
            "build": "1658821493",
            "workflow": "CI",
            "job": "test",
            "attempt": 2,
            "protected": True,
        },
    ),
    (
        "github pull request without its event file",
        GITHUB_PR,
        "GitHub Actions",
        _COMMON
        | _PR17
        | {
            "branch": "feature/tax",
            "run_url": "https://github.com/Acme/Shop/actions/runs/1658821493",
            "build": "1658821493",
            "workflow": "CI",
            "job": "test",
            "attempt": 2,
        },
    ),
    (
        "github tag",
        GITHUB_TAG,
        "GitHub Actions",
        _COMMON
        | {
            "run_url": "https://github.com/Acme/Shop/actions/runs/1658821493",
            "build": "1658821493",
            "workflow": "CI",
            "job": "test",
            "attempt": 2,
            "protected": False,
        },
    ),
    (
        "github merge queue",
        GITHUB_QUEUE,
        "GitHub Actions",
        _COMMON
        | {
            "branch": f"gh-readonly-queue/main/pr-17-{HEAD}",
            "base_branch": "main",
            "run_url": "https://github.com/Acme/Shop/actions/runs/1658821493",
            "build": "1658821493",
            "workflow": "CI",
            "job": "test",
            "attempt": 2,
            "protected": False,
        },
    ),
    (
        "gitea",
        GITEA,
        "Gitea Actions",
        _COMMON
        | {
            "branch": "main",
            "repository": "git.acme.example:3000/acme/shop",
            "run_url": "https://git.acme.example:3000/Acme/Shop/actions/runs/1658821493",
            "build": "1658821493",
            "workflow": "CI",
            "job": "test",
            "protected": True,
        },
    ),
    (
        "forgejo",
        FORGEJO,
        "Forgejo Actions",
        _COMMON
        | {
            "branch": "main",
            "repository": "codeberg.org/acme/shop",
            "run_url": "https://codeberg.org/Acme/Shop/actions/runs/1658821493",
            "build": "1658821493",
            "workflow": "CI",
            "job": "test",
            "protected": True,
        },
    ),
    (
        "gitlab branch",
        GITLAB_BRANCH,
        "GitLab CI",
        _COMMON
        | {
            "branch": "main",
            "repository": "gitlab.com/acme/shop",
            "run_url": "https://gitlab.com/acme/shop/-/jobs/991",
            "build": "4711",
            "job": "test 2/4",
            "shard": "2/4",
            "protected": True,
        },
    ),
    (
        "gitlab merge request from a fork",
        GITLAB_FORK_MR,
        "GitLab CI",
        {
            "commit": SHA,
            "head_commit": HEAD,
            "branch": "tax",
            "base_branch": "main",
            "pr": "5",
            "repository": "gitlab.com/acme/shop",
            "run_url": "https://gitlab.com/acme/shop/-/jobs/991",
            "build": "4711",
            "job": "test 2/4",
            "is_fork_pr": True,
            "protected": False,
        },
    ),
    (
        "circleci",
        CIRCLE,
        "CircleCI",
        _COMMON
        | {
            "branch": "tax",
            "pr": "17",
            "run_url": "https://circleci.com/gh/acme/shop/88",
            "build": "a1b2",
            "job": "test",
            "shard": "0/3",
            "is_fork_pr": False,
            "protected": False,
        },
    ),
    (
        "circleci from a fork",
        CIRCLE_FORK,
        "CircleCI",
        _COMMON
        | {
            "pr": "18",
            "run_url": "https://circleci.com/gh/acme/shop/88",
            "build": "a1b2",
            "job": "test",
            "is_fork_pr": True,
            "protected": False,
        },
    ),
    (
        "buildkite",
        BUILDKITE,
        "Buildkite",
        _COMMON
        | {
            "branch": "main",
            "run_url": "https://buildkite.com/acme/shop/builds/7",
            "build": "0187-aa",
            "workflow": "shop",
            "job": ":pytest: tests",
            "cell": {"BUILDKITE_LABEL": ":pytest: tests"},
            "shard": "1/2",
            "attempt": 2,
        },
    ),
    (
        "buildkite from a fork",
        BUILDKITE_FORK,
        "Buildkite",
        _PR17
        | {
            "branch": "mallory:tax",
            "repository": REPO,
            "run_url": "https://buildkite.com/acme/shop/builds/7",
            "build": "0187-aa",
            "workflow": "shop",
            "job": ":pytest: tests",
            "cell": {"BUILDKITE_LABEL": ":pytest: tests"},
            "shard": "1/2",
            "attempt": 2,
            "is_fork_pr": True,
        },
    ),
    (
        "jenkins",
        JENKINS,
        "Jenkins",
        _COMMON
        | {
            "branch": "main",
            "run_url": "https://jenkins.acme.example/job/shop/12/",
            "build": "jenkins-shop-main-12",
            "job": "shop",
        },
    ),
    (
        "jenkins multibranch from a fork",
        JENKINS_FORK,
        "Jenkins",
        _COMMON
        | _PR17
        | {
            "branch": "tax",
            "run_url": "https://jenkins.acme.example/job/shop/12/",
            "build": "jenkins-shop-main-12",
            "job": "shop",
            "is_fork_pr": True,
        },
    ),
    (
        "azure",
        AZURE,
        "Azure Pipelines",
        _COMMON
        | _PR17
        | {
            "head_commit": HEAD,
            "branch": "feature/tax",
            "run_url": "https://dev.azure.com/acme/shop/_build/results?buildId=505",
            "build": "505",
            "workflow": "shop-ci",
            "job": "Test py311",
            "cell": {"AGENT_JOBNAME": "Test py311"},
            "attempt": 1,
            "is_fork_pr": False,
        },
    ),
    (
        "bitbucket, whose pull request commits are short",
        BITBUCKET,
        "Bitbucket Pipelines",
        {
            "branch": "tax",
            "base_branch": "main",
            "pr": "4",
            "repository": "bitbucket.org/acme/shop",
            "run_url": "http://bitbucket.org/acme/shop/pipelines/results/33",
            "build": "{9d1}",
            "protected": False,
        },
    ),
    (
        "teamcity",
        TEAMCITY,
        "TeamCity",
        {
            "commit": SHA,
            "head_commit": SHA,
            "run_url": "https://tc.acme.example/build/8",
            "build": "8",
            "workflow": "Shop",
            "job": "Tests",
        },
    ),
    (
        "travis",
        TRAVIS,
        "Travis CI",
        _PR17
        | {
            "commit": SHA,
            "head_commit": HEAD,
            "branch": "tax",
            "run_url": "https://app.travis-ci.com/acme/shop/jobs/661",
            "build": "66",
            "shard": "1",
            "is_fork_pr": True,
        },
    ),
    (
        "appveyor",
        APPVEYOR,
        "AppVeyor",
        _COMMON
        | _PR17
        | {
            "head_commit": HEAD,
            "branch": "tax",
            "run_url": "https://ci.appveyor.com/project/acme/shop/builds/3001",
            "build": "3001",
            "workflow": "shop",
            "is_fork_pr": False,
        },
    ),
    (
        "codebuild",
        CODEBUILD,
        "AWS CodeBuild",
        _COMMON | _PR17 | {"branch": "tax", "build": "shop:b1"},
    ),
    (
        "drone, which repeats the branch",
        DRONE,
        "Drone",
        _COMMON
        | {
            "branch": "main",
            "run_url": "https://drone.acme.example/acme/shop/6",
            "build": "6",
            "workflow": "default",
            "job": "test",
        },
    ),
    (
        "woodpecker",
        WOODPECKER,
        "Woodpecker CI",
        _COMMON
        | _PR17
        | {
            "branch": "tax",
            "repository": "codeberg.org/acme/shop",
            "run_url": "https://ci.codeberg.org/repos/1/pipeline/9",
            "build": "9",
            "workflow": "tests",
            "job": "test",
        },
    ),
    (
        "semaphore",
        SEMAPHORE,
        "Semaphore",
        _COMMON
        | _PR17
        | {
            "head_commit": HEAD,
            "branch": "tax",
            "run_url": "https://acme.semaphoreci.com/workflows/wf1",
            "build": "wf1",
            "workflow": "shop",
            "job": "tests - 1/2",
            "shard": "1/2",
            "is_fork_pr": True,
        },
    ),
    (
        "cirrus",
        CIRRUS,
        "Cirrus CI",
        _COMMON
        | _PR17
        | {"run_url": "https://cirrus-ci.com/task/551", "build": "55", "job": "test"},
    ),
    (
        "bitrise",
        BITRISE,
        "Bitrise",
        _COMMON
        | _PR17
        | {
            "branch": "tax",
            "run_url": "https://app.bitrise.io/build/slug1",
            "build": "slug1",
            "job": "test",
        },
    ),
    ("anything", {"CI": "1"}, "unknown", {}),
    ("anything older", {"CONTINUOUS_INTEGRATION": "true"}, "unknown", {}),
    ("anything with builds", {"BUILD_NUMBER": "31"}, "unknown", {}),
]


def github_event(head: str = "mallory/shop", **pull_request: Any) -> bytes:
    """The event file of a pull request, as far as it is read."""
    return json.dumps(
        {
            "action": "synchronize",
            "number": 17,
            "pull_request": {
                "number": 17,
                "head": {"sha": HEAD, "ref": "tax", "repo": {"full_name": head}},
                "base": {"sha": SHA, "ref": "main", "repo": {"full_name": "Acme/Shop"}},
                **pull_request,
            },
        }
    ).encode()
