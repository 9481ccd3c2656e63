"""Each scenario of the corpus: played in a real repository, judged by a real run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.builder import Repository
from tests.scenarios.known import UNDECIDED_NOW, WRONG_NOW
from tests.scenarios.registry import Scenario


@pytest.mark.scenario
def test_scenario(
    scenario: Scenario,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> None:
    exact = request.config.getoption("--scenarios-exact", False)
    if scenario.name in WRONG_NOW and not exact:
        request.applymarker(pytest.mark.xfail(reason=WRONG_NOW[scenario.name], strict=False))
    repository = Repository(tmp_path, git=not scenario.bare)
    if request.config.getoption("--scenarios-confirm", False):
        repository.options.append("--flakefighters-confirm=all")
    result = scenario.play(repository)
    label, reason = result.verdict(scenario.nodeid)
    if scenario.truth == "genuine" and label == "flaky":
        # Only what is proved may ever be acted upon, and strong is what people believe.
        assert repository.confidence(reason) in ("fair", None), f"{scenario.story} {reason}"
    record_property("scenario", [scenario.name, label or "missing", reason])

    assert label is not None, (
        f"no verdict on {scenario.nodeid} (exit {result.exit_code}):\n{result.text}"
    )
    story = (
        f"{scenario.story} It is {scenario.truth}, and was called {label}: {reason}\n{result.text}"
    )
    if sys.version_info < (3, 12) and not exact:
        return  # no function is watched: many verdicts rest on imports, which only accuse
    assert label not in scenario.wrong, story
    if exact or scenario.name not in UNDECIDED_NOW:
        assert label in scenario.right, story
        assert scenario.says in reason, story
