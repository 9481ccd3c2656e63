"""Cells of a matrix are no proof of each other, whoever runs first."""

from __future__ import annotations

import json

import pytest

from tests.e2e.project import Project

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_JOB": "test",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "1",
}
TEST = """
    import os

    def test_backend():
        assert os.environ["DB"] != "postgres"
"""


@pytest.mark.parametrize("order", [("mysql", "postgres"), ("postgres", "mysql")])
def test_a_matrix_that_no_variable_tells(project: Project, order: tuple[str, str]) -> None:
    project.init()
    project.commit({"test_db.py": TEST})
    project.env.update(GITHUB)
    said = [project.pytest(env={"DB": name}).verdicts for name in order]
    assert [label for [(label, _)] in filter(None, said)] != ["FLAKY"]
    done = project.flakefighters("explain", "test_db.py::test_backend", "--json")
    labels = json.dumps(json.loads(done.stdout)).lower()
    assert '"flaky"' not in labels


def test_environments_of_tox(project: Project) -> None:
    project.init()
    project.commit({"test_db.py": TEST})
    project.pytest(env={"TOX_ENV_NAME": "mysql", "DB": "mysql"}, expect=0)
    failed = project.pytest(env={"TOX_ENV_NAME": "postgres", "DB": "postgres"}, expect=1)
    [(label, reason)] = failed.verdicts
    assert label != "FLAKY"
    assert "the environment of tox mysql -> postgres" in reason
