"""What differs between this process and the one in which a run was made."""

from __future__ import annotations

import os

import pytest

from flakefighters.environment.facts import Inputs, read
from flakefighters.environment.here import unlike
from flakefighters.environment.variables import noted
from tests.history.made_runs import make_run

HERE = read(Inputs(state_env={"SHOP": "a"}))


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "a")


def said(settings: dict[str, object], distributions: dict[str, str], variables: str = "") -> object:
    environment = HERE._replace(
        settings={**HERE.settings, **settings},
        distributions={**HERE.distributions, **distributions},
    )
    run = make_run({"test_a": "F"})
    head = run.head._replace(context={"variables": variables} if variables else {})
    return unlike(run._replace(head=head, environment=environment), lambda: ["SHOP"])


def test_what_differs_is_named() -> None:
    assert said({}, {}) is None
    assert said({"python": "2.7"}, {}) == "Python is another one now"
    assert said({"env.SHOP": "other"}, {}) == "the variable SHOP is another one now"
    assert said({"pytest.-x": True, "ci.job": "a", "runner.tox": "b"}, {}) is None
    assert said({}, {"pytest": "0"}) == "pytest has another version now"
    assert said({}, {"gone": "1", "lost": "1"}) == "gone, lost have other versions now"


def test_variables_count_if_the_project_asks_for_them() -> None:
    project = make_run({"test_a": "F"}).head.project
    now = dict(os.environ)
    assert said({}, {}, noted(now, project)) is None
    assert said({}, {}, noted({**now, "OTHER": "b"}, project)) is None
    assert said({}, {}, noted({**now, "SHOP": "b"}, project)) == "$SHOP has another value now"
