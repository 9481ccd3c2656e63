"""The table of CI services: facts of a run to the variables that tell them.

Several variables for a fact are tried in order.  What no table can say (merge commits, event
files, forks) is a small function per service in :mod:`flakefighters.profiles.ci_details`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from flakefighters.profiles import ci_details as details
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.profiles.ci_details import Variables

__all__ = ["RUNNERS", "VENDORS", "Vendor"]

#: Programs that run one suite in several environments, and the variable that tells which.
RUNNERS: Final = {
    "tox": "TOX_ENV_NAME",
    "nox": "NOX_CURRENT_SESSION",
    "hatch": "HATCH_ENV_ACTIVE",
}


class Vendor(NamedTuple):
    """One service: how it shows, and which variable says what."""

    name: str
    #: Variables that must all be set (and not to a word for no); "CI=woodpecker" to a value.
    signs: tuple[str, ...]
    #: Fact to variables, as words.
    facts: Mapping[str, str]
    refine: Callable[[Variables, dict[str, str | None]], None] | None = None
    #: Variables, as words, that tell the cells of one job apart.  Nothing that is another one in
    #: every build, on every branch or machine: no run could be compared with an earlier one.
    cell: str = ""
    #: The address of the run, with ``{VARIABLES}`` to be filled in, where no variable has it.
    url: str = ""
    #: The variable that has the target's branch on pull requests, and another one elsewhere.
    target_branch: str = ""
    #: Variables that name the source and the target of a pull request: a fork's differ.
    sides: tuple[str, str] | None = None


_GITHUB: Final = {
    "commit": "GITHUB_SHA",
    "base_branch": "GITHUB_BASE_REF",
    "build": "GITHUB_RUN_ID",
    "workflow": "GITHUB_WORKFLOW",
    "job": "GITHUB_JOB",
    "attempt": "GITHUB_RUN_ATTEMPT",
    "protected": "GITHUB_REF_PROTECTED",
}

#: Services that imitate others come first.
VENDORS: Final = (
    Vendor("Forgejo Actions", ("FORGEJO_ACTIONS",), _GITHUB, details.github),
    Vendor("Gitea Actions", ("GITEA_ACTIONS",), _GITHUB, details.github),
    # No variable tells the matrix.
    Vendor("GitHub Actions", ("GITHUB_ACTIONS",), _GITHUB, details.github, "ImageOS"),
    Vendor(
        "GitLab CI",
        ("GITLAB_CI",),
        {
            "commit": "CI_COMMIT_SHA",
            "head_commit": "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA "
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA CI_COMMIT_SHA",
            "branch": "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME "
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME CI_COMMIT_BRANCH CI_COMMIT_REF_NAME",
            "base_branch": "CI_MERGE_REQUEST_TARGET_BRANCH_NAME "
            "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME",
            "pr": "CI_MERGE_REQUEST_IID CI_EXTERNAL_PULL_REQUEST_IID",
            "run_url": "CI_JOB_URL",
            "build": "CI_PIPELINE_ID",
            "job": "CI_JOB_NAME",
            "repository": "CI_MERGE_REQUEST_PROJECT_URL CI_PROJECT_URL",
            "protected": "CI_COMMIT_REF_PROTECTED",
            "tag": "CI_COMMIT_TAG",
        },
        sides=("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_MERGE_REQUEST_PROJECT_ID"),
    ),
    Vendor(
        "CircleCI",
        ("CIRCLECI",),
        {
            "commit": "CIRCLE_SHA1",
            "branch": "CIRCLE_BRANCH",
            "pr": "CIRCLE_PR_NUMBER CIRCLE_PULL_REQUEST",
            "run_url": "CIRCLE_BUILD_URL",
            "build": "CIRCLE_WORKFLOW_ID CIRCLE_BUILD_NUM",
            "job": "CIRCLE_JOB",
            "shard_index": "CIRCLE_NODE_INDEX",
            "shard_total": "CIRCLE_NODE_TOTAL",
            "repository": "CIRCLE_REPOSITORY_URL",
            "tag": "CIRCLE_TAG",
        },
        details.circleci,
    ),
    Vendor(
        "Buildkite",
        ("BUILDKITE",),
        {
            "commit": "BUILDKITE_COMMIT",
            "branch": "BUILDKITE_BRANCH",
            "base_branch": "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
            "pr": "BUILDKITE_PULL_REQUEST",
            "run_url": "BUILDKITE_BUILD_URL",
            "build": "BUILDKITE_BUILD_ID",
            "workflow": "BUILDKITE_PIPELINE_SLUG",
            "job": "BUILDKITE_STEP_KEY BUILDKITE_LABEL",
            "shard_index": "BUILDKITE_PARALLEL_JOB",
            "shard_total": "BUILDKITE_PARALLEL_JOB_COUNT",
            "retries": "BUILDKITE_RETRY_COUNT",
            "repository": "BUILDKITE_REPO",
            "source_repository": "BUILDKITE_PULL_REQUEST_REPO",
            "tag": "BUILDKITE_TAG",
        },
        cell="BUILDKITE_LABEL BUILDKITE_GROUP_KEY BUILDKITE_GROUP_LABEL",
    ),
    Vendor(
        "Azure Pipelines",
        ("TF_BUILD",),
        {
            "commit": "BUILD_SOURCEVERSION",
            "head_commit": "SYSTEM_PULLREQUEST_SOURCECOMMITID BUILD_SOURCEVERSION",
            "branch": "SYSTEM_PULLREQUEST_SOURCEBRANCH BUILD_SOURCEBRANCH",
            "base_branch": "SYSTEM_PULLREQUEST_TARGETBRANCHNAME SYSTEM_PULLREQUEST_TARGETBRANCH",
            "pr": "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER SYSTEM_PULLREQUEST_PULLREQUESTID",
            "build": "BUILD_BUILDID",
            "workflow": "BUILD_DEFINITIONNAME",
            "job": "SYSTEM_JOBNAME AGENT_JOBNAME",
            "shard_index": "SYSTEM_JOBPOSITIONINPHASE",
            "shard_total": "SYSTEM_TOTALJOBSINPHASE",
            "attempt": "SYSTEM_JOBATTEMPT",
            "repository": "BUILD_REPOSITORY_URI",
            "is_fork_pr": "SYSTEM_PULLREQUEST_ISFORK",
        },
        details.azure,
        "SYSTEM_STAGENAME SYSTEM_PHASENAME AGENT_JOBNAME SYSTEM_JOBDISPLAYNAME",
    ),
    Vendor(
        "Bitbucket Pipelines",
        ("BITBUCKET_BUILD_NUMBER",),
        {
            "commit": "BITBUCKET_COMMIT",
            "branch": "BITBUCKET_BRANCH",
            "base_branch": "BITBUCKET_PR_DESTINATION_BRANCH",
            "pr": "BITBUCKET_PR_ID",
            "build": "BITBUCKET_PIPELINE_UUID BITBUCKET_BUILD_NUMBER",
            "shard_index": "BITBUCKET_PARALLEL_STEP",
            "shard_total": "BITBUCKET_PARALLEL_STEP_COUNT",
            "repository": "BITBUCKET_GIT_HTTP_ORIGIN",
            "tag": "BITBUCKET_TAG",
        },
        url="{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    ),
    Vendor(
        "TeamCity",
        ("TEAMCITY_VERSION",),
        {
            "commit": "BUILD_VCS_NUMBER",
            "branch": "TEAMCITY_PULLREQUEST_SOURCE_BRANCH TEAMCITY_BUILD_BRANCH",
            "base_branch": "TEAMCITY_PULLREQUEST_TARGET_BRANCH",
            "pr": "TEAMCITY_PULLREQUEST_NUMBER",
            "run_url": "BUILD_URL",
            "build": "BUILD_NUMBER",
            "workflow": "TEAMCITY_PROJECT_NAME",
            "job": "TEAMCITY_BUILDCONF_NAME",
        },
    ),
    Vendor(
        "Travis CI",
        ("TRAVIS",),
        {
            "commit": "TRAVIS_COMMIT",
            "head_commit": "TRAVIS_PULL_REQUEST_SHA TRAVIS_COMMIT",
            "branch": "TRAVIS_PULL_REQUEST_BRANCH TRAVIS_BRANCH",
            "pr": "TRAVIS_PULL_REQUEST",
            "run_url": "TRAVIS_JOB_WEB_URL TRAVIS_BUILD_WEB_URL",
            "build": "TRAVIS_BUILD_ID",
            "job": "TRAVIS_JOB_NAME",
            "tag": "TRAVIS_TAG",
        },
        details.travis,
        "TRAVIS_BUILD_STAGE_NAME TRAVIS_DIST TRAVIS_PYTHON_VERSION",
        target_branch="TRAVIS_BRANCH",
        sides=("TRAVIS_PULL_REQUEST_SLUG", "TRAVIS_REPO_SLUG"),
    ),
    Vendor(
        "AppVeyor",
        ("APPVEYOR",),
        {
            "commit": "APPVEYOR_REPO_COMMIT",
            "head_commit": "APPVEYOR_PULL_REQUEST_HEAD_COMMIT APPVEYOR_REPO_COMMIT",
            "branch": "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH APPVEYOR_REPO_BRANCH",
            "pr": "APPVEYOR_PULL_REQUEST_NUMBER",
            "build": "APPVEYOR_BUILD_ID",
            "workflow": "APPVEYOR_PROJECT_SLUG",
            "job": "APPVEYOR_JOB_NAME",
            "shard_index": "APPVEYOR_JOB_NUMBER",
            "tag": "APPVEYOR_REPO_TAG_NAME",
        },
        details.appveyor,
        "APPVEYOR_BUILD_WORKER_IMAGE",
        "{APPVEYOR_URL}/project/{APPVEYOR_ACCOUNT_NAME}/{APPVEYOR_PROJECT_SLUG}"
        "/builds/{APPVEYOR_BUILD_ID}",
        target_branch="APPVEYOR_REPO_BRANCH",
        sides=("APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME", "APPVEYOR_REPO_NAME"),
    ),
    Vendor(
        "AWS CodeBuild",
        ("CODEBUILD_BUILD_ARN",),
        {
            "commit": "CODEBUILD_RESOLVED_SOURCE_VERSION",
            "branch": "CODEBUILD_WEBHOOK_HEAD_REF CODEBUILD_SOURCE_VERSION",
            "base_branch": "CODEBUILD_WEBHOOK_BASE_REF",
            "run_url": "CODEBUILD_PUBLIC_BUILD_URL",
            "build": "CODEBUILD_BUILD_BATCH_ARN CODEBUILD_BUILD_ID",
            "job": "CODEBUILD_BATCH_BUILD_IDENTIFIER",
            "repository": "CODEBUILD_SOURCE_REPO_URL",
        },
        details.codebuild,
    ),
    Vendor(
        "Woodpecker CI",
        ("CI=woodpecker",),
        {
            "commit": "CI_COMMIT_SHA",
            "branch": "CI_COMMIT_SOURCE_BRANCH CI_COMMIT_BRANCH",
            "base_branch": "CI_COMMIT_TARGET_BRANCH",
            "pr": "CI_COMMIT_PULL_REQUEST",
            "run_url": "CI_PIPELINE_URL",
            "build": "CI_PIPELINE_NUMBER CI_BUILD_NUMBER",
            "workflow": "CI_WORKFLOW_NAME",
            "job": "CI_STEP_NAME",
            "repository": "CI_REPO_URL",
            "tag": "CI_COMMIT_TAG",
        },
        cell="CI_WORKFLOW_NUMBER",
    ),
    Vendor(
        "Drone",
        ("DRONE",),
        {
            "commit": "DRONE_COMMIT_SHA DRONE_COMMIT",
            "branch": "DRONE_SOURCE_BRANCH DRONE_COMMIT_BRANCH DRONE_BRANCH",
            "base_branch": "DRONE_TARGET_BRANCH",
            "pr": "DRONE_PULL_REQUEST",
            "run_url": "DRONE_BUILD_LINK",
            "build": "DRONE_BUILD_NUMBER",
            "workflow": "DRONE_STAGE_NAME",
            "job": "DRONE_STEP_NAME",
            "repository": "DRONE_REPO_LINK DRONE_GIT_HTTP_URL",
            "tag": "DRONE_TAG",
        },
    ),
    Vendor(
        "Semaphore",
        ("SEMAPHORE",),
        {
            "commit": "SEMAPHORE_GIT_SHA",
            "head_commit": "SEMAPHORE_GIT_PR_SHA SEMAPHORE_GIT_SHA",
            "branch": "SEMAPHORE_GIT_PR_BRANCH SEMAPHORE_GIT_WORKING_BRANCH SEMAPHORE_GIT_BRANCH",
            "pr": "SEMAPHORE_GIT_PR_NUMBER",
            "build": "SEMAPHORE_WORKFLOW_ID SEMAPHORE_PIPELINE_ID",
            "workflow": "SEMAPHORE_PROJECT_NAME",
            "job": "SEMAPHORE_JOB_NAME",
            "shard_index": "SEMAPHORE_JOB_INDEX",
            "shard_total": "SEMAPHORE_JOB_COUNT",
            "attempt": "SEMAPHORE_WORKFLOW_NUMBER_OF_ATTEMPTS",
            "repository": "SEMAPHORE_GIT_URL",
            "tag": "SEMAPHORE_GIT_TAG_NAME",
        },
        url="{SEMAPHORE_ORGANIZATION_URL}/workflows/{SEMAPHORE_WORKFLOW_ID}",
        target_branch="SEMAPHORE_GIT_BRANCH",
        sides=("SEMAPHORE_GIT_PR_SLUG", "SEMAPHORE_GIT_REPO_SLUG"),
    ),
    Vendor(
        "Cirrus CI",
        ("CIRRUS_CI",),
        {
            "commit": "CIRRUS_CHANGE_IN_REPO",
            "branch": "CIRRUS_BRANCH",
            "base_branch": "CIRRUS_BASE_BRANCH",
            "pr": "CIRRUS_PR",
            "build": "CIRRUS_BUILD_ID",
            "job": "CIRRUS_TASK_NAME",
            "repository": "CIRRUS_REPO_CLONE_URL",
            "tag": "CIRRUS_TAG",
        },
        url="https://cirrus-ci.com/task/{CIRRUS_TASK_ID}",
    ),
    Vendor(
        "Bitrise",
        ("BITRISE_IO",),
        {
            "commit": "BITRISE_GIT_COMMIT GIT_CLONE_COMMIT_HASH",
            "branch": "BITRISE_GIT_BRANCH",
            "base_branch": "BITRISEIO_GIT_BRANCH_DEST",
            "pr": "BITRISE_PULL_REQUEST",
            "run_url": "BITRISE_BUILD_URL",
            "build": "BITRISEIO_PIPELINE_ID BITRISE_BUILD_SLUG",
            "job": "BITRISE_TRIGGERED_WORKFLOW_ID",
            "shard_index": "BITRISE_IO_PARALLEL_INDEX",
            "shard_total": "BITRISE_IO_PARALLEL_TOTAL",
            "repository": "GIT_REPOSITORY_URL",
            "tag": "BITRISE_GIT_TAG",
        },
    ),
    Vendor(
        "Jenkins",
        ("JENKINS_URL", "BUILD_ID"),
        {
            "commit": "GIT_COMMIT",
            "branch": "CHANGE_BRANCH BRANCH_NAME GIT_BRANCH",
            "base_branch": "CHANGE_TARGET",
            "pr": "CHANGE_ID",
            "run_url": "BUILD_URL",
            "build": "BUILD_TAG BUILD_ID",
            "job": "JOB_NAME",
            "repository": "GIT_URL",
            "tag": "TAG_NAME",
        },
        details.jenkins,
        "STAGE_NAME",
    ),
    Vendor("unknown", ("CI",), {}),
    Vendor("unknown", ("CONTINUOUS_INTEGRATION",), {}),
    Vendor("unknown", ("BUILD_NUMBER",), {}),
)
